//! `invoke`, by both ways, with every form of an event.

use crate::up;
use serde_json::json;
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::{At, Fault, Moment, operations};

const EXACT: &str = r#"{ "b": 1.50, "a": 12345678901234567890.123456789, "é": null }"#;

/// Who asks, whose the function is, and the event itself.
const CALLS: [&str; 3] = ["GetCallerIdentity", "GetFunction", "Invoke"];

fn invoke(lab: &Lab, args: &[&str]) -> Done {
    lab.deployer(&[&["invoke"], args].concat()).run()
}

#[test]
fn an_event_is_answered_byte_for_byte_by_both_ways() {
    let lab = up();
    lab.project.write("event.json", EXACT);
    let file = lab.project.folder().join("event.json");
    for way in ["lambda", "api"] {
        let ping = invoke(&lab, &["ping", "--via", way]).succeeds();
        assert_eq!(ping.stdout, "\"pong\"");
        assert_eq!(invoke(&lab, &[EXACT, "--via", way]).succeeds().stdout, EXACT);
        assert_eq!(invoke(&lab, &[file.to_str().unwrap(), "--via", way]).succeeds().stdout, EXACT);
        let echo = invoke(&lab, &["echo", EXACT, "--via", way]).succeeds();
        let event = format!(r#"{{"operation":"echo","tableName":"lambda-apigateway","payload":{EXACT}}}"#);
        assert_eq!(echo.stdout, event);
    }
    let full = std::fs::File::create("/dev/full").unwrap();
    let done = lab.deployer(&["invoke", "ping"]).stdout(full).run().exits(1);
    assert!(done.stderr.contains("\nerror: cannot write to stdout: "), "{done}");
}

#[test]
fn an_event_comes_from_stdin() {
    let lab = up();
    lab.project.write("event.json", EXACT);
    let file = std::fs::File::open(lab.project.folder().join("event.json")).unwrap();
    let done = lab.deployer(&["invoke", "-"]).stdin(file).run().succeeds();
    assert_eq!(done.stdout, EXACT);
}

#[test]
fn lambda_tells_what_was_logged_and_what_it_took() {
    let lab = up();
    lab.proxy.take_calls();
    let done = invoke(&lab, &["ping"]).succeeds();
    assert_eq!(operations(&lab.proxy.take_calls()), CALLS);
    let lines: Vec<&str> = done.stderr.lines().collect();
    let [json, plain, took] = lines[..] else { panic!("{done}") };
    assert_eq!(json, "INFO got an event operation=ping");
    assert_eq!(plain, r"plain \u{1b}[31mtext");
    assert!(took.starts_with("took ") && took.contains(" of 128 MB, "), "{done}");
    let (_, request) = took.rsplit_once(", request ").unwrap();
    let logs = lab.deployer(&["logs", "--request-id", request]).run().succeeds();
    assert!(logs.stdout.contains("got an event"), "{logs}");
    let own = invoke(&lab, &["report"]).succeeds();
    let lines: Vec<&str> = own.stderr.lines().collect();
    assert!(lines[2].starts_with("REPORT RequestId: 1\t") && lines.len() == 4, "{own}");
    assert!(lines[3].starts_with("took ") && !lines[3].contains("9999"), "{own}");
    let long = invoke(&lab, &["long"]).succeeds();
    let lines: Vec<&str> = long.stderr.lines().collect();
    let [end, half, whole, took] = lines[..] else { panic!("{long}") };
    let (_, request) = took.rsplit_once(", request ").unwrap();
    let logs = format!("`deployer logs {} --request-id {request}`", lab.flags());
    let all = format!("This is the end of the log; {logs} shows all of it:");
    assert_eq!(end, all);
    assert!(half.starts_with("…x") && half.len() < 3000 && whole == "y".repeat(3000), "{long}");
    let document = invoke(&lab, &["ping", "--output", "json"]).succeeds().json();
    let invoked = &document["invoke"];
    assert_eq!(invoked["answer"], "pong");
    assert_eq!((&invoked["failed"], &invoked["status"]), (&json!(false), &json!(200)));
    assert_eq!(invoked["report"]["memory_mb"], 128);
    assert!(invoked["log"].as_array().unwrap().len() >= 4, "{document}");
}

#[test]
fn a_function_that_fails_is_a_failure_with_its_answer() {
    let lab = up();
    let done = invoke(&lab, &["fail"]).exits(1);
    assert_eq!(done.stdout, r#"{"errorType": "Broken", "errorMessage": "as it was asked to"}"#);
    assert!(done.stderr.contains("error: the function failed: Broken: as it was asked to\n"), "{done}");
    let done = invoke(&lab, &["exit"]).exits(1);
    assert!(done.stderr.contains("Runtime exited with error: exit status 3"), "{done}");
    let document = invoke(&lab, &["fail", "--output", "json"]).exits(1).json();
    assert_eq!(document["invoke"]["error_type"], "Broken");
    assert_eq!(document["invoke"]["failed"], true);
    assert_eq!(document["error"]["message"], "the function failed: Broken: as it was asked to");
}

#[test]
fn an_answer_that_is_lost_is_not_asked_for_again() {
    let lab = up();
    lab.proxy.inject(At::operation("Invoke", 1), Fault::Dropped(Moment::After));
    lab.proxy.take_calls();
    let done = invoke(&lab, &["ping"]).exits(1);
    assert_eq!(operations(&lab.proxy.take_calls()), CALLS, "{done}");
    assert!(done.stderr.contains("The function may have run all the same"), "{done}");
}

#[test]
fn what_is_not_up_and_what_is_not_ours_is_not_invoked() {
    let lab = Lab::new();
    for way in ["lambda", "api"] {
        let done = invoke(&lab, &["ping", "--via", way]).exits(1);
        assert!(done.stderr.contains("does not exist: the stack lambda-apigateway in us-east-1"), "{done}");
        let hint = format!("hint: Run `deployer up {}`.\n", lab.flags());
        assert!(done.stderr.contains(&hint), "{done}");
    }
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.project.declare("");
    let other = format!("name = \"other\"\n{}", std::fs::read_to_string(lab.project.manifest()).unwrap());
    lab.project.write("stack.toml", &other);
    lab.proxy.take_calls();
    let done = invoke(&lab, &["ping"]).exits(1);
    assert!(done.stderr.contains("it belongs to stack lambda-apigateway in us-east-1"), "{done}");
    assert_eq!(operations(&lab.proxy.take_calls()), CALLS[..2]);
}

#[test]
fn a_route_with_parameters_is_asked_by_a_path() {
    let lab = Lab::new();
    lab.project.declare(
        "[[api.routes]]\nmethod = \"ANY\"\npath = \"/items/{id}\"\nfunction = \"LambdaFunctionOverHttps\"\n",
    );
    let _ = lab.deployer(&["up"]).run().succeeds();
    let unsaid = lab.deployer(&["invoke", "ping", "--via", "api"]).run().exits(2);
    assert!(unsaid.stderr.contains("the stack has ANY /items/{id}\n"), "{unsaid}");
    let asked = lab.deployer(&["invoke", "ping", "--via", "api", "--route", "/items/7"]).run().succeeds();
    assert_eq!(asked.stdout, "\"pong\"");
    assert!(asked.stderr.contains("POST http://"), "{asked}");
    assert!(asked.stderr.contains("/Prod/_user_request_/items/7: HTTP 200 after "), "{asked}");
    let _ = lab.deployer(&["invoke", "ping", "--route", "/items/7"]).run().exits(2);
}
