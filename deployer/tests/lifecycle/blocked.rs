//! What AWS would refuse half-way stops `down` before it has begun, and what comes late is caught.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use support::aws::Lookup;
use support::lab::Lab;
use support::proxy::{At, Moment, mutating, operations};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
const OURS: &str = "arn:aws:iam::000000000000:policy/lambda-apigateway-policy";
const THEIRS: &str = "arn:aws:iam::000000000000:policy/theirs";

const PROFILE: (&str, &str) = ("InstanceProfileName", "theirs");

/// What somebody does with our things, how `down` names it, and how it is taken back.
type Case = (fn(&Lookup), &'static str, fn(&Lookup));

const CASES: [Case; 7] = [
    (
        |aws| {
            aws.iam("CreatePolicy", &[("PolicyName", "theirs"), ("PolicyDocument", NOTHING)]);
            aws.iam("AttachRolePolicy", &[("RoleName", "lambda-apigateway-role"), ("PolicyArn", THEIRS)]);
        },
        "role lambda-apigateway-role: it has the policy arn:aws:iam::000000000000:policy/theirs attached",
        |aws| {
            aws.iam("DetachRolePolicy", &[("RoleName", "lambda-apigateway-role"), ("PolicyArn", THEIRS)]);
            aws.iam("DeletePolicy", &[("PolicyArn", THEIRS)]);
        },
    ),
    (
        |aws| {
            aws.iam("CreateRole", &[("RoleName", "theirs"), ("AssumeRolePolicyDocument", TRUST)]);
            aws.iam("AttachRolePolicy", &[("RoleName", "theirs"), ("PolicyArn", OURS)]);
        },
        "policy lambda-apigateway-policy: it is attached to role theirs",
        |aws| {
            aws.iam("DetachRolePolicy", &[("RoleName", "theirs"), ("PolicyArn", OURS)]);
            aws.iam("DeleteRole", &[("RoleName", "theirs")]);
        },
    ),
    (
        |aws| {
            aws.iam("CreateInstanceProfile", &[PROFILE]);
            aws.iam("AddRoleToInstanceProfile", &[PROFILE, ("RoleName", "lambda-apigateway-role")]);
        },
        "role lambda-apigateway-role: it is in the instance profile theirs",
        |aws| {
            aws.iam("RemoveRoleFromInstanceProfile", &[PROFILE, ("RoleName", "lambda-apigateway-role")]);
            aws.iam("DeleteInstanceProfile", &[PROFILE]);
        },
    ),
    (
        |aws| protect(aws, true),
        "table lambda-apigateway: it is protected against deletion",
        |aws| protect(aws, false),
    ),
    (
        |aws| replicate(aws, "Create"),
        "table lambda-apigateway: it has replicas in eu-west-1",
        |aws| replicate(aws, "Delete"),
    ),
    (
        |aws| {
            let deployment = of_api(aws, "GET", "/stages/Prod", &Value::Null)["deploymentId"].clone();
            let stage = json!({ "stageName": "theirs", "deploymentId": deployment });
            of_api(aws, "POST", "/stages", &stage);
        },
        "REST API DynamoDBOperations: it has the stage theirs, which is not of this stack",
        |aws| {
            of_api(aws, "DELETE", "/stages/theirs", &Value::Null);
        },
    ),
    (map_domain, "REST API DynamoDBOperations: it is behind the custom domain api.example.com/v1", |aws| {
        aws.rest("apigateway", "DELETE", "/domainnames/api.example.com", &Value::Null);
    }),
];

/// Puts a custom domain in front of the API.
fn map_domain(aws: &Lookup) {
    let domain = json!({ "domainName": "api.example.com" });
    aws.rest("apigateway", "POST", "/domainnames", &domain);
    let mapping = json!({ "basePath": "v1", "restApiId": api_id(aws), "stage": "Prod" });
    aws.rest("apigateway", "POST", "/domainnames/api.example.com/basepathmappings", &mapping);
}

fn api_id(aws: &Lookup) -> String {
    let apis = aws.rest("apigateway", "GET", "/restapis", &Value::Null);
    apis["item"][0]["id"].as_str().unwrap().to_owned()
}

fn of_api(aws: &Lookup, method: &str, path: &str, input: &Value) -> Value {
    aws.rest("apigateway", method, &format!("/restapis/{}{path}", api_id(aws)), input)
}

fn protect(aws: &Lookup, on: bool) {
    update_table(aws, "DeletionProtectionEnabled", &json!(on));
}

/// Adds a replica of the table in another region, or takes it away.
fn replicate(aws: &Lookup, action: &str) {
    update_table(aws, "ReplicaUpdates", &json!([{ action: { "RegionName": "eu-west-1" } }]));
}

fn update_table(aws: &Lookup, field: &str, value: &Value) {
    aws.dynamodb("UpdateTable", &json!({ "TableName": "lambda-apigateway", field: value }));
    support::wait_for("the table to settle", Duration::from_secs(10), || {
        let table = aws.dynamodb("DescribeTable", &json!({ "TableName": "lambda-apigateway" }));
        (table["Table"]["TableStatus"] == "ACTIVE").then_some(())
    });
}

#[test]
fn what_others_hold_on_to_stops_down_before_the_first_deletion() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let refused = |named: &[&str]| {
        let before = aws.tags();
        lab.proxy.take_calls();
        let down = lab.deployer(&["down", "--yes", "--delete-data"]).run().exits(1);
        for named in named {
            assert!(down.stderr.contains(named), "{named}: {down}");
        }
        assert!(down.stderr.contains("Nothing was deleted."), "{down}");
        let calls = lab.proxy.take_calls();
        assert!(!calls.is_empty() && mutating(calls).is_empty(), "{down}");
        assert_eq!(aws.tags(), before);
    };
    for (hold, named, let_go) in CASES {
        hold(&aws);
        refused(&[named]);
        let_go(&aws);
    }
    for (hold, ..) in CASES {
        hold(&aws);
    }
    refused(&CASES.map(|(_, named, _)| named));
    assert_eq!(aws.post(&url, r#"{"operation":"ping"}"#).0, 200, "all of it still works");
    for (.., let_go) in CASES {
        let_go(&aws);
    }
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(aws.everything(), BTreeSet::new());
}

/// Lambda delivers logs for a while after a function is gone, and makes the group again for them: bare of tags.
#[test]
fn a_log_group_that_comes_back_late_is_deleted_again() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let late = aws.clone();
    lab.proxy.on_call(At::operation("DeleteLogGroup", 1), Moment::After, move || {
        let group = json!({ "logGroupName": "/aws/lambda/LambdaFunctionOverHttps" });
        late.logs("CreateLogGroup", &group);
    });
    lab.proxy.take_calls();
    let down = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(lab.proxy.heal(), "the group came back: {down}");
    assert_eq!(aws.everything(), BTreeSet::new());
    let calls = mutating(lab.proxy.take_calls());
    let deletions = operations(&calls);
    assert_eq!(deletions.iter().filter(|name| **name == "DeleteLogGroup").count(), 2, "{deletions:?}");
}

/// Somebody maps a domain between the look and the deletion, or nobody may look.
#[test]
fn an_api_that_cannot_be_deleted_keeps_all_that_it_needs() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let before = aws.tags();
    let somebody = aws.clone();
    lab.proxy.on_call(At::operation("DeleteRestApi", 1), Moment::Before, move || map_domain(&somebody));
    let down = lab.deployer(&["down", "--yes"]).run().exits(3);
    assert!(down.stderr.contains("remove all base path mappings"), "{down}");
    assert_eq!(aws.tags(), before);
    assert_eq!(aws.post(&url, r#"{"operation":"ping"}"#).0, 200, "all of it still works");
    aws.rest("apigateway", "DELETE", "/domainnames/api.example.com", &Value::Null);
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(aws.everything(), BTreeSet::new());
}

/// DynamoDB says itself when the next one can be made.
#[test]
fn a_decrease_of_capacity_that_is_one_too_many_today_has_to_wait() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let declare = |read: u8| {
        lab.project
            .declare(&format!("\n[tables.lambda-apigateway]\nbilling = {{ read = {read}, write = 5 }}\n"));
    };
    declare(9);
    let _ = lab.deployer(&["up"]).run().succeeds();
    for read in [8, 7, 6, 5] {
        let throughput = json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": 5 });
        update_table(&aws, "ProvisionedThroughput", &throughput);
    }
    declare(4);
    let up = lab.deployer(&["up", "--yes"]).run().exits(3);
    for said in ["Number of decreases today: 4", "Next decrease can be made at", "only so often a day"] {
        assert!(up.stderr.contains(said), "{said}: {up}");
    }
    declare(9);
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
}

/// AWS refuses some other orders, and makes things again in others.
#[test]
fn things_go_in_awss_order() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.take_calls();
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    let calls = mutating(lab.proxy.take_calls());
    let deletions = operations(&calls);
    let at = |name: &str| {
        let place = deletions.iter().position(|operation| *operation == name);
        place.unwrap_or_else(|| panic!("no {name}: {deletions:?}"))
    };
    let chain = ["DetachRolePolicy", "DeletePolicy", "DeleteRole"];
    assert!(chain.map(at).is_sorted(), "{deletions:?}");
    let function = at("DeleteFunction");
    assert_eq!(at("DeleteRestApi"), 0, "whatever it leads to outlives it: {deletions:?}");
    for last in ["DeleteRole", "DeleteLogGroup"] {
        assert!(at(last) > at("DeletePolicy") && at(last) > function, "{deletions:?}");
    }
    let others = ["DeleteFunction", "DeleteLogGroup", "DeleteRestApi", "DeleteTable"];
    let expected: BTreeSet<&str> = chain.into_iter().chain(others).collect();
    assert_eq!(deletions.iter().copied().collect::<BTreeSet<_>>(), expected);
}
