//! What `status` says of a stack that stands and is not well.

use serde_json::{Value, json};
use support::aws::{Lookup, elements, items};
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::mutating;

const FUNCTION: &str = "/2015-03-31/functions/LambdaFunctionOverHttps";
const ROLE: (&str, &str) = ("RoleName", "lambda-apigateway-role");
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A zip with an empty file `other`.
const OTHER_CODE: &str = "UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAFAAAAb3RoZXJQSwECFAMUAAAAAAAAACEAAAAAAAAAAAAAAAAABQAAAAAAAAAAAAAAgAEAAAAAb3RoZXJQSwUGAAAAAAEAAQAzAAAAIwAAAAAA";

fn up(lab: &Lab) -> String {
    lab.deployer(&["up", "--yes"]).run().succeeds().last_line().to_owned()
}

/// What `status` says, in all its forms, having changed nothing.
fn ill(lab: &Lab, url: &str, state: &str, answers: bool) -> (Done, Value) {
    lab.proxy.take_calls();
    let status = lab.deployer(&["status", "--exit-code"]).run().exits(4);
    assert_eq!(status.last_line(), url);
    assert_eq!(lab.deployer(&["status"]).run().succeeds().last_line(), url);
    let document = lab.deployer(&["status", "--output", "json", "--exit-code"]).run().exits(4).json();
    assert_eq!(document["state"], state, "{status}");
    assert_eq!(document["answers"], answers, "{status}");
    assert_eq!(document["url"], url);
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    (status, document)
}

fn well(lab: &Lab, url: &str) {
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(status.stdout.contains("The URL answers:"), "{status}");
    assert_eq!(status.last_line(), url);
}

/// The changes of one resource in a document.
fn changes(document: &Value, kind: &str) -> Vec<Value> {
    let resources = items(&document["resources"]);
    let of_kind = resources.iter().filter(|resource| resource["kind"] == kind);
    of_kind.flat_map(|resource| items(&resource["changes"])).collect()
}

#[test]
fn a_permission_that_names_a_dead_api() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = up(&lab);
    well(&lab, &url);
    let policy = aws.rest("lambda", "GET", &format!("{FUNCTION}/policy"), &Value::Null);
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let id = policy["Statement"][0]["Sid"].as_str().unwrap();
    aws.rest("lambda", "DELETE", &format!("{FUNCTION}/policy/{id}"), &Value::Null);
    let dead = "arn:aws:execute-api:us-east-1:000000000000:dead/*/POST/DynamoDBManager";
    let statement = json!({
        "StatementId": id,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": dead,
    });
    aws.rest("lambda", "POST", &format!("{FUNCTION}/policy"), &statement);

    let (status, document) = ill(&lab, &url, "different", false);
    let api = url.split('/').nth(4).unwrap();
    let live = format!("arn:aws:execute-api:us-east-1:000000000000:{api}/*/POST/DynamoDBManager");
    for said in
        [format!("statement: {dead} → (none)"), format!("statement: (none) → {live}"), "HTTP 500".to_owned()]
    {
        assert!(status.stdout.contains(&said), "{said}: {status}");
    }
    let changes = changes(&document, "permission");
    assert!(
        changes.iter().any(|change| change["from"] == dead && change["to"] == Value::Null),
        "{changes:?}"
    );
    assert!(changes.iter().any(|change| change["to"] == live.as_str()), "{changes:?}");
    assert_eq!(up(&lab), url);
    well(&lab, &url);
}

/// Its code is not compared by `status`, which builds nothing: the answer tells.
#[test]
fn a_url_that_does_not_answer_as_it_should() {
    let lab = Lab::new();
    let url = up(&lab);
    let code = json!({ "ZipFile": OTHER_CODE });
    lab.lookup().rest("lambda", "PUT", &format!("{FUNCTION}/code"), &code);
    support::wait_for("the function to settle", std::time::Duration::from_secs(10), || {
        let function = &lab.lookup().function("LambdaFunctionOverHttps")["Configuration"];
        (function["LastUpdateStatus"] == "Successful").then_some(())
    });
    let (status, _) = ill(&lab, &url, "in_sync", false);
    assert!(status.stdout.contains("The URL does not answer as it should; it says: HTTP "), "{status}");
    assert_eq!(up(&lab), url);
    well(&lab, &url);
}

