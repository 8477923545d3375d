//! The proxy that other tests believe: what each fault looks like from the client's side, and what AWS holds then.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use support::aws::Lookup;
use support::emulator::Emulator;
use support::proxy::{At, Behaviour, Fault, Moment, Proxy, operations};

/// Makes a log group through the proxy: the status of the answer, if there is one.
fn make(through: &Lookup, name: &str) -> Option<u16> {
    let group = json!({ "logGroupName": name });
    let answer = through.ask_json("logs", "Logs_20140328.CreateLogGroup", &group);
    answer.ok().map(|(status, _)| status)
}

fn rest(through: &Lookup, method: &str, path: &str, input: &Value) -> (u16, Value) {
    let (status, body) = through.ask_rest("apigateway", method, path, input).unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[test]
fn each_fault_is_what_it_says() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    // The fault, the answer that the client gets, and whether AWS has applied the call.
    let cases = [
        (Fault::Dropped(Moment::Before), None, false),
        (Fault::Dropped(Moment::After), None, true),
        (Fault::Broken(Moment::Before), Some(500), false),
        (Fault::Broken(Moment::After), Some(500), true),
        (Fault::Throttled(1), Some(400), false),
        (Fault::Hung(Duration::from_millis(100)), None, false),
        (Fault::Expired, Some(403), false),
    ];
    for (index, (fault, answer, applied)) in cases.into_iter().enumerate() {
        proxy.inject(At::operation("CreateLogGroup", 2), fault);
        assert_eq!(make(&through, &format!("/before/{index}")), Some(200), "{fault}: not this one");
        let name = format!("/spoilt/{index}");
        assert_eq!(make(&through, &name), answer, "{fault}");
        assert_eq!(aws.lookup().everything().contains(&format!("log group {name}")), applied, "{fault}");
        if fault == Fault::Expired {
            assert_eq!(make(&through, "/later"), answer, "{fault}: from then on");
        }
        assert!(proxy.heal(), "{fault}: it happened");
        assert_eq!(make(&through, &format!("/after/{index}")), Some(200), "{fault}: once only");
    }
}

#[test]
fn a_fault_that_never_happened_is_noticed() {
    let proxy = Proxy::before("http://127.0.0.1:9");
    proxy.inject(At::operation("CreateRole", 1), Fault::Dropped(Moment::Before));
    assert!(!proxy.heal());
    assert!(proxy.heal());
}

#[test]
fn a_process_is_struck_before_or_after_the_call_is_applied() {
    let aws = Emulator::start();
    for (moment, applied) in [(Moment::Before, false), (Moment::After, true)] {
        let proxy = Proxy::before(&aws.url());
        let through = aws.lookup_through(&proxy);
        let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        proxy.victim(Some(victim.id()));
        proxy.inject(At::mutation(1), Fault::Killed(moment));
        let name = format!("/{moment:?}");
        assert_eq!(make(&through, &name), None);
        assert!(!victim.wait().unwrap().success());
        assert_eq!(aws.lookup().everything().contains(&format!("log group {name}")), applied);
        assert!(proxy.struck().is_some());
    }
}

#[test]
fn a_call_waits_for_its_hook() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    for (moment, applied) in [(Moment::Before, false), (Moment::After, true)] {
        let name = format!("log group /{moment:?}");
        let (lookup, (say, said)) = (aws.lookup(), channel());
        let wanted = name.clone();
        proxy.on_call(At::operation("CreateLogGroup", 1), moment, move || {
            say.send(lookup.everything().contains(&wanted)).unwrap();
        });
        assert_eq!(make(&through, &format!("/{moment:?}")), Some(200));
        assert_eq!(said.try_recv(), Ok(applied), "it ran before the answer came");
    }
}

#[test]
fn calls_are_logged_with_what_they_are() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    proxy.behave(Behaviour { latency: Duration::from_millis(80), ..Behaviour::default() });
    let started = Instant::now();
    make(&through, "/one");
    let (_, api) = rest(&through, "POST", "/restapis", &json!({ "name": "one" }));
    rest(&through, "GET", &format!("/restapis/{}/resources", api["id"].as_str().unwrap()), &Value::Null);
    assert!(started.elapsed() >= Duration::from_millis(240));
    let calls = proxy.calls();
    assert_eq!(operations(&calls), ["CreateLogGroup", "CreateRestApi", "GetResources"]);
    let services: Vec<&str> = calls.iter().map(|call| call.service.as_str()).collect();
    assert_eq!(services, ["logs", "apigateway", "apigateway"]);
    assert_eq!(calls.iter().map(|call| call.mutating).collect::<Vec<_>>(), [true, true, false]);
    assert!(
        calls.iter().all(|call| call.took >= Duration::from_millis(80) && call.in_flight == 1),
        "{calls:?}"
    );
    assert_eq!(calls[1].status, Some(201));
}

#[test]
fn api_gateways_quotas_hold() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    proxy.behave(Behaviour { quotas: true, ..Behaviour::default() });
    let create = || rest(&through, "POST", "/restapis", &json!({ "name": "one" }));
    assert_eq!(create().0, 201);
    let (status, refusal) = create();
    assert_eq!((status, &refusal["__type"]), (429, &json!("TooManyRequestsException")));
    let list = || rest(&through, "GET", "/restapis", &Value::Null).0;
    let answers: Vec<u16> = (0..60).map(|_| list()).collect();
    assert!(answers.contains(&429), "ten calls a second, and forty at once");
    assert_eq!(answers[0], 200);
    assert_eq!(aws.lookup().list(), ["REST API one"]);
}

#[test]
fn lambdas_quotas_hold() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    proxy.behave(Behaviour { quotas: true, ..Behaviour::default() });
    let is_refused = |method: &str, path: &str| {
        let path = format!("/2015-03-31/functions/absent{path}");
        let ask = || through.ask_rest("lambda", method, &path, &Value::Null).unwrap().0;
        (0..40).map(|_| ask()).collect::<Vec<u16>>().contains(&429)
    };
    assert!(is_refused("GET", "/policy"), "fifteen a second");
    assert!(is_refused("DELETE", ""), "fifteen a second, with all others");
    assert!(!is_refused("GET", ""), "a hundred a second");
}

#[test]
fn new_things_are_not_ready_at_once() {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let through = aws.lookup_through(&proxy);
    let table = Duration::from_millis(600);
    proxy.behave(Behaviour { table, ..Behaviour::default() });
    through.dynamodb(
        "CreateTable",
        &json!({
            "TableName": "one",
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
    let status =
        || through.dynamodb("DescribeTable", &json!({ "TableName": "one" }))["Table"]["TableStatus"].clone();
    support::pause(Duration::from_millis(300));
    assert_eq!(status(), "CREATING", "the local AWS alone takes 0.1 s");
    support::pause(Duration::from_millis(400));
    assert_eq!(status(), "ACTIVE");
}
