//! The lab with its real function, as people meet it.

use std::collections::BTreeSet;
use support::aws::{Lookup, Tags, elements, items};
use support::deployer::Done;
use support::lab::Lab;
use support::repository;

/// The eight requests that users of the lab send, and what each answer must hold.
const REQUESTS: [(&str, &str); 8] = [
    (
        r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"1234ABCD","number":5}}}"#,
        r#""HTTPStatusCode":200"#,
    ),
    (
        r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"1","name":"Bob"}}}"#,
        r#""HTTPStatusCode":200"#,
    ),
    (
        r#"{"operation":"read","tableName":"lambda-apigateway","payload":{"Key":{"id":"1"}}}"#,
        r#""Item":{"id":"1","name":"Bob"}"#,
    ),
    (
        r#"{"operation":"update","tableName":"lambda-apigateway","payload":{"Key":{"id":"127748AB"},"UpdateExpression":"SET FirstName = :newValue","ExpressionAttributeValues":{":newValue":"Sarvesh"}}}"#,
        r#""HTTPStatusCode":200"#,
    ),
    (
        r#"{"operation":"delete","tableName":"lambda-apigateway","payload":{"Key":{"id":"127748AD"}}}"#,
        r#""HTTPStatusCode":200"#,
    ),
    (r#"{"operation":"list","tableName":"lambda-apigateway","payload":{}}"#, r#""Count":3"#),
    (
        r#"{"operation":"echo","payload":{"somekey1":"somevalue1","somekey2":"somevalue2"}}"#,
        r#"{"somekey1":"somevalue1","somekey2":"somevalue2"}"#,
    ),
    (r#"{"operation":"ping"}"#, r#""pong""#),
];

/// One test, because packaging is one folder of the project's: two builds at once would be in each other's way.
#[test]
fn the_lab_goes_up_answers_and_comes_down() {
    let lab = Lab::new();
    let manifest = repository().join("stack.toml");
    let run = |args: &[&str]| lab.deployer_of(&manifest, args).building().run();

    let up = run(&["up"]).succeeds();
    let url = up.last_line().to_owned();
    assert!(
        url.starts_with(&lab.proxy.url()) && url.ends_with("/Prod/_user_request_/DynamoDBManager"),
        "{up}"
    );
    assert!(up.stderr.contains(&format!("curl -X POST '{url}'")), "{up}");
    is_as_described(&lab.lookup());
    answers(&lab.lookup(), &url);
    takes_events(&run);

    lab.proxy.take_calls();
    assert_eq!(run(&["up"]).succeeds().last_line(), url);
    let again = support::proxy::mutating(lab.proxy.take_calls());
    assert!(again.is_empty(), "the same code is the same zip: {again:?}");

    let refused = run(&["down", "--yes"]).exits(1);
    assert!(refused.stderr.contains("table lambda-apigateway holds 3 items"), "{refused}");
    let _ = run(&["down", "--yes", "--delete-data"]).succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}

/// The function by hand, by both ways.
fn takes_events(run: &impl Fn(&[&str]) -> Done) {
    let exact = r#"{"somekey1":"somevalue1","n":1.50,"big":12345678901234567890.123456789}"#;
    for way in ["lambda", "api"] {
        assert_eq!(run(&["invoke", "echo", exact, "--via", way]).succeeds().stdout, exact);
        let fails = run(&["invoke", "fly", "--via", way]).exits(1);
        assert_eq!(
            fails.stdout,
            r#"{"errorType":"ValueError","errorMessage":"Unrecognized operation \"fly\""}"#
        );
        assert!(fails.stderr.contains(r#"ValueError: Unrecognized operation "fly""#), "{fails}");
        let list = run(&["invoke", "list", "{}", "--via", way]).succeeds();
        assert!(list.stdout.contains(r#""Count":3"#), "the table's name goes with it: {list}");
    }
}

/// Every property that users rely on.
fn is_as_described(aws: &Lookup) {
    let ours = Tags::from([
        ("deployer:stack".to_owned(), "lambda-apigateway".to_owned()),
        ("deployer:region".to_owned(), "us-east-1".to_owned()),
    ]);
    let mut tags = aws.tags();
    let role_id =
        elements(&aws.iam("GetRole", &[("RoleName", "lambda-apigateway-role")]), "RoleId").remove(0);
    let of_function = tags.get_mut("function LambdaFunctionOverHttps").unwrap();
    assert_eq!(of_function.remove("deployer:role-id"), Some(role_id));
    assert_eq!(of_function.remove("deployer:build").as_deref(), Some("quick"));
    let expected = [
        "REST API DynamoDBOperations",
        "function LambdaFunctionOverHttps",
        "log group /aws/lambda/LambdaFunctionOverHttps",
        "policy lambda-apigateway-policy",
        "role lambda-apigateway-role",
        "table lambda-apigateway",
    ];
    assert_eq!(tags, expected.map(|thing| (thing.to_owned(), ours.clone())).into());

    let attached = aws.iam("ListAttachedRolePolicies", &[("RoleName", "lambda-apigateway-role")]);
    assert_eq!(elements(&attached, "PolicyName"), ["lambda-apigateway-policy"]);
    let table =
        &aws.dynamodb("DescribeTable", &serde_json::json!({ "TableName": "lambda-apigateway" }))["Table"];
    assert_eq!(table["KeySchema"], serde_json::json!([{ "AttributeName": "id", "KeyType": "HASH" }]));
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    let function = &aws.function("LambdaFunctionOverHttps")["Configuration"];
    assert_eq!(function["Runtime"], "provided.al2023");
    assert_eq!(function["Role"], "arn:aws:iam::000000000000:role/lambda-apigateway-role");
    let groups = &aws.logs("DescribeLogGroups", &serde_json::json!({}))["logGroups"];
    assert_eq!(groups[0]["retentionInDays"], 14);

    let get = |path: String| aws.rest("apigateway", "GET", &path, &serde_json::Value::Null);
    let api = get("/restapis".to_owned())["item"][0].clone();
    assert_eq!(api["endpointConfiguration"]["types"], serde_json::json!(["REGIONAL"]));
    let id = api["id"].as_str().unwrap();
    let resources = items(&get(format!("/restapis/{id}/resources?embed=methods"))["item"]);
    let resource = resources.iter().find(|resource| resource["path"] == "/DynamoDBManager").unwrap();
    let methods = resource["resourceMethods"].as_object().unwrap();
    assert_eq!(methods.keys().collect::<Vec<_>>(), ["POST"]);
    assert_eq!(methods["POST"]["authorizationType"], "NONE");
    assert_eq!(methods["POST"]["methodIntegration"]["type"], "AWS");
    let stages = items(&get(format!("/restapis/{id}/stages"))["item"]);
    assert_eq!(stages.iter().map(|stage| &stage["stageName"]).collect::<Vec<_>>(), ["Prod"]);
    let deployments = items(&get(format!("/restapis/{id}/deployments"))["item"]);
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["id"], stages[0]["deploymentId"]);

    let policy = aws.rest(
        "lambda",
        "GET",
        "/2015-03-31/functions/LambdaFunctionOverHttps/policy",
        &serde_json::Value::Null,
    );
    let policy: serde_json::Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let statements = items(&policy["Statement"]);
    assert_eq!(statements.len(), 1, "{policy}");
    assert_eq!(statements[0]["Principal"]["Service"], "apigateway.amazonaws.com");
    let source = statements[0]["Condition"]["ArnLike"]["AWS:SourceArn"].as_str().unwrap();
    assert_eq!(source, format!("arn:aws:execute-api:us-east-1:000000000000:{id}/*/POST/DynamoDBManager"));
}

fn answers(aws: &Lookup, url: &str) {
    for (request, part) in REQUESTS {
        let (status, answer) = aws.post(url, request);
        assert_eq!(status, 200, "{request}: {answer}");
        assert!(answer.contains(part), "{request}: {answer}");
    }
    let (status, answer) = aws.post(url, r#"{"operation":"fly"}"#);
    assert_eq!(status, 400, "{answer}");
    let error: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(error["errorMessage"], r#"Unrecognized operation "fly""#);
}
