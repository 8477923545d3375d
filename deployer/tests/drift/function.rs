//! Functions.

use super::row::{EVERYTHING, FUNCTION, ROLE, Row, Stack, arn, one};
use serde_json::{Value, json};

const THING: &str = "function LambdaFunctionOverHttps";
const MEANWHILE: &str = "(requests go on meanwhile)";
const SET: &[&str] = &["UpdateFunctionConfiguration"];

/// What else a role that functions take may be.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A zip with an empty file `other`.
const OTHER_CODE: &str = "UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAFAAAAb3RoZXJQSwECFAMUAAAAAAAAACEAAAAAAAAAAAAAAAAABQAAAAAAAAAAAAAAgAEAAAAAb3RoZXJQSwUGAAAAAAEAAQAzAAAAIwAAAAAA";

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "runtime",
        change: |stack| {
            set(stack, &json!({ "Runtime": "python3.13" }));
            one(THING, &["runtime: python3.13 → provided.al2023"])
        },
        repair: SET,
    },
    Row {
        name: "handler",
        change: |stack| {
            set(stack, &json!({ "Handler": "other" }));
            one(THING, &["handler: other → bootstrap"])
        },
        repair: SET,
    },
    Row {
        name: "memory",
        change: |stack| {
            set(stack, &json!({ "MemorySize": 512 }));
            one(THING, &[&format!("memory: 512 → 128 {MEANWHILE}")])
        },
        repair: SET,
    },
    Row {
        name: "timeout",
        change: |stack| {
            set(stack, &json!({ "Timeout": 25 }));
            one(THING, &[&format!("timeout: 25 → 10 {MEANWHILE}")])
        },
        repair: SET,
    },
    Row {
        name: "description",
        change: |stack| {
            set(stack, &json!({ "Description": "mine" }));
            one(THING, &["description: mine → "])
        },
        repair: SET,
    },
    Row {
        name: "a variable added",
        change: |stack| {
            set(stack, &json!({ "Environment": { "Variables": { "EXTRA": "by-hand-secret" } } }));
            one(THING, &[&format!("environment.EXTRA: (secret) → (none) {MEANWHILE}")])
        },
        repair: SET,
    },
    Row {
        name: "tracing on",
        change: |stack| {
            // Lambda traces only for a role that may.
            let policy = ("PolicyDocument", EVERYTHING);
            stack.aws.iam("PutRolePolicy", &[("RoleName", ROLE), ("PolicyName", "trace"), policy]);
            set(stack, &json!({ "TracingConfig": { "Mode": "Active" } }));
            one(THING, &["tracing: true → false"])
        },
        repair: SET,
    },
    Row {
        name: "another log group",
        change: |stack| {
            set(stack, &json!({ "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/shared" } }));
            let meaning = "logs go there from then on; what the other group holds stays";
            one(THING, &[&format!("log-group: /shared → /aws/lambda/{FUNCTION} ({meaning})")])
        },
        repair: SET,
    },
    Row {
        name: "role",
        change: |stack| {
            let role = [("RoleName", "somebody"), ("AssumeRolePolicyDocument", TRUST)];
            stack.aws.iam("CreateRole", &role);
            stack.aws.iam(
                "PutRolePolicy",
                &[("RoleName", "somebody"), ("PolicyName", "all"), ("PolicyDocument", EVERYTHING)],
            );
            set(stack, &json!({ "Role": "arn:aws:iam::000000000000:role/somebody" }));
            let ours = "arn:aws:iam::000000000000:role/lambda-apigateway-role";
            one(THING, &[&format!("role: arn:aws:iam::000000000000:role/somebody → {ours}")])
        },
        repair: SET,
    },
    Row {
        name: "reserved concurrency, of which there was none",
        change: |stack| {
            reserve(stack, 7);
            one(THING, &["reserved-concurrency: 7 → (none)"])
        },
        repair: &["DeleteFunctionConcurrency"],
    },
    Row {
        name: "code",
        change: |stack| {
            let before = code(stack);
            stack.lambda("PUT", "/code", &json!({ "ZipFile": OTHER_CODE }));
            settle(stack);
            one(THING, &[&format!("code: {} → {before} {MEANWHILE}", code(stack))])
        },
        repair: &["UpdateFunctionCode"],
    },
    Row {
        name: "architecture, which goes with the code",
        change: |stack| {
            let before = code(stack);
            stack.lambda("PUT", "/code", &json!({ "ZipFile": OTHER_CODE, "Architectures": ["arm64"] }));
            settle(stack);
            let code = format!("code: {} → {before} {MEANWHILE}", code(stack));
            let meaning = "(requests go on meanwhile; every instance starts anew)";
            one(THING, &[&code, &format!("architecture: arm64 → x86_64 {meaning}")])
        },
        repair: &["UpdateFunctionCode"],
    },
    Row {
        name: "tag of the function",
        change: |stack| {
            let function = arn("lambda", &format!("function:{FUNCTION}"));
            let path = format!("/2017-03-31/tags/{function}?tagKeys=team");
            stack.aws.rest("lambda", "DELETE", &path, &Value::Null);
            one(THING, &["tags.team: (none) → shop"])
        },
        repair: &["TagResource"],
    },
];

