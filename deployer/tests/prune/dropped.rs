//! Things that are no longer in the manifest.

use super::{refused_unasked, shrunk};
use serde_json::json;
use std::collections::BTreeSet;
use support::lab::Lab;
use support::proxy::mutating;

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
    let stays = format!(
        "table extra stays: no longer declared, and `deployer up {} --delete-data` deletes it",
        lab.flags()
    );
    assert!(plan.stdout.contains(&stays), "{plan}");
    refused_unasked(&lab, &[GOING.as_slice(), &["route GET /extra"]].concat());

    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url);
    assert!(up.stderr.contains(&stays), "{up}");
    let left: BTreeSet<String> = aws.everything();
    assert!(left.contains("table extra"), "{left:?}");
    for thing in GOING {
        assert!(!left.contains(thing), "{thing}: {left:?}");
    }
    let scan = json!({ "TableName": "extra" });
    assert_eq!(aws.dynamodb("Scan", &scan)["Count"], 1);
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert!(plan.stdout.contains("Nothing to change.") && plan.stdout.contains(&stays), "{plan}");

    let plan = lab.deployer(&["plan", "--delete-data", "--exit-code"]).run().exits(4);
    assert_eq!(plan.stdout, "- table extra (its items are lost)\nPlan: 1 to delete.\n");
    let unasked = lab.deployer(&["up", "--delete-data"]).run().exits(1);
    assert!(unasked.stderr.contains("table extra holds 1 item\n"), "{unasked}");
    assert!(unasked.stderr.contains("This deletes or replaces table extra. Go on?"), "{unasked}");
    let up = lab.deployer(&["up", "--yes", "--delete-data"]).run().succeeds();
    assert!(!aws.everything().contains("table extra"), "{up}");
    assert!(aws.everything().contains("table lambda-apigateway"), "{up}");
}

/// What AWS would refuse half-way, and what would take somebody else's policy off the role.
#[test]
fn what_others_hold_on_to_is_not_pruned_and_stops_up_before_the_first_change() {
    let lab = Lab::new();
    shrunk(&lab);
    let aws = lab.lookup();
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    aws.iam("CreatePolicy", &[("PolicyName", "theirs"), ("PolicyDocument", deny)]);
    let theirs = "arn:aws:iam::000000000000:policy/theirs";
    aws.iam("AttachRolePolicy", &[("RoleName", "extra-role"), ("PolicyArn", theirs)]);
    for command in [["plan", "--exit-code"], ["up", "--yes"]] {
        let refused = lab.deployer(&command).run().exits(1);
        let why = format!("role extra-role: it has the policy {theirs} attached, which is not of this stack");
        assert!(
            refused.stderr.contains(&why) && refused.stderr.contains("Nothing was changed."),
            "{refused}"
        );
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    aws.iam("DetachRolePolicy", &[("RoleName", "extra-role"), ("PolicyArn", theirs)]);
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert!(!aws.everything().contains("role extra-role"));
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
