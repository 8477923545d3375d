//! Auto scaling of a table.

use super::row::{Row, Stack, one};
use serde_json::{Value, json};

const THING: &str = "scaling growing";

pub(crate) const FULL: &[Row] = &[
    Row {
        name: "limits of scaling",
        change: |stack| {
            let limits = json!({ "MinCapacity": 1, "MaxCapacity": 9 });
            call(stack, "RegisterScalableTarget", "Write", limits);
            one(THING, &["write-capacity: 1 to 9, at 70 % → 5 to 50, at 70 %"])
        },
        repair: &["RegisterScalableTarget"],
    },
    Row {
        name: "scaling suspended",
        change: |stack| {
            let suspended = json!({ "SuspendedState": { "DynamicScalingOutSuspended": true } });
            call(stack, "RegisterScalableTarget", "Write", suspended);
            one(THING, &["write-capacity: 5 to 50, at 70 %, suspended → 5 to 50, at 70 %"])
        },
        repair: &["RegisterScalableTarget"],
    },
    Row {
        name: "policy of scaling",
        change: |stack| {
            let name = json!({ "PolicyName": "deployer-dynamodb-table-ReadCapacityUnits" });
            call(stack, "DeleteScalingPolicy", "Read", name);
            one(THING, &["read-capacity: 5 to 50, without a policy → 5 to 50, at 70 %"])
        },
        repair: &["PutScalingPolicy"],
    },
    Row {
        name: "somebody else's policy in place of ours",
        change: |stack| {
            let name = json!({ "PolicyName": "deployer-dynamodb-table-WriteCapacityUnits" });
            call(stack, "DeleteScalingPolicy", "Write", name);
            let theirs = json!({
                "PolicyName": "theirs",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 90.0,
                    "PredefinedMetricSpecification": { "PredefinedMetricType": "DynamoDBWriteCapacityUtilization" },
                },
            });
            call(stack, "PutScalingPolicy", "Write", theirs);
            one(THING, &["write-capacity: 5 to 50, at 90 % → 5 to 50, at 70 %"])
        },
        repair: &["PutScalingPolicy"],
    },
    Row {
        name: "scaling of one dimension",
        change: |stack| {
            call(stack, "DeregisterScalableTarget", "Read", json!({}));
            one(THING, &["read-capacity: (none) → 5 to 50, at 70 %"])
        },
        repair: &["RegisterScalableTarget", "PutScalingPolicy"],
    },
];

fn call(stack: &Stack, operation: &str, dimension: &str, mut input: Value) {
    input["ServiceNamespace"] = "dynamodb".into();
    input["ResourceId"] = "table/growing".into();
    input["ScalableDimension"] = format!("dynamodb:table:{dimension}CapacityUnits").into();
    stack.aws.json("application-autoscaling", &format!("AnyScaleFrontendService.{operation}"), &input);
}