pub(crate) const FULL: &[Row] = &[
    Row {
        name: "a variable changed",
        change: |stack| {
            let variables = json!({ "LEVEL": "by-hand-secret", "MODE": "top-secret" });
            set(stack, &json!({ "Environment": { "Variables": variables } }));
            one(THING, &[&format!("environment.LEVEL: (secret) → (secret) {MEANWHILE}")])
        },
        repair: SET,
    },
    Row {
        name: "a variable removed",
        change: |stack| {
            set(stack, &json!({ "Environment": { "Variables": { "LEVEL": "hush-hush" } } }));
            one(THING, &[&format!("environment.MODE: (none) → (secret) {MEANWHILE}")])
        },
        repair: SET,
    },
    Row {
        name: "several things of one call",
        change: |stack| {
            set(stack, &json!({ "MemorySize": 128, "Timeout": 3, "Description": "" }));
            one(
                THING,
                &[
                    "description:  → Items over HTTP",
                    &format!("memory: 128 → 256 {MEANWHILE}"),
                    &format!("timeout: 3 → 20 {MEANWHILE}"),
                ],
            )
        },
        repair: SET,
    },
    Row {
        name: "tracing off",
        change: |stack| {
            set(stack, &json!({ "TracingConfig": { "Mode": "PassThrough" } }));
            one(THING, &["tracing: false → true"])
        },
        repair: SET,
    },
    Row {
        name: "another reserved concurrency",
        change: |stack| {
            reserve(stack, 7);
            one(THING, &["reserved-concurrency: 7 → 5"])
        },
        repair: &["PutFunctionConcurrency"],
    },
    Row {
        name: "no reserved concurrency",
        change: |stack| {
            let path = format!("/2017-10-31/functions/{FUNCTION}/concurrency");
            stack.aws.rest("lambda", "DELETE", &path, &Value::Null);
            one(THING, &["reserved-concurrency: (none) → 5"])
        },
        repair: &["PutFunctionConcurrency"],
    },
];

pub(crate) fn set(stack: &Stack, configuration: &Value) {
    stack.lambda("PUT", "/configuration", configuration);
    settle(stack);
}

/// Until then, a plan would also say that the function is changing.
fn settle(stack: &Stack) {
    support::wait_for("the function to settle", std::time::Duration::from_secs(10), || {
        let function = &stack.aws.function(FUNCTION)["Configuration"];
        (function["LastUpdateStatus"] == "Successful").then_some(())
    });
}

fn reserve(stack: &Stack, executions: u32) {
    let path = format!("/2017-10-31/functions/{FUNCTION}/concurrency");
    stack.aws.rest("lambda", "PUT", &path, &json!({ "ReservedConcurrentExecutions": executions }));
}

fn code(stack: &Stack) -> String {
    stack.aws.function(FUNCTION)["Configuration"]["CodeSha256"].as_str().unwrap().to_owned()
}
