//! What keeps people out of an API, or runs beside ours, is never taken away without a question.

use serde_json::{Value, json};
use std::time::Duration;
use support::aws::{Lookup, items};
use support::lab::Lab;
use support::proxy::{mutating, operations};

const PING: &str = r#"{"operation":"ping"}"#;

/// The id of the only API of this name.
fn api_named(aws: &Lookup, name: &str) -> String {
    let apis = items(&aws.rest("apigateway", "GET", "/restapis", &Value::Null)["item"]);
    apis.iter().find(|api| api["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Sets a field of the API's part at this path.
fn patch(aws: &Lookup, path: &str, field: &str, value: &str) {
    let change = json!({ "op": "replace", "path": field, "value": value });
    aws.rest("apigateway", "PATCH", path, &json!({ "patchOperations": [change] }));
}

/// Runs `up` where nobody is there to ask: it has to say this and to change nothing.
fn asks(lab: &Lab, question: &str) {
    lab.proxy.take_calls();
    let up = lab.deployer(&["up"]).run().exits(1);
    assert!(up.stderr.contains(question) && up.stderr.contains("--yes"), "{question}: {up}");
    assert!(mutating(lab.proxy.take_calls()).is_empty(), "{up}");
}

#[test]
fn up_asks_before_it_lets_more_people_in() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let api = api_named(&aws, "DynamoDBOperations");
    let resources =
        items(&aws.rest("apigateway", "GET", &format!("/restapis/{api}/resources"), &Value::Null)["item"]);
    let resource = resources.iter().find(|one| one["path"] == "/DynamoDBManager").unwrap();
    let method = format!("/restapis/{api}/resources/{}/methods/POST", resource["id"].as_str().unwrap());
    patch(&aws, &method, "/authorizationType", "AWS_IAM");
    patch(&aws, &method, "/apiKeyRequired", "true");
    aws.rest("apigateway", "POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": "Prod" }));

    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    for line in ["authorization: AWS_IAM → NONE", "api-key: true → false"] {
        let line = format!("POST /DynamoDBManager {line} (anybody may call it from then on)");
        assert!(plan.stdout.contains(&line), "{line}: {plan}");
    }
    asks(&lab, "This lets people in who are kept out now: POST /DynamoDBManager. Go on?");
    assert_ne!(aws.post(&url, PING).0, 200, "it is as it was");
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(aws.post(&url, PING).0, 200);
}

#[test]
fn another_api_with_the_stacks_tags_is_asked_about_by_name_and_url_and_the_live_one_stays() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let tags = json!({ "deployer:stack": "lambda-apigateway", "deployer:region": "us-east-1" });
    let made = aws.rest("apigateway", "POST", "/restapis", &json!({ "name": "Theirs", "tags": tags }));
    let theirs = made["id"].as_str().unwrap();
    let root = aws.rest("apigateway", "GET", &format!("/restapis/{theirs}/resources"), &Value::Null);
    let root = root["item"][0]["id"].as_str().unwrap();
    let method = format!("/restapis/{theirs}/resources/{root}/methods/GET");
    aws.rest("apigateway", "PUT", &method, &json!({ "authorizationType": "NONE" }));
    aws.rest("apigateway", "PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
    aws.rest(
        "apigateway",
        "POST",
        &format!("/restapis/{theirs}/deployments"),
        &json!({ "stageName": "live" }),
    );

    let named = format!("API Theirs ({theirs}) at {}/restapis/{theirs}/live/_user_request_", lab.proxy.url());
    asks(&lab, &format!("This deletes or replaces {named}"));
    let down = lab.deployer(&["down"]).run().exits(1);
    assert!(down.stderr.contains("has the stage live of its other API"), "{down}");
    assert_eq!(aws.post(&url, PING).0, 200);

    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url, "the one that serves stays");
    let apis = items(&aws.rest("apigateway", "GET", "/restapis", &Value::Null)["item"]);
    assert_eq!(apis.len(), 1, "{apis:?}");
}

#[test]
fn a_canary_is_asked_about_and_then_all_requests_go_to_what_is_declared() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let api = api_named(&aws, "DynamoDBOperations");
    let stage = format!("/restapis/{api}/stages/Prod");
    let theirs = aws.rest("apigateway", "POST", &format!("/restapis/{api}/deployments"), &json!({}));
    patch(&aws, &stage, "/canarySettings/deploymentId", theirs["id"].as_str().unwrap());
    patch(&aws, &stage, "/canarySettings/percentTraffic", "100");

    let status = lab.deployer(&["status", "--exit-code"]).run().exits(4);
    assert!(status.stdout.contains("canary: 100 % of requests to deployment"), "{status}");
    asks(&lab, "This deletes or replaces the canary of stage Prod. Go on?");
    lab.project.declare("\n[api]\nvariables = { level = \"debug\" }\n");
    lab.proxy.take_calls();
    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url);
    let calls = mutating(lab.proxy.take_calls());
    assert_eq!(operations(&calls), ["UpdateStage", "UpdateStage"], "{up}");
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
}

#[test]
fn the_tls_policy_that_somebody_set_survives_another_definition() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let api = api_named(&aws, "DynamoDBOperations");
    let place = format!("/restapis/{api}");
    patch(&aws, &place, "/securityPolicy", "SecurityPolicy_TLS13_1_3_2025_09");
    patch(&aws, &place, "/endpointAccessMode", "STRICT");
    assert_eq!(lab.deployer(&["plan"]).run().succeeds().stdout, "Nothing to change.\n");
    lab.project.declare(
        "\n[[api.routes]]\nmethod = \"POST\"\npath = \"/other\"\nfunction = \"LambdaFunctionOverHttps\"\n",
    );
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    let api = aws.rest("apigateway", "GET", &place, &Value::Null);
    assert_eq!(api["securityPolicy"], "SecurityPolicy_TLS13_1_3_2025_09");
    assert_eq!(api["endpointAccessMode"], "STRICT");
}

/// A question stands for as long as people think, and AWS goes on meanwhile.
#[test]
fn what_was_not_in_the_plan_is_not_lost() {
    const GROUP: &str = "/aws/lambda/LambdaFunctionOverHttps";
    let lab = Lab::new();
    let aws = lab.lookup();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let keeps = |days: u32| {
        let retention = json!({ "logGroupName": GROUP, "retentionInDays": days });
        aws.logs("PutRetentionPolicy", &retention);
    };
    let kept = || {
        let found = aws.logs("DescribeLogGroups", &json!({ "logGroupNamePrefix": GROUP }));
        found["logGroups"][0]["retentionInDays"].clone()
    };
    lab.project.declare("\n[api]\nstage = \"Live\"\n");
    let terminal = lab.deployer(&["up"]).in_terminal();
    terminal.wait_for_text("Go on?");
    keeps(365);
    // What the plan has seen is used for three seconds.
    support::pause(Duration::from_secs(4));
    lab.proxy.take_calls();
    terminal.press("y\n");
    let ended = terminal.wait().exits(3);
    let told = ended.screen.lines().concat();
    let loss = format!("what {GROUP} holds from more than 14 days ago");
    let unasked = format!("it has changed since the plan: this run would now also delete or replace {loss}");
    for said in [unasked.as_str(), "shows that in its plan, and asks first."] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let calls = mutating(lab.proxy.take_calls());
    assert_eq!(operations(&calls), ["CreateDeployment", "DeleteStage", "DeleteDeployment"], "{told}");
    assert_eq!(kept(), 365);

    asks(&lab, &format!("This deletes or replaces {loss}. Go on?"));
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(kept(), 14);
}
