//! Which events belong to a request, and which queries find them.

use super::*;
use crate::testing::World;
use crate::testing::script::{Answer, answers, done};
use aws_sdk_cloudwatchlogs::Client;
use aws_smithy_mocks::mock;
use serde_json::json;

const GROUP: &str = "/aws/lambda/lab";
const MINUTE: i64 = 60_000;

/// A time long enough after 1970 for all earlier events.
const NOW: i64 = 1_000 * MINUTE;

fn start(id: &str) -> Vec<String> {
    vec![format!("START RequestId: {id} Version: $LATEST\n")]
}

fn line(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn end(id: &str) -> Vec<String> {
    vec![format!("END RequestId: {id}\n"), format!("REPORT RequestId: {id}\tDuration: 1 ms\n")]
}

/// A complete request that logs one line.
fn request(id: &str, text: &str) -> Vec<String> {
    [start(id), line(text), end(id)].concat()
}

fn record(kind: &str, id: &str) -> Vec<String> {
    vec![json!({ "type": format!("platform.{kind}"), "record": { "requestId": id } }).to_string()]
}

#[test]
fn selects_the_events_between_start_and_end_of_a_request() {
    let complete = || request("id-a", "x");
    let as_records = || [record("start", "id-a"), line("x"), record("report", "id-a")].concat();
    let quoting = || [start("id-a"), request("id-b", "y"), line("x"), end("id-a")].concat();
    let cases = [
        ("alone", vec![complete()], complete()),
        ("among others", vec![request("id-b", "y"), complete(), request("id-c", "z")], complete()),
        ("records", vec![record("start", "id-b"), as_records(), record("start", "id-c")], as_records()),
        ("still running", vec![end("id-b"), start("id-a"), line("x")], [start("id-a"), line("x")].concat()),
        (
            "without an end",
            vec![start("id-a"), line("x"), request("id-b", "y")],
            [start("id-a"), line("x")].concat(),
        ),
        (
            "retried",
            vec![complete(), request("id-b", "y"), request("id-a", "z")],
            [complete(), request("id-a", "z")].concat(),
        ),
        ("another request contains its id", vec![complete(), request("id-b", "after id-a")], complete()),
        ("it logs boundaries of another request", vec![quoting(), request("id-c", "z")], quoting()),
        (
            "without boundaries",
            vec![line("w"), line("id-a x"), line("y"), line("id-a z"), line("w")],
            [line("id-a x"), line("y"), line("id-a z")].concat(),
        ),
        ("absent", vec![request("id-b", "y")], vec![]),
        ("empty log", vec![], vec![]),
    ];
    for (case, lines, expected) in cases {
        let event = |message| LogEvent { id: String::new(), stream: String::new(), time_ms: 0, message };
        let events: Vec<LogEvent> = lines.concat().into_iter().map(event).collect();
        let found: Vec<&String> =
            events_of_request(&events, "id-a").iter().map(|event| &event.message).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{case}");
    }
}

/// A page with events of a stream, each with its age in minutes.
fn page(stream: &str, messages: &[(i64, &str)]) -> Answer {
    let event = |(age, message): &(i64, &str)| json!({ "logStreamName": stream, "timestamp": NOW - age * MINUTE, "message": message });
    done(json!({ "events": messages.iter().map(event).collect::<Vec<_>>() }))
}

/// Reads a request's log since ten minutes ago. Returns the messages and the bodies of the calls.
async fn read_since(script: impl IntoIterator<Item = Answer>) -> (Vec<String>, Vec<Value>) {
    let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)]);
    let mut messages = Vec::new();
    let on_event = |event: LogEvent| {
        messages.push(event.message);
        ControlFlow::Continue(())
    };
    world.at(async |step| read(step, GROUP, "id-a", NOW - 10 * MINUTE, on_event).await).await.unwrap();
    (messages, world.sent.bodies("FilterLogEvents"))
}

const START: &str = "START RequestId: id-a Version: $LATEST\n";
const END: &str = "END RequestId: id-a\n";

#[tokio::test(start_paused = true)]
async fn reads_a_request_completely_although_it_started_before_the_time_range() {
    let around = [(12, START), (11, "old"), (9, "x"), (2, END)];
    let (messages, sent) = read_since([page("s", &[(12, START), (2, END)]), page("s", &around)]).await;
    assert_eq!(messages, [START, "old", "x", END]);
    assert_eq!(sent[0]["startTime"], NOW - 26 * MINUTE, "the request may have run for 15 minutes before");
    assert_eq!((&sent[0]["filterPattern"], &sent[0]["endTime"]), (&json!("\"id-a\""), &Value::Null));
    assert_eq!(sent[1]["logStreamNames"], json!(["s"]));
    assert_eq!(sent[1]["startTime"], NOW - 12 * MINUTE);
    assert_eq!(sent[1]["endTime"], NOW - 2 * MINUTE);
    assert!(sent[1]["filterPattern"].is_null());
}

#[tokio::test(start_paused = true)]
async fn reads_a_running_request_up_to_now() {
    let around = [(12, START), (11, "x"), (1, "y")];
    let (messages, sent) = read_since([page("s", &[(12, START)]), page("s", &around)]).await;
    assert_eq!(messages, [START, "x", "y"]);
    assert!(sent[1]["endTime"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_end_ends_where_the_next_starts() {
    let next = "START RequestId: id-b Version: $LATEST\n";
    let around = json!([
        { "timestamp": NOW - 3, "message": START },
        { "timestamp": NOW - 2, "message": "x" },
        { "timestamp": NOW - 1, "message": next },
        { "timestamp": NOW - 1, "message": "y" },
    ]);
    let around = done(json!({ "events": around, "nextToken": "never requested" }));
    let (messages, _) = read_since([
        done(json!({ "events": [{ "logStreamName": "s", "timestamp": NOW - 3, "message": START }] })),
        around,
    ])
    .await;
    assert_eq!(messages, [START, "x"]);
}

#[tokio::test(start_paused = true)]
async fn leaves_out_a_request_that_ended_before_the_time_range() {
    let lines = [(13, START), (12, END)];
    let (messages, _) = read_since([page("s", &lines), page("s", &lines)]).await;
    assert_eq!(messages, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn orders_attempts_in_several_environments_by_time() {
    let (first, second) = ([(9, START), (8, END)], [(5, START), (4, END)]);
    let mentions = done(json!({ "events": [
        { "logStreamName": "z", "timestamp": NOW - 9 * MINUTE, "message": START },
        { "logStreamName": "z", "timestamp": NOW - 8 * MINUTE, "message": END },
        { "logStreamName": "a", "timestamp": NOW - 5 * MINUTE, "message": START },
        { "logStreamName": "a", "timestamp": NOW - 4 * MINUTE, "message": END },
    ] }));
    let (messages, sent) = read_since([mentions, page("z", &first), page("a", &second)]).await;
    assert_eq!(messages, [START, END, START, END]);
    assert_eq!((&sent[1]["logStreamNames"], &sent[2]["logStreamNames"]), (&json!(["z"]), &json!(["a"])));
}
