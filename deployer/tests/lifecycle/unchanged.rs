//! Looking changes nothing, doing it again changes nothing, and a change changes only itself.

use support::lab::Lab;
use support::proxy::{Call, mutating, operations};

fn up(lab: &Lab) -> String {
    lab.deployer(&["up"]).run().succeeds().last_line().to_owned()
}

#[test]
fn a_second_up_makes_no_mutating_call() {
    let lab = Lab::new();
    let url = up(&lab);
    assert_eq!(mutating(lab.proxy.take_calls()).len(), 11, "one call for each thing that is made, no more");
    let again = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(again.last_line(), url);
    assert!(again.stderr.contains("Everything is as declared."), "{again}");
    let calls = lab.proxy.take_calls();
    assert!(calls.len() > 5, "the proxy sees the calls: {calls:?}");
    assert!(calls.iter().all(|call| !call.operation.contains('/')), "and knows each: {calls:?}");
    assert_eq!(mutating(calls).len(), 0);
    assert_eq!(
        lab.proxy.take_invocations().len(),
        3 + 1,
        "three answers prove a change, one proves that it holds"
    );
}

#[test]
fn plan_and_status_agree_with_up_and_only_read() {
    let lab = Lab::new();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    assert!(plan.stdout.contains("Plan: 7 to create."), "{plan}");
    let status = lab.deployer(&["status", "--exit-code"]).run().exits(4);
    assert!(status.stdout.contains("does not exist"), "{status}");
    assert_eq!(lab.deployer(&["status"]).run().succeeds().stdout, status.stdout);
    let no_url = lab.deployer(&["status", "--url"]).run().exits(1);
    assert_eq!(no_url.stdout, "", "{no_url}");
    assert!(no_url.stderr.contains(&format!("Run `deployer up {}`.", lab.flags())), "{no_url}");
    only_read(&lab.proxy.take_calls());

    let url = up(&lab);
    lab.proxy.take_calls();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert_eq!(status.last_line(), url);
    assert!(status.stdout.contains("Everything is as declared."), "{status}");
    assert_eq!(lab.deployer(&["status", "--url"]).run().succeeds().stdout, format!("{url}\n"));
    let document = lab.deployer(&["status", "--output", "json"]).run().succeeds().json();
    assert_eq!(document["state"], "in_sync");
    assert_eq!(document["url"], url.as_str());
    let kinds: Vec<_> =
        document["resources"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    for kind in ["role", "policy", "log_group", "table", "function", "rest_api", "permission"] {
        assert!(kinds.contains(&kind), "{kind} is missing: {kinds:?}");
    }
    only_read(&lab.proxy.take_calls());
}

fn only_read(calls: &[Call]) {
    assert!(!calls.is_empty(), "the proxy sees the calls");
    assert!(mutating(calls.to_vec()).is_empty(), "{calls:?}");
}

#[test]
fn new_code_is_uploaded_once_and_nothing_else_is_touched() {
    let lab = Lab::new();
    let url = up(&lab);
    lab.project.set_version("2");
    lab.proxy.take_calls();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    assert!(plan.stdout.contains("~ function LambdaFunctionOverHttps\n    code: "), "{plan}");
    only_read(&lab.proxy.take_calls());
    assert_eq!(up(&lab), url);
    assert_eq!(operations(&mutating(lab.proxy.take_calls())), ["UpdateFunctionCode"]);
    let answer = lab.lookup().post(&url, r#"{"operation":"version"}"#);
    assert_eq!(answer, (200, r#""2""#.to_owned()));
}

#[test]
fn what_somebody_changed_by_hand_is_shown_and_put_right() {
    let lab = Lab::new();
    let url = up(&lab);
    let aws = lab.lookup();
    let function = "/2015-03-31/functions/LambdaFunctionOverHttps";
    aws.rest(
        "lambda",
        "PUT",
        &format!("{function}/configuration"),
        &serde_json::json!({ "MemorySize": 512 }),
    );
    aws.iam(
        "DetachRolePolicy",
        &[
            ("RoleName", "lambda-apigateway-role"),
            ("PolicyArn", "arn:aws:iam::000000000000:policy/lambda-apigateway-policy"),
        ],
    );
    let plan = lab.deployer(&["plan"]).run().succeeds();
    assert!(plan.stdout.contains("memory: 512 → 128"), "{plan}");
    assert!(plan.stdout.contains("attached-to: (none) → role lambda-apigateway-role"), "{plan}");
    assert!(plan.stdout.contains("Plan: 2 to change."), "{plan}");
    lab.proxy.take_calls();
    assert_eq!(up(&lab), url);
    let mut calls = mutating(lab.proxy.take_calls());
    calls.sort_by(|a, b| a.operation.cmp(&b.operation));
    assert_eq!(operations(&calls), ["AttachRolePolicy", "UpdateFunctionConfiguration"]);
    let _ = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
}
