//! `logs`: everything, some of it, and what comes while one looks.

use crate::up;
use rustix::process::Signal;
use serde_json::json;
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::{At, Fault, Moment, mutating};

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
    let lab = up();
    let done = logs(&lab, &["--filter", "nothing_like_it"]).succeeds();
    let nothing = "Nothing that fits was logged in the last 10 minutes.\n";
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", nothing));
    let done = logs(&lab, &["--request-id", "none", "--output", "json"]).succeeds();
    assert_eq!(done.json()["logs"]["events"], json!([]));
}

#[test]
fn a_stack_that_is_not_up_has_no_log() {
    let lab = Lab::new();
    for args in [&[][..], &["--follow"]] {
        let done = logs(&lab, args).exits(1);
        let absent = format!(
            "error: function LambdaFunctionOverHttps does not exist: the stack lambda-apigateway in us-east-1 (account \
             000000000000) is not up\n\nhint: Run `deployer up {}`.\n",
            lab.flags()
        );
        assert!(done.stdout.is_empty() && done.stderr.starts_with(&absent), "{done}");
    }
}

#[test]
fn a_log_group_that_is_missing_is_said_and_waited_for() {
    let lab = up();
    let group = json!({ "logGroupName": "/aws/lambda/LambdaFunctionOverHttps" });
    lab.lookup().logs("DeleteLogGroup", &group);
    let missing = "There is no log group /aws/lambda/LambdaFunctionOverHttps";
    let absent = format!("{missing}: `deployer up {}` makes it.", lab.flags());
    let done = logs(&lab, &[]).succeeds();
    assert_eq!((done.stdout.as_str(), done.stderr), ("", format!("{absent}\n")));
    let done = logs(&lab, &["--output", "json"]).succeeds();
    assert_eq!(done.json()["logs"]["events"], json!([]));

    lab.proxy.take_calls();
    let following = lab.deployer(&["logs", "--follow"]).spawn();
    lab.proxy.wait_for_call("FilterLogEvents");
    let _ = lab.deployer(&["up"]).run().succeeds();
    let _ = invoke(&lab, "later");
    wait_for_looks(&lab, 2);
    following.signal(Signal::INT);
    let done = following.wait().succeeds();
    assert_eq!(done.stdout.matches(&lines_of("later")[0]).count(), 1, "{done}");
    let there = "The log group /aws/lambda/LambdaFunctionOverHttps can be read now.";
    assert_eq!(done.stderr, format!("{absent} Looking on until Ctrl-C.\n{there}\n"));
}

/// Waits until CloudWatch Logs was asked so often: the last but one answer is shown by then.
fn wait_for_looks(lab: &Lab, number: usize) {
    for _ in 0..number {
        lab.proxy.take_calls();
        lab.proxy.wait_for_call("FilterLogEvents");
    }
}

#[test]
fn a_log_that_goes_to_another_group_is_read_there() {
    let lab = up();
    let function = "/2015-03-31/functions/LambdaFunctionOverHttps";
    let logging = json!({ "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/shared" } });
    lab.lookup().rest("lambda", "PUT", &format!("{function}/configuration"), &logging);
    lab.lookup().logs("CreateLogGroup", &json!({ "logGroupName": "/shared" }));
    support::wait_for("the update", std::time::Duration::from_secs(30), || {
        let function = lab.lookup().rest("lambda", "GET", &format!("{function}/configuration"), &json!(null));
        (function["LastUpdateStatus"] == "Successful").then_some(())
    });
    let _ = invoke(&lab, "elsewhere");
    let stream = json!({ "logGroupName": "/shared", "logStreamName": "2026/01/01/other[$LATEST]0123" });
    lab.lookup().logs("CreateLogStream", &stream);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let mut put = stream;
    put["logEvents"] = json!([{ "timestamp": u64::try_from(now).unwrap(), "message": "another function" }]);
    lab.lookup().logs("PutLogEvents", &put);

    let note = "LambdaFunctionOverHttps logs to /shared, and not to /aws/lambda/LambdaFunctionOverHttps.\n";
    let done = logs(&lab, &[]).succeeds();
    assert!(done.stdout.contains(&lines_of("elsewhere")[0]), "{done}");
    assert!(!done.stdout.contains("another function"), "of a function that shares the group: {done}");
    assert_eq!(done.stderr, note);
    let document = logs(&lab, &["--output", "json"]).succeeds().json();
    assert_eq!(document["logs"]["log_group"], "/shared");
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
    wait_for_looks(&lab, 3);
    following.signal(Signal::INT);
    let done = following.wait().succeeds();
    for operation in ["before", "meanwhile"] {
        let line = &lines_of(operation)[0];
        assert_eq!(done.stdout.matches(line.as_str()).count(), 1, "{done}");
    }
    assert_eq!(done.stderr, "");
}

#[test]
fn a_gap_in_the_network_is_waited_out() {
    let lab = up();
    let _ = invoke(&lab, "before");
    lab.proxy.take_calls();
    let following = lab.deployer(&["logs", "--follow"]).spawn();
    lab.proxy.wait_for_call("FilterLogEvents");
    // As often as the SDK tries, and once more.
    for nth in 1..=4 {
        lab.proxy.inject(At::operation("FilterLogEvents", nth), Fault::Dropped(Moment::Before));
    }
    wait_for_looks(&lab, 4);
    let _ = invoke(&lab, "after");
    wait_for_looks(&lab, 2);
    following.signal(Signal::INT);
    let done = following.wait().succeeds();
    for operation in ["before", "after"] {
        assert_eq!(done.stdout.matches(&lines_of(operation)[0]).count(), 1, "{done}");
    }
    let [silent, again] = done.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{done}") };
    assert!(silent.starts_with("No answer from CloudWatch Logs, asking on until Ctrl-C: "), "{done}");
    assert_eq!(again, "The log group /aws/lambda/LambdaFunctionOverHttps can be read now.");
}
