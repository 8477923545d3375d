//! `logs`: everything, some of it, and what comes while one looks.

use crate::up;
use rustix::process::Signal;
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::mutating;

fn logs(lab: &Lab, args: &[&str]) -> Done {
    lab.deployer(&[&["logs"], args].concat()).run()
}

fn invoke(lab: &Lab, operation: &str) -> String {
    let done = lab.deployer(&["invoke", operation, "--output", "json"]).run().succeeds();
    done.json()["invoke"]["report"]["request_id"].as_str().unwrap().to_owned()
}

/// What the function logs of one event.
fn lines_of(operation: &str) -> [String; 2] {
    let json = format!(r#"{{"level": "INFO", "message": "got an event", "operation": "{operation}"}}"#);
    [json, "plain \u{1b}[31mtext".to_owned()]
}

#[test]
fn an_invocation_is_shown_as_it_was_written() {
    let lab = up();
    let (first, second) = (invoke(&lab, "first"), invoke(&lab, "second"));
    lab.proxy.take_calls();
    let all = logs(&lab, &[]).succeeds();
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    for (operation, request) in [("first", &first), ("second", &second)] {
        let start = all.stdout.find(&format!("START RequestId: {request}")).unwrap();
        let (of_it, _) = all.stdout[start..].split_once("\nEND").unwrap();
        assert_eq!(of_it.lines().skip(1).collect::<Vec<_>>(), lines_of(operation), "{all}");
    }
    assert_eq!(all.stderr, "");

    let one = logs(&lab, &["--request-id", &first]).succeeds();
    let lines: Vec<&str> = one.stdout.lines().collect();
    assert!(lines[0].starts_with("START ") && lines.last().unwrap().starts_with("REPORT "), "{one}");
    assert_eq!(lines[1..3], lines_of("first"));
    assert_eq!(lines.len(), 5, "{one}");

    let some = logs(&lab, &["--filter", "got second", "--since", "1h"]).succeeds();
    assert_eq!(some.stdout.trim_end(), lines_of("second")[0]);

    let document = logs(&lab, &["--output", "json", "--request-id", &second]).succeeds().json();
    let events = document["logs"]["events"].as_array().unwrap();
    assert_eq!(events.len(), 5, "{document}");
    assert_eq!(events[2]["message"].as_str().unwrap().trim_end(), lines_of("second")[1]);
    assert_eq!(document["logs"]["log_group"], "/aws/lambda/LambdaFunctionOverHttps");
}

#[test]
fn what_is_not_there_is_said_calmly() {
    let lab = Lab::new();
    let done = logs(&lab, &[]).succeeds();
    let absent = "There is no log group /aws/lambda/LambdaFunctionOverHttps: the stack lambda-apigateway in us-east-1 \
                  (account 000000000000) is not up.\n";
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", absent));
    let _ = lab.deployer(&["up"]).run().succeeds();
    let done = logs(&lab, &["--filter", "nothing-like-it"]).succeeds();
    let nothing = "Nothing that fits was logged in the last 10 minutes.\n";
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", nothing));
    let done = logs(&lab, &["--request-id", "none", "--output", "json"]).succeeds();
    assert_eq!(done.json()["logs"]["events"], serde_json::json!([]));
}

#[test]
fn the_log_of_somebody_else_is_not_shown() {
    let lab = up();
    let manifest = std::fs::read_to_string(lab.project.manifest()).unwrap();
    lab.project.write("stack.toml", &format!("name = \"other\"\n{manifest}"));
    let done = logs(&lab, &[]).exits(1);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("it belongs to stack lambda-apigateway in us-east-1"), "{done}");
}

#[test]
fn what_comes_is_shown_once_until_ctrl_c() {
    let lab = up();
    let _ = invoke(&lab, "before");
    lab.proxy.take_calls();
    let following = lab.deployer(&["logs", "--follow"]).spawn();
    lab.proxy.wait_for_call("FilterLogEvents");
    let _ = invoke(&lab, "meanwhile");
    for _ in 0..3 {
        lab.proxy.take_calls();
        lab.proxy.wait_for_call("FilterLogEvents");
    }
    following.signal(Signal::INT);
    let done = following.wait().succeeds();
    for operation in ["before", "meanwhile"] {
        let line = &lines_of(operation)[0];
        assert_eq!(done.stdout.matches(line.as_str()).count(), 1, "{done}");
    }
    assert_eq!(done.stderr, "");
}
