//! What nobody declared is nobody's business: it is no difference, and stays.

use super::function;
use super::permission::allow;
use super::row::{EVERYTHING, FUNCTION, LOG_GROUP, ROLE, Stack, TABLE, arn};
use super::table;
use serde_json::{Value, json};
use support::proxy::{mutating, operations};

#[test]
fn what_is_not_declared_is_no_difference() {
    let stack = Stack::up("");
    let aws = &stack.aws;
    let fence = "arn:aws:iam::000000000000:policy/fence";
    aws.iam("PutRolePermissionsBoundary", &[("RoleName", ROLE), ("PermissionsBoundary", fence)]);
    aws.iam("AttachRolePolicy", &[("RoleName", ROLE), ("PolicyArn", fence)]);
    let inline = [("RoleName", ROLE), ("PolicyName", "mine"), ("PolicyDocument", EVERYTHING)];
    aws.iam("PutRolePolicy", &inline);
    aws.iam("TagRole", &[("RoleName", ROLE), ("Tags.member.1.Key", "mine"), ("Tags.member.1.Value", "1")]);
    table::update(&stack, json!({ "DeletionProtectionEnabled": true }));
    let tag = json!([{ "Key": "mine", "Value": "1" }]);
    let table = arn("dynamodb", &format!("table/{TABLE}"));
    aws.dynamodb("TagResource", &json!({ "ResourceArn": table, "Tags": tag }));
    let group = arn("logs", &format!("log-group:{LOG_GROUP}"));
    aws.logs("TagResource", &json!({ "resourceArn": group, "tags": { "mine": "1" } }));
    let function = arn("lambda", &format!("function:{FUNCTION}"));
    let tags = json!({ "Tags": { "mine": "1" } });
    aws.rest("lambda", "POST", &format!("/2017-03-31/tags/{function}"), &tags);
    // A permission, a deployment and stages of somebody else's, one of them at our deployment.
    allow(&stack, "mine", &arn("execute-api", "another/*/*/*"));
    let other = stack.gateway("POST", "/deployments", &json!({ "description": "mine" }));
    stack.gateway("POST", "/stages", &json!({ "stageName": "mine", "deploymentId": other["id"] }));
    let ours = stack.of_api("/stages/Prod")["deploymentId"].clone();
    stack.gateway("POST", "/stages", &json!({ "stageName": "canary", "deploymentId": ours }));
    // With it, API Gateway shows limits, too.
    stack.patch("/stages/Prod", "replace", "/*/*/logging/loglevel", "INFO");
    // A resource without a method answers nobody.
    stack.gateway("POST", &stack.resource("/"), &json!({ "pathPart": "empty" }));

    stack.lab.proxy.take_calls();
    let plan = stack.lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    let _ = stack.lab.deployer(&["up"]).run().succeeds();
    assert!(mutating(stack.lab.proxy.take_calls()).is_empty());
    let stages = stack.of_api("/stages");
    assert_eq!(stages["item"].as_array().map(Vec::len), Some(3), "{stages}");
    let status = stack.lab.deployer(&["status"]).run().succeeds();
    assert!(status.stdout.contains("stage Prod; not of this stack: stage mine, canary"), "{status}");
    let policy: Value =
        serde_json::from_str(stack.lambda("GET", "/policy", &Value::Null)["Policy"].as_str().unwrap())
            .unwrap();
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(2), "{policy}");
}

/// Whoever may not use the key would write the variables that are declared over those that nobody has seen.
#[test]
fn variables_that_cannot_be_decrypted_are_not_overwritten() {
    let declare = |variables: &str, memory: u32| format!("environment = {variables}\nmemory = {memory}\n");
    let stack = Stack::up(&declare(r#"{ LEVEL = "hush-hush" }"#, 128));
    let key = stack.aws.json("kms", "TrentService.CreateKey", &json!({}));
    let key = json!({ "KeyId": key["KeyMetadata"]["Arn"] });
    let by_hand =
        json!({ "KMSKeyArn": key["KeyId"], "Environment": { "Variables": { "LEVEL": "by-hand-secret" } } });
    function::set(&stack, &by_hand);
    stack.aws.json("kms", "TrentService.DisableKey", &key);
    let environment = || stack.aws.function(FUNCTION)["Configuration"]["Environment"].clone();
    assert_eq!(environment()["Error"]["ErrorCode"], "DisabledException");

    let note = "its environment variables cannot be read, so they stay as they are";
    let plan = stack.lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    assert!(plan.stderr.contains(note), "{plan}");

    stack.lab.project.declare(&declare(r#"{ MODE = "top-secret" }"#, 256));
    stack.lab.proxy.take_calls();
    let up = stack.lab.deployer(&["up", "--yes"]).run().succeeds();
    assert!(up.stderr.contains(note), "{up}");
    let calls = mutating(stack.lab.proxy.take_calls());
    assert_eq!(operations(&calls), ["UpdateFunctionConfiguration"], "the memory: {up}");

    stack.aws.json("kms", "TrentService.EnableKey", &key);
    assert_eq!(environment(), json!({ "Variables": { "LEVEL": "by-hand-secret" } }));
    let _ = stack.lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(environment(), json!({ "Variables": { "MODE": "top-secret" } }));
}
