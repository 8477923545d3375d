//! The fewest dependent calls that do the work, sent as plain requests: no client is faster than none.
//!
//! A call waits for another only where AWS needs the other's result or refuses without it. What a look costs is counted
//! where a tool without a state file must look: for what is there, and whose it is.

use crate::stack::{API, FUNCTION, PATH, POLICY, RETENTION_DAYS, ROLE, STAGE, TABLE, log_group};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::sync::mpsc;
use std::thread::scope;
use std::time::Duration;
use support::access::Access;
use support::aws::{ACCOUNT, Lookup, REGION, elements, items};
use support::pause;
use support::project::Project;

/// Between two looks at something that is not ready; each look takes its time as well.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const FUNCTIONS: &str = "/2015-03-31/functions";

const PING: &str = r#"{"operation":"ping"}"#;

/// A way to do it, with connections of its own.
pub(crate) struct Floor {
    aws: Lookup,
    url: String,
    /// The function's code, in base64.
    zip: String,
}

impl Floor {
    pub(crate) fn new(url: &str, access: Access, project: &Project) -> Self {
        let zip = std::fs::read(project.folder().join("handler.zip")).unwrap();
        Self { aws: Lookup::at(url, access), url: url.to_owned(), zip: BASE64_STANDARD.encode(zip) }
    }

    /// From nothing to an answer.
    pub(crate) fn create(&self) {
        let (say, said) = mpsc::channel();
        let id = scope(|threads| {
            threads.spawn(move || {
                let id = self.create_api();
                say.send(id.clone()).expect("the function's side listens");
                self.define_api(&id);
            });
            threads.spawn(|| self.create_table());
            threads.spawn(|| self.create_log_group());
            let policy = threads.spawn(|| self.create_policy());
            self.create_role();
            threads.spawn(|| {
                policy.join().expect("it said before why not");
                self.attach("AttachRolePolicy");
            });
            self.create_function();
            let id = said.recv().expect("the API's side says it");
            threads.spawn({
                let id = id.clone();
                move || self.permit(&id)
            });
            self.until_active();
            id
        });
        self.ping(&id);
    }

    /// Everything that is compared.
    pub(crate) fn read(&self) {
        self.look();
    }

    /// The same, and one answer.
    pub(crate) fn read_and_ping(&self) {
        let id = self.look();
        self.ping(&id);
    }

    /// Only what an upload needs, beside finding the URL.
    pub(crate) fn update_code(&self) {
        let id = scope(|threads| {
            let api = threads.spawn(|| self.find_api());
            self.get_function("");
            let code = json!({ "ZipFile": self.zip });
            self.aws.rest("lambda", "PUT", &format!("{FUNCTIONS}/{FUNCTION}/code"), &code);
            self.until_active();
            api.join().expect("it said before why not")
        });
        self.ping(&id);
    }

    /// Whose it is has to be known first. Then the role waits for its policy, and the logs for who writes them.
    pub(crate) fn delete(&self) {
        let id = self.look();
        scope(|threads| {
            threads.spawn(|| self.aws.rest("apigateway", "DELETE", &format!("/restapis/{id}"), &Value::Null));
            threads.spawn(|| self.aws.dynamodb("DeleteTable", &json!({ "TableName": TABLE })));
            threads.spawn(|| {
                self.aws.rest("lambda", "DELETE", &format!("{FUNCTIONS}/{FUNCTION}"), &Value::Null);
                self.aws.logs("DeleteLogGroup", &json!({ "logGroupName": log_group() }));
            });
            self.attach("DetachRolePolicy");
            threads.spawn(|| self.aws.iam("DeletePolicy", &[("PolicyArn", &policy_arn())]));
            self.aws.iam("DeleteRole", &[("RoleName", ROLE)]);
        });
    }

    /// The account names the ARNs, then everything at once, then what only ids found lead to.
    fn look(&self) -> String {
        self.aws.identity();
        scope(|threads| {
            threads.spawn(|| self.aws.iam("GetRole", &[("RoleName", ROLE)]));
            threads.spawn(|| self.aws.iam("ListEntitiesForPolicy", &[("PolicyArn", &policy_arn())]));
            threads.spawn(|| {
                let policy = self.aws.iam("GetPolicy", &[("PolicyArn", &policy_arn())]);
                let version = elements(&policy, "DefaultVersionId").remove(0);
                let version = [("PolicyArn", policy_arn()), ("VersionId", version)];
                self.aws.iam(
                    "GetPolicyVersion",
                    &version.each_ref().map(|(name, value)| (*name, value.as_str())),
                );
            });
            threads.spawn(|| self.get_function(""));
            threads.spawn(|| self.get_function("/policy"));
            threads.spawn(|| self.aws.dynamodb("DescribeTable", &json!({ "TableName": TABLE })));
            threads.spawn(|| self.aws.dynamodb("ListTagsOfResource", &json!({ "ResourceArn": table_arn() })));
            threads
                .spawn(|| self.aws.logs("DescribeLogGroups", &json!({ "logGroupNamePrefix": log_group() })));
            threads
                .spawn(|| self.aws.logs("ListTagsForResource", &json!({ "resourceArn": log_group_arn() })));
            let id = self.find_api();
            for part in ["resources?embed=methods&limit=500", "stages", "deployments"] {
                let path = format!("/restapis/{id}/{part}");
                threads.spawn(move || self.aws.rest("apigateway", "GET", &path, &Value::Null));
            }
            id
        })
    }

