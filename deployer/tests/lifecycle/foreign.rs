//! What exists already and is not of the stack is refused before anything is changed.

use serde_json::json;
use support::aws::Lookup;
use support::lab::Lab;
use support::proxy::mutating;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// Something that a stack wants to make, and somebody made before.
type Make = fn(&Lookup);

/// Each kind, and how the refusal names it.
const KINDS: [(&str, Make); 5] = [
    ("role lambda-apigateway-role: it carries no ownership tag", role),
    ("policy lambda-apigateway-policy: it carries no ownership tag", policy),
    ("table lambda-apigateway: it carries no ownership tag", table),
    ("function LambdaFunctionOverHttps: it carries no ownership tag", function),
    ("REST API DynamoDBOperations: it ", api),
];

fn role(aws: &Lookup) {
    aws.iam("CreateRole", &[("RoleName", "lambda-apigateway-role"), ("AssumeRolePolicyDocument", TRUST)]);
}

fn policy(aws: &Lookup) {
    aws.iam("CreatePolicy", &[("PolicyName", "lambda-apigateway-policy"), ("PolicyDocument", NOTHING)]);
}

fn table(aws: &Lookup) {
    aws.dynamodb(
        "CreateTable",
        &json!({
            "TableName": "lambda-apigateway",
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
}

fn function(aws: &Lookup) {
    aws.iam("CreateRole", &[("RoleName", "somebody"), ("AssumeRolePolicyDocument", TRUST)]);
    let empty_zip = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";
    aws.rest(
        "lambda",
        "POST",
        "/2015-03-31/functions",
        &json!({
            "FunctionName": "LambdaFunctionOverHttps",
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": "arn:aws:iam::000000000000:role/somebody",
            "Code": { "ZipFile": empty_zip },
        }),
    );
}

fn api(aws: &Lookup) {
    aws.rest("apigateway", "POST", "/restapis", &json!({ "name": "DynamoDBOperations" }));
}

#[test]
fn what_somebody_else_made_is_refused_in_one_message_before_the_first_change() {
    let lab = Lab::new();
    let aws = lab.lookup();
    for (named, make) in KINDS {
        make(&aws);
        let before = aws.tags();
        lab.proxy.take_calls();
        let up = lab.deployer(&["up"]).run().exits(1);
        assert!(up.stderr.contains("these exist already and are not of this stack"), "{up}");
        assert!(up.stderr.contains(named), "{up}");
        assert!(up.stderr.contains("--env NAME"), "{up}");
        let calls = lab.proxy.take_calls();
        assert!(!calls.is_empty() && mutating(calls.clone()).is_empty(), "{calls:?}");
        assert_eq!(aws.tags(), before);

        let down = lab.deployer(&["down", "--yes"]).run().succeeds();
        assert!(down.stderr.contains("stays: not of this stack"), "{down}");
        assert!(mutating(lab.proxy.take_calls()).is_empty(), "{down}");
        assert_eq!(aws.tags(), before);
        lab.aws.reset();
    }

    for (_, make) in KINDS {
        make(&aws);
    }
    let up = lab.deployer(&["up"]).run().exits(1);
    for (named, _) in KINDS {
        assert!(up.stderr.contains(named), "all in one message: {up}");
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}

/// IAM does not find it by our ARN, and takes its name only once.
#[test]
fn a_policy_of_our_name_at_another_path_is_refused_although_adopting() {
    let lab = Lab::new();
    let name = ("PolicyName", "Lambda-APIGateway-Policy");
    lab.lookup().iam("CreatePolicy", &[name, ("Path", "/team/"), ("PolicyDocument", NOTHING)]);
    let up = lab.deployer(&["up", "--adopt"]).run().exits(1);
    let named =
        "policy lambda-apigateway-policy: it stands at the path /team/, and IAM takes a name only once";
    assert!(up.stderr.contains(named), "{up}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}

/// Lambda makes it unasked when a function of that name writes a line, and nobody can tag it then.
#[test]
fn a_log_group_without_an_owner_is_taken_over() {
    let lab = Lab::new();
    let aws = lab.lookup();
    aws.logs("CreateLogGroup", &json!({ "logGroupName": "/aws/lambda/LambdaFunctionOverHttps" }));
    let _ = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(
        aws.tags()["log group /aws/lambda/LambdaFunctionOverHttps"]["deployer:stack"],
        "lambda-apigateway"
    );
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(aws.everything().is_empty());
}

#[test]
fn a_log_group_of_another_stack_is_refused() {
    let lab = Lab::new();
    let tags = json!({ "deployer:stack": "another", "deployer:region": "us-east-1" });
    let group = json!({ "logGroupName": "/aws/lambda/LambdaFunctionOverHttps", "tags": tags });
    lab.lookup().logs("CreateLogGroup", &group);
    let up = lab.deployer(&["up"]).run().exits(1);
    let named = "log group /aws/lambda/LambdaFunctionOverHttps: it belongs to stack another in us-east-1";
    assert!(up.stderr.contains(named), "{up}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}

/// Elsewhere nothing is found, which is not the same as gone: IAM knows where the stack is.
#[test]
fn a_wrong_region_is_not_taken_for_an_absent_stack() {
    let lab = Lab::new();
    let up = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.take_calls();
    let down = lab.deployer(&["down", "--yes", "--region", "eu-west-1"]).run().succeeds();
    for role_or_policy in ["role lambda-apigateway-role", "policy lambda-apigateway-policy"] {
        let stays = format!(
            "{role_or_policy} stays: not of this stack: it belongs to stack lambda-apigateway in us-east-1"
        );
        assert!(down.stderr.contains(&stays), "{down}");
    }
    assert!(down.stderr.contains("Nothing of the stack lambda-apigateway in eu-west-1"), "{down}");
    let refused = lab.deployer(&["up", "--region", "eu-west-1"]).run().exits(1);
    assert!(refused.stderr.contains("it belongs to stack lambda-apigateway in us-east-1"), "{refused}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    assert_eq!(lab.deployer(&["status", "--url"]).run().succeeds().last_line(), up.last_line());
}