/// The key of the function's variables answers only to the role of before.
#[test]
fn a_role_that_was_made_again() {
    let lab = Lab::new();
    let aws = lab.lookup();
    lab.project.declare("environment = { LEVEL = \"debug\" }\n");
    let url = up(&lab);
    let (before, after) = make_again(&aws);
    assert_ne!(before, after);

    let (status, document) = ill(&lab, &url, "different", true);
    let said = format!("replace, because role-id: {before} → {after}");
    assert!(status.stdout.contains(&said), "{status}");
    let changes = changes(&document, "function");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((&changes[0]["action"], &changes[0]["field"]), (&json!("replace"), &json!("role-id")));

    let unasked = lab.deployer(&["up"]).run().exits(1);
    assert!(
        unasked.stderr.contains("This deletes or replaces function LambdaFunctionOverHttps"),
        "{unasked}"
    );
    assert_eq!(up(&lab), url);
    well(&lab, &url);
    lab.proxy.take_calls();
    assert_eq!(up(&lab), url);
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}

/// Deletes the role and makes it as it was; its id before and after.
fn make_again(aws: &Lookup) -> (String, String) {
    let id = || elements(&aws.iam("GetRole", &[ROLE]), "RoleId").remove(0);
    let before = id();
    let policy = ("PolicyArn", "arn:aws:iam::000000000000:policy/lambda-apigateway-policy");
    aws.iam("DetachRolePolicy", &[ROLE, policy]);
    aws.iam("DeleteRole", &[ROLE]);
    let role = [
        ROLE,
        ("AssumeRolePolicyDocument", TRUST),
        ("Description", "Runs the functions of lambda-apigateway in us-east-1"),
        ("Tags.member.1.Key", "deployer:stack"),
        ("Tags.member.1.Value", "lambda-apigateway"),
        ("Tags.member.2.Key", "deployer:region"),
        ("Tags.member.2.Value", "us-east-1"),
    ];
    aws.iam("CreateRole", &role);
    aws.iam("AttachRolePolicy", &[ROLE, policy]);
    (before, id())
}

/// A route that wants credentials, before one whose path nobody can fill in.
const CLOSED: &str = r#"
[[api.routes]]
method = "GET"
path = "/items/{id}"
function = "LambdaFunctionOverHttps"
integration = "aws-proxy"

[[api.routes]]
method = "POST"
path = "/items"
function = "LambdaFunctionOverHttps"
auth = "api-key"
"#;

#[test]
fn a_url_that_takes_no_ping_is_shown_and_not_asked() {
    let lab = Lab::new();
    lab.project.declare(CLOSED);
    let up = lab.deployer(&["up"]).run().succeeds();
    let url = up.last_line();
    assert!(url.ends_with("/items"), "{up}");
    assert!(up.stderr.contains("The URL was not asked: [api] declares no proof, like "), "{up}");
    assert_eq!(lab.deployer(&["status", "--url"]).run().succeeds().last_line(), url);
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(
        status.stdout.contains("The URL, which was not asked ([api] declares no proof, like "),
        "{status}"
    );
    assert_eq!(status.last_line(), url);
    let document = lab.deployer(&["status", "--output", "json"]).run().succeeds().json();
    assert_eq!((&document["url"], &document["answers"]), (&json!(url), &Value::Null));
    assert!(lab.proxy.take_invocations().is_empty());
    lab.project.declare(CLOSED.split("[[api.routes]]\nmethod = \"POST\"").next().unwrap());
    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert!(up.last_line().ends_with("/Prod/_user_request_"), "{up}");
}
