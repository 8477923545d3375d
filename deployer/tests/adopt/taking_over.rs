//! The whole stack, from the console to ours.

use super::by_hand::{self, Rights};
use serde_json::json;
use std::collections::BTreeSet;
use support::lab::Lab;
use support::proxy::{mutating, operations};
use support::requests::Requests;

/// Everything that carries nobody's tags, as a refusal names it. A log group without an owner is Lambda's doing.
const NAMED: [&str; 5] = [
    "role lambda-apigateway-role: it carries no ownership tag",
    "policy lambda-apigateway-policy: it carries no ownership tag",
    "table lambda-apigateway: it carries no ownership tag",
    "function LambdaFunctionOverHttps: it carries no ownership tag",
    "REST API DynamoDBOperations: it carries no ownership tag",
];

/// What `plan --adopt` announces, among others.
const ANNOUNCED: [&str; 9] = [
    "tags.deployer:stack: (none) → lambda-apigateway",
    "description: Allows Lambda functions to call AWS services on your behalf. → Runs the functions of",
    "endpoint: EDGE → REGIONAL (in place: id and URL stay; takes up to a minute)",
    "runtime: python3.13 → provided.al2023",
    "code-in-between: the old → the old and the new (requests go on meanwhile)",
    "handler: lambda_function.lambda_handler → bootstrap",
    "POST /dynamodbmanager responses: 200 → 200, 400",
    "tags.deployer:paths: (none) → as-adopted",
    "deployed-definition: (none) → ",
];

#[test]
fn a_stack_made_by_hand_is_refused_then_shown_then_adopted_without_a_failed_request() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let api = by_hand::make(&lab, Rights::Managed);
    let before = aws.tags();

    let up = lab.deployer(&["up"]).run().exits(1);
    for named in NAMED {
        assert!(up.stderr.contains(named), "all in one message: {up}");
    }
    assert!(up.stderr.contains("--adopt"), "{up}");
    let plan = lab.deployer(&["plan", "--adopt", "--exit-code"]).run().exits(4);
    for announced in ANNOUNCED {
        assert!(plan.stdout.contains(announced), "{announced}: {plan}");
    }
    assert!(!plan.stdout.contains("DynamoDBManager"), "the path stays as it is: {plan}");
    let looked = lab.proxy.take_calls();
    assert!(!looked.is_empty() && mutating(looked).is_empty());
    assert_eq!(aws.tags(), before);

    let url = by_hand::url(&lab.proxy.url(), &api);
    let requests = Requests::to(aws.clone(), by_hand::url(&lab.aws.url(), &api));
    let up = lab.deployer(&["up", "--adopt"]).run().succeeds();
    let asked = requests.all_good();
    assert!(asked >= 3, "it was asked meanwhile: {asked} times in {:?}", up.took);
    assert_eq!(up.last_line(), url);
    let made = mutating(lab.proxy.take_calls());
    let made = operations(&made);
    for gone in
        ["CreateRestApi", "CreateTable", "CreateFunction", "CreateRole", "CreatePolicy", "DeleteRestApi"]
    {
        assert!(!made.contains(&gone), "{made:?}");
    }
    assert_eq!(aws.post(&url, r#"{"operation":"which"}"#).1, r#""1""#, "the new code answers");
    let scan = json!({ "TableName": "lambda-apigateway" });
    assert_eq!(aws.dynamodb("Scan", &scan)["Count"], 3);

    is_ours(&lab, &url);
    let _ = lab.deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
    assert_eq!(aws.everything(), BTreeSet::new());
}

/// Once adopted, it is as any other stack, and needs no flag.
fn is_ours(lab: &Lab, url: &str) {
    for (thing, tags) in lab.lookup().tags() {
        assert_eq!(tags.get("deployer:stack").map(String::as_str), Some("lambda-apigateway"), "{thing}");
    }
    lab.proxy.take_calls();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    let up = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(up.last_line(), url);
    assert_eq!(lab.deployer(&["status", "--exit-code"]).run().succeeds().last_line(), url);
    assert_eq!(lab.deployer(&["status", "--url"]).run().succeeds().stdout, format!("{url}\n"));
    assert!(mutating(lab.proxy.take_calls()).is_empty(), "{up}");
}

#[test]
fn a_role_with_an_inline_policy_is_adopted_with_it() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let api = by_hand::make(&lab, Rights::Inline);
    let up = lab.deployer(&["up", "--adopt"]).run().succeeds();
    assert_eq!(up.last_line(), by_hand::url(&lab.proxy.url(), &api));
    let inline = aws.iam("ListRolePolicies", &[("RoleName", "lambda-apigateway-role")]);
    assert!(inline.contains("<member>lambda-apigateway-policy</member>"), "somebody may need it: {inline}");
    is_ours(&lab, up.last_line());
    let _ = lab.deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
    assert_eq!(aws.everything(), BTreeSet::new());
}
