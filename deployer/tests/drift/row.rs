//! A row: what is changed by hand, what `plan` says about it, and what `up` calls to put it right.

use serde_json::{Value, json};
use support::aws::{ACCOUNT, Lookup, REGION, items};
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::{mutating, operations};

/// The lab's names.
pub(crate) const ROLE: &str = "lambda-apigateway-role";
pub(crate) const TABLE: &str = "lambda-apigateway";
pub(crate) const FUNCTION: &str = "LambdaFunctionOverHttps";
pub(crate) const LOG_GROUP: &str = "/aws/lambda/LambdaFunctionOverHttps";

/// Values of environment variables: declared ones and what hands put there. Nobody may ever see them.
const SECRETS: [&str; 3] = ["hush-hush", "top-secret", "by-hand-secret"];

/// One property.
pub(crate) struct Row {
    /// For people who read a failure.
    pub(crate) name: &'static str,
    /// Changes it, and says all that a plan is to say.
    pub(crate) change: fn(&Stack) -> String,
    /// The calls that put it right, in order.
    pub(crate) repair: &'static [&'static str],
}

/// A stack that is up.
pub(crate) struct Stack {
    pub(crate) lab: Lab,
    pub(crate) aws: Lookup,
    pub(crate) api: String,
}

impl Stack {
    pub(crate) fn up(declared: &str) -> Self {
        let lab = Lab::new();
        let aws = lab.lookup();
        aws.iam("CreatePolicy", &[("PolicyName", "fence"), ("PolicyDocument", EVERYTHING)]);
        lab.project.declare(declared);
        let _ = lab.deployer(&["up"]).run().succeeds();
        let apis = items(&aws.rest("apigateway", "GET", "/restapis", &Value::Null)["item"]);
        let api = apis[0]["id"].as_str().unwrap().to_owned();
        Self { lab, aws, api }
    }

    /// A call that gets something of the API.
    pub(crate) fn of_api(&self, path: &str) -> Value {
        self.gateway("GET", path, &Value::Null)
    }

    /// A call to the API's part at this path.
    pub(crate) fn gateway(&self, method: &str, path: &str, input: &Value) -> Value {
        self.aws.rest("apigateway", method, &format!("/restapis/{}{path}", self.api), input)
    }

    /// Changes one field of the API's part at this path.
    pub(crate) fn patch(&self, path: &str, op: &str, field: &str, value: &str) {
        let change = json!({ "op": op, "path": field, "value": value });
        self.gateway("PATCH", path, &json!({ "patchOperations": [change] }));
    }

    /// The path of a resource, by the path that clients use.
    pub(crate) fn resource(&self, path: &str) -> String {
        let all = items(&self.of_api("/resources")["item"]);
        let found = all.iter().find(|one| one["path"] == path);
        format!("/resources/{}", found.unwrap()["id"].as_str().unwrap())
    }

    /// A call to the function's part at this path.
    pub(crate) fn lambda(&self, method: &str, path: &str, input: &Value) -> Value {
        self.aws.rest("lambda", method, &format!("/2015-03-31/functions/{FUNCTION}{path}"), input)
    }

    /// A call that names the table.
    pub(crate) fn dynamodb(&self, operation: &str, mut input: Value) -> Value {
        input["TableName"] = TABLE.into();
        self.aws.dynamodb(operation, &input)
    }
}

/// A document that grants what nobody means.
pub(crate) const EVERYTHING: &str =
    r#"{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;

/// The ARN of something of one of the services that name region and account.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// What a plan prints when one resource differs.
pub(crate) fn one(resource: &str, changes: &[&str]) -> String {
    let lines: Vec<String> = changes.iter().map(|change| format!("\n    {change}")).collect();
    format!("~ {resource}{}\nPlan: 1 to change.\n", lines.concat())
}

/// Goes through tables of rows.
pub(crate) fn check(stack: &Stack, tables: &[&[Row]]) {
    let rows = tables.iter().flat_map(|rows| rows.iter());
    for row in rows {
        let expected = (row.change)(stack);
        stack.lab.proxy.take_calls();
        let plan = stack.lab.deployer(&["plan", "--exit-code"]).run().exits(4);
        assert_eq!(plan.stdout, expected, "plan after: {}", row.name);
        is_discreet(&plan);
        if expected.contains("(secret)") {
            is_discreet(&stack.lab.deployer(&["plan", "--output", "json"]).run().succeeds());
        }
        let looked = stack.lab.proxy.take_calls();
        assert!(!looked.is_empty() && mutating(looked).is_empty(), "plan only looks: {}", row.name);
        let up = stack.lab.deployer(&["up", "--yes"]).run().succeeds();
        is_discreet(&up);
        let repair = mutating(stack.lab.proxy.take_calls());
        assert_eq!(operations(&repair), row.repair, "up after: {}\n{up}", row.name);
        let again = stack.lab.deployer(&["plan", "--exit-code"]).run().succeeds();
        assert_eq!(again.stdout, "Nothing to change.\n", "{}", row.name);
    }
}

fn is_discreet(done: &Done) {
    for secret in SECRETS {
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{secret} is shown: {done}");
    }
}
