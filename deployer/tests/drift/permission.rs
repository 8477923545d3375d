//! The statements that let the API invoke the function.

use super::row::{Row, Stack, arn, one};
use serde_json::{Value, json};

const THING: &str = "permission LambdaFunctionOverHttps";

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "the only statement removed",
        change: |stack| {
            stack.lambda("DELETE", &format!("/policy/{}", ours(stack)), &Value::Null);
            format!("+ {THING}\nPlan: 1 to create.\n")
        },
        repair: &["AddPermission"],
    },
    Row {
        name: "a statement of ours too many",
        change: |stack| {
            let dead = arn("execute-api", "gone/*/POST/DynamoDBManager");
            allow(stack, "deployer-0123456789abcdef", &dead);
            one(THING, &[&format!("statement: {dead} → (none)")])
        },
        repair: &["RemovePermission"],
    },
    Row {
        name: "a statement of ours for another API",
        change: |stack| {
            let id = ours(stack);
            stack.lambda("DELETE", &format!("/policy/{id}"), &Value::Null);
            let dead = arn("execute-api", "gone/*/POST/DynamoDBManager");
            allow(stack, &id, &dead);
            let wanted = arn("execute-api", &format!("{}/*/POST/DynamoDBManager", stack.api));
            one(THING, &[&format!("statement: (none) → {wanted}"), &format!("statement: {dead} → (none)")])
        },
        // Never is there none.
        repair: &["AddPermission", "RemovePermission"],
    },
];

/// The id of our only statement.
fn ours(stack: &Stack) -> String {
    let policy = stack.lambda("GET", "/policy", &Value::Null);
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    policy["Statement"][0]["Sid"].as_str().unwrap().to_owned()
}

/// Lets API Gateway invoke the function from this source.
pub(crate) fn allow(stack: &Stack, id: &str, source: &str) {
    let statement = json!({
        "StatementId": id,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    });
    stack.lambda("POST", "/policy", &statement);
}
