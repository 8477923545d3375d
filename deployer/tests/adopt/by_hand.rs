//! The lab as people make it in the console: nothing is tagged, the path is lower-case, the endpoint is the default
//! one, the statement has a random id, and the function is in Python.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::io::Write as _;
use support::aws::{ACCOUNT, Lookup, REGION};
use support::lab::Lab;
use zip::write::SimpleFileOptions;

/// What the console writes.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// What the lab's instructions say.
const POLICY: &str = include_str!("../../../policies/lambda-apigateway-policy-original.json");

/// Answers as the lab's function does.
const HANDLER: &str = r#"
def lambda_handler(event, context):
    return "pong" if event.get("operation") == "ping" else "by hand"
"#;

/// How the role gets its rights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    Managed,
    Inline,
}

/// Makes all of it; the API's id.
pub(crate) fn make(lab: &Lab, rights: Rights) -> String {
    let aws = &lab.lookup();
    role(aws, rights);
    table(aws);
    function(aws);
    let api = api(aws);
    let source = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/POST/dynamodbmanager");
    let statement = json!({
        "StatementId": "0f6c2e5a-6c1d-5b8e-9d53-8a1e6e2f7c11",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    });
    aws.rest("lambda", "POST", "/2015-03-31/functions/LambdaFunctionOverHttps/policy", &statement);
    let made = aws.post(&url(&lab.aws.url(), &api), r#"{"operation":"ping"}"#);
    assert_eq!(made, (200, r#""pong""#.to_owned()), "it works before anybody adopts it");
    api
}

/// Where people call it.
pub(crate) fn url(endpoint: &str, api: &str) -> String {
    format!("{endpoint}/restapis/{api}/Prod/_user_request_/dynamodbmanager")
}

fn role(aws: &Lookup, rights: Rights) {
    let name = ("RoleName", "lambda-apigateway-role");
    let description = "Allows Lambda functions to call AWS services on your behalf.";
    aws.iam("CreateRole", &[name, ("AssumeRolePolicyDocument", TRUST), ("Description", description)]);
    let policy = [("PolicyName", "lambda-apigateway-policy"), ("PolicyDocument", POLICY)];
    match rights {
        Rights::Inline => aws.iam("PutRolePolicy", &[&[name], policy.as_slice()].concat()),
        Rights::Managed => {
            aws.iam("CreatePolicy", &policy);
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/lambda-apigateway-policy");
            aws.iam("AttachRolePolicy", &[name, ("PolicyArn", &arn)])
        }
    };
}

fn table(aws: &Lookup) {
    let table = json!({
        "TableName": "lambda-apigateway",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    aws.dynamodb("CreateTable", &table);
    for id in ["1", "2", "3"] {
        let item = json!({ "TableName": "lambda-apigateway", "Item": { "id": { "S": id } } });
        aws.dynamodb("PutItem", &item);
    }
}

fn function(aws: &Lookup) {
    let function = json!({
        "FunctionName": "LambdaFunctionOverHttps",
        "Runtime": "python3.13",
        "Handler": "lambda_function.lambda_handler",
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/lambda-apigateway-role"),
        "Code": { "ZipFile": BASE64_STANDARD.encode(code()) },
    });
    aws.rest("lambda", "POST", "/2015-03-31/functions", &function);
}

fn code() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("lambda_function.py", SimpleFileOptions::default()).unwrap();
    zip.write_all(HANDLER.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// An API that is as the console leaves it; its id.
pub(crate) fn api(aws: &Lookup) -> String {
    let call = |method: &str, path: &str, input: &Value| aws.rest("apigateway", method, path, input);
    let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
    let api = id(&call("POST", "/restapis", &json!({ "name": "DynamoDBOperations" })));
    let root = id(&call("GET", &format!("/restapis/{api}/resources"), &Value::Null)["item"][0]);
    let place = format!("/restapis/{api}/resources");
    let made = call("POST", &format!("{place}/{root}"), &json!({ "pathPart": "dynamodbmanager" }));
    let method = format!("{place}/{}/methods/POST", id(&made));
    call("PUT", &method, &json!({ "authorizationType": "NONE" }));
    let function = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:LambdaFunctionOverHttps");
    let uri = format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations");
    let integration = json!({ "type": "AWS", "httpMethod": "POST", "uri": uri });
    call("PUT", &format!("{method}/integration"), &integration);
    let model = json!({ "responseModels": { "application/json": "Empty" } });
    call("PUT", &format!("{method}/responses/200"), &model);
    call("PUT", &format!("{method}/integration/responses/200"), &json!({}));
    call("POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": "Prod" }));
    api
}
