//! Things that are no longer in the manifest.

use super::{refused_unasked, shrunk};
use serde_json::json;
use std::collections::BTreeSet;
use support::lab::Lab;

/// What goes without another word than yes.
const GOING: [&str; 4] =
    ["function Extra", "log group /aws/lambda/Extra", "role extra-role", "policy extra-policy"];

#[test]
fn what_is_dropped_is_shown_asked_about_and_gone_but_for_the_table() {
    let lab = Lab::new();
    let url = shrunk(&lab);
    let aws = lab.lookup();
    let item = json!({ "TableName": "extra", "Item": { "id": { "S": "1" } } });
    aws.dynamodb("PutItem", &item);

    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    for thing in GOING {
        assert!(plan.stdout.contains(&format!("- {thing}")), "{thing}: {plan}");
    }
    assert!(plan.stdout.contains("GET /extra: present → (none) (its requests fail from then on)"), "{plan}");
    assert!(plan.stdout.contains("4 to delete"), "{plan}");
    let stays = "table extra stays: no longer declared, and up --delete-data deletes it";
    assert!(plan.stdout.contains(stays), "{plan}");
    refused_unasked(&lab, &[GOING.as_slice(), &["route GET /extra"]].concat());

    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url);
    assert!(up.stderr.contains(stays), "{up}");
    let left: BTreeSet<String> = aws.everything();
    assert!(left.contains("table extra"), "{left:?}");
    for thing in GOING {
        assert!(!left.contains(thing), "{thing}: {left:?}");
    }
    let scan = json!({ "TableName": "extra" });
    assert_eq!(aws.dynamodb("Scan", &scan)["Count"], 1);
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert!(plan.stdout.contains("Nothing to change.") && plan.stdout.contains(stays), "{plan}");

    let up = lab.deployer(&["up", "--yes", "--delete-data"]).run().succeeds();
    assert!(!aws.everything().contains("table extra"), "{up}");
    assert!(aws.everything().contains("table lambda-apigateway"), "{up}");
}

#[test]
fn status_tells_what_is_no_longer_declared() {
    let lab = Lab::new();
    let url = shrunk(&lab);
    let status = lab.deployer(&["status", "--exit-code"]).run().exits(4);
    assert_eq!(status.last_line(), url);
    let line = |thing: &str| {
        let mut lines = status.stdout.lines();
        let found =
            lines.find(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(thing));
        found.unwrap_or_else(|| panic!("{thing} is missing: {status}")).to_owned()
    };
    assert!(!line("function Extra").contains("absent"), "{status}");
    assert!(!line("table extra").contains("absent"), "it stands, with its items: {status}");
}

#[test]
fn down_takes_what_is_no_longer_declared_too() {
    let lab = Lab::new();
    shrunk(&lab);
    let item = json!({ "TableName": "extra", "Item": { "id": { "S": "1" } } });
    lab.lookup().dynamodb("PutItem", &item);
    let refused = lab.deployer(&["down", "--yes"]).run().exits(1);
    assert!(refused.stderr.contains("table extra holds 1 item"), "{refused}");
    let down = lab.deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
    assert!(down.stderr.contains("- function Extra"), "{down}");
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}
