//! Log groups.

use super::row::{LOG_GROUP, Row, arn, one};
use serde_json::json;

const THING: &str = "log group /aws/lambda/LambdaFunctionOverHttps";

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "no retention",
        change: |stack| {
            stack.aws.logs("DeleteRetentionPolicy", &json!({ "logGroupName": LOG_GROUP }));
            one(THING, &["retention-days: (none) → 14 (logs older than that are deleted)"])
        },
        repair: &["PutRetentionPolicy"],
    },
    Row {
        name: "tags of the log group",
        change: |stack| {
            let resource = arn("logs", &format!("log-group:{LOG_GROUP}"));
            let keys = ["team", "deployer:stack", "deployer:region"];
            stack.aws.logs("UntagResource", &json!({ "resourceArn": resource, "tagKeys": keys }));
            let changes = [
                "tags.deployer:region: (none) → us-east-1",
                "tags.deployer:stack: (none) → lambda-apigateway",
                "tags.team: (none) → shop",
            ];
            one(THING, &changes)
        },
        repair: &["TagResource"],
    },
];

pub(crate) const FULL: &[Row] = &[Row {
    name: "another retention",
    change: |stack| {
        let retention = json!({ "logGroupName": LOG_GROUP, "retentionInDays": 7 });
        stack.aws.logs("PutRetentionPolicy", &retention);
        one(THING, &["retention-days: 7 → 30 (logs older than that are deleted)"])
    },
    repair: &["PutRetentionPolicy"],
}];
