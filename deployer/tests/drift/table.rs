//! Tables.

use super::row::{Row, Stack, TABLE, arn, one};
use serde_json::{Value, json};
use std::time::Duration;

const THING: &str = "table lambda-apigateway";
const ON_DEMAND: &str = "(takes minutes; the table is used meanwhile)";

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "billing, which was on demand",
        change: |stack| {
            let provisioned = json!({ "ReadCapacityUnits": 3, "WriteCapacityUnits": 4 });
            let billing = json!({ "BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned });
            update(stack, billing);
            one(THING, &[&format!("billing: 3 read, 4 write → on-demand {ON_DEMAND}")])
        },
        repair: &["UpdateTable"],
    },
    Row {
        name: "ttl on",
        change: |stack| {
            let ttl = json!({ "AttributeName": "gone", "Enabled": true });
            stack.dynamodb("UpdateTimeToLive", json!({ "TimeToLiveSpecification": ttl }));
            one(THING, &["ttl: gone → (none)"])
        },
        repair: &["UpdateTimeToLive"],
    },
    Row {
        name: "point-in-time recovery on",
        change: |stack| {
            let recovery = json!({ "PointInTimeRecoveryEnabled": true });
            let recovery = json!({ "PointInTimeRecoverySpecification": recovery });
            stack.dynamodb("UpdateContinuousBackups", recovery);
            one(
                THING,
                &[
                    "point-in-time-recovery: true → false (the table cannot be restored to a moment of the last 35 days any more)",
                ],
            )
        },
        repair: &["UpdateContinuousBackups"],
    },
    Row {
        name: "tag of the table",
        change: |stack| {
            let resource = arn("dynamodb", &format!("table/{TABLE}"));
            stack.aws.dynamodb("UntagResource", &json!({ "ResourceArn": resource, "TagKeys": ["team"] }));
            one(THING, &["tags.team: (none) → shop"])
        },
        repair: &["TagResource"],
    },
];

pub(crate) const FULL: &[Row] = &[
    Row {
        name: "billing, which was provisioned",
        change: |stack| {
            update(stack, json!({ "BillingMode": "PAY_PER_REQUEST" }));
            one(THING, &[&format!("billing: on-demand → 5 read, 6 write {ON_DEMAND}")])
        },
        repair: &["UpdateTable"],
    },
    Row {
        name: "throughput",
        change: |stack| {
            let throughput = json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 9 });
            update(stack, json!({ "ProvisionedThroughput": throughput }));
            one(THING, &[&format!("billing: 5 read, 9 write → 5 read, 6 write {ON_DEMAND}")])
        },
        repair: &["UpdateTable"],
    },
    Row {
        name: "ttl off",
        change: |stack| {
            let ttl = json!({ "AttributeName": "expires", "Enabled": false });
            stack.dynamodb("UpdateTimeToLive", json!({ "TimeToLiveSpecification": ttl }));
            one(THING, &["ttl: (none) → expires (items past their time are deleted)"])
        },
        repair: &["UpdateTimeToLive"],
    },
    Row {
        name: "point-in-time recovery off",
        change: |stack| {
            let recovery = json!({ "PointInTimeRecoveryEnabled": false });
            let recovery = json!({ "PointInTimeRecoverySpecification": recovery });
            stack.dynamodb("UpdateContinuousBackups", recovery);
            one(THING, &["point-in-time-recovery: false → true"])
        },
        repair: &["UpdateContinuousBackups"],
    },
    Row {
        name: "deletion protection off",
        change: |stack| {
            update(stack, json!({ "DeletionProtectionEnabled": false }));
            one(THING, &["deletion-protection: false → true"])
        },
        repair: &["UpdateTable"],
    },
];

/// Until it is done, a plan would also say that the table is changing.
pub(crate) fn update(stack: &Stack, input: Value) {
    stack.dynamodb("UpdateTable", input);
    support::wait_for("the table to settle", Duration::from_secs(10), || {
        (stack.dynamodb("DescribeTable", json!({}))["Table"]["TableStatus"] == "ACTIVE").then_some(())
    });
}