    fn find_api(&self) -> String {
        let all = self.aws.rest("apigateway", "GET", "/restapis?limit=500", &Value::Null);
        let ours = items(&all["item"]).into_iter().find(|api| api["name"] == API);
        ours.and_then(|api| Some(api["id"].as_str()?.to_owned())).expect("the API exists")
    }

    fn create_role(&self) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "lambda.amazonaws.com" },
                "Action": "sts:AssumeRole",
            }],
        });
        let tags = [("Tags.member.1.Key", "deployer:stack"), ("Tags.member.1.Value", TABLE)];
        let role = [("RoleName", ROLE), ("AssumeRolePolicyDocument", &trust.to_string())];
        self.aws.iam("CreateRole", &[role, tags].concat());
    }

    fn create_policy(&self) {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": table_arn() },
                { "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": format!("{}:*", log_group_arn()) },
            ],
        });
        self.aws.iam("CreatePolicy", &[("PolicyName", POLICY), ("PolicyDocument", &document.to_string())]);
    }

    fn attach(&self, action: &str) {
        self.aws.iam(action, &[("RoleName", ROLE), ("PolicyArn", &policy_arn())]);
    }

    fn create_table(&self) {
        self.aws.dynamodb(
            "CreateTable",
            &json!({
                "TableName": TABLE,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "Tags": [{ "Key": "deployer:stack", "Value": TABLE }],
            }),
        );
        until(|| {
            self.aws.dynamodb("DescribeTable", &json!({ "TableName": TABLE }))["Table"]["TableStatus"]
                == "ACTIVE"
        });
    }

    fn create_log_group(&self) {
        self.aws.logs("CreateLogGroup", &json!({ "logGroupName": log_group() }));
        let retention = json!({ "logGroupName": log_group(), "retentionInDays": RETENTION_DAYS });
        self.aws.logs("PutRetentionPolicy", &retention);
    }

    /// As soon as Lambda may assume the role.
    fn create_function(&self) {
        let function = json!({
            "FunctionName": FUNCTION,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "MemorySize": 128,
            "Timeout": 10,
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"),
            "Code": { "ZipFile": self.zip },
            "Tags": { "deployer:stack": TABLE },
        });
        until(|| match self.aws.try_rest("lambda", "POST", FUNCTIONS, &function) {
            Ok(_) => true,
            Err((_, why)) if why.contains("cannot be assumed") => false,
            Err((status, why)) => panic!("CreateFunction: {status} {why}"),
        });
    }

    fn until_active(&self) {
        until(|| {
            let found = self.get_function("/configuration");
            found["State"] == "Active" && found["LastUpdateStatus"] != "InProgress"
        });
    }

    fn get_function(&self, part: &str) -> Value {
        self.aws.rest("lambda", "GET", &format!("{FUNCTIONS}/{FUNCTION}{part}"), &Value::Null)
    }

    fn permit(&self, id: &str) {
        let statement = json!({
            "StatementId": "floor",
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{id}/*/POST{PATH}"),
        });
        self.aws.rest("lambda", "POST", &format!("{FUNCTIONS}/{FUNCTION}/policy"), &statement);
    }

    fn create_api(&self) -> String {
        let api = json!({
            "name": API,
            "endpointConfiguration": { "types": ["REGIONAL"] },
            "tags": { "deployer:stack": TABLE },
        });
        let made = self.aws.rest("apigateway", "POST", "/restapis", &api);
        made["id"].as_str().expect("an API has an id").to_owned()
    }

    /// The whole definition in one call, and its deployment with the stage in another.
    fn define_api(&self, id: &str) {
        let function = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}");
        let document = json!({
            "openapi": "3.0.1",
            "info": { "title": API, "version": "1" },
            "paths": { PATH: { "post": {
                "responses": { "200": { "description": "OK" } },
                "x-amazon-apigateway-integration": {
                    "type": "aws",
                    "httpMethod": "POST",
                    "uri": format!(
                        "arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
                    ),
                    "responses": { "default": { "statusCode": "200" } },
                },
            } } },
        });
        let put = format!("/restapis/{id}?mode=overwrite&failonwarnings=true");
        self.aws.rest("apigateway", "PUT", &put, &document);
        let deployment = json!({ "stageName": STAGE });
        self.aws.rest("apigateway", "POST", &format!("/restapis/{id}/deployments"), &deployment);
    }

    /// One good answer.
    fn ping(&self, id: &str) {
        let url = format!("{}/restapis/{id}/{STAGE}/_user_request_{PATH}", self.url);
        let (status, body) = self.aws.post(&url, PING);
        assert_eq!((status, body.trim()), (200, r#""pong""#), "what the floor has made does not answer");
    }
}

fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        pause(LOOK_EVERY);
    }
}

fn policy_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{POLICY}")
}

fn table_arn() -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}")
}

fn log_group_arn() -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{}", log_group())
}
