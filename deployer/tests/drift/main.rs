//! One property at a time is changed by hand: `plan` names it, `up` puts it right, and neither says or does more.
//!
//! A row of a table is one property. All rows of a table share one running stack, because each leaves it as it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod function;
mod hostile;
mod iam;
mod left_alone;
mod log_group;
mod permission;
mod row;
mod scaling;
mod table;

use row::{Stack, check};

/// The lab, where each property has the value that it has when nobody declares it. Only a tag is added, because the
/// tags that say whose a thing is are not to be lost.
const LAB: &str = r#"
[tags]
team = "shop"
"#;

/// Everything that can be declared.
const FULL: &str = r#"
memory = 256
timeout = 20
description = "Items over HTTP"
environment = { LEVEL = "hush-hush", MODE = "top-secret" }
reserved-concurrency = 5
tracing = true
log-retention-days = 30
permissions-boundary = "arn:aws:iam::000000000000:policy/fence"

[tags]
team = "shop"

[tables.lambda-apigateway]
billing = { read = 5, write = 6 }
ttl = "expires"
point-in-time-recovery = true
deletion-protection = true

[tables.growing]
billing = { read = 5, write = 5, max = 50 }

[api]
throttle = { rate = 100.0, burst = 200 }
variables = { level = "debug", mode = "fast" }

[[api.routes]]
method = "POST"
path = "/DynamoDBManager"
function = "LambdaFunctionOverHttps"

[[api.routes]]
method = "GET"
path = "/items/{id}"
function = "LambdaFunctionOverHttps"
integration = "aws-proxy"
auth = "iam"
timeout-ms = 5000

[[api.routes]]
method = "PUT"
path = "/items/{id}"
function = "LambdaFunctionOverHttps"
auth = "api-key"
"#;

#[test]
fn each_property_of_the_lab() {
    let stack = Stack::up(LAB);
    check(&stack, &[iam::LAB, table::LAB, function::LAB, log_group::LAB]);
}

#[test]
fn each_property_of_the_labs_api() {
    let stack = Stack::up(LAB);
    check(&stack, &[api::LAB, permission::LAB]);
}

#[test]
fn each_property_that_is_declared() {
    let stack = Stack::up(FULL);
    check(&stack, &[iam::FULL, table::FULL, scaling::FULL, function::FULL, log_group::FULL, api::FULL]);
}
