//! Coming down: nothing is left, and nothing is lost unasked.

use std::collections::BTreeSet;
use std::time::Duration;
use support::lab::Lab;
use support::proxy::{Behaviour, mutating};

fn put_item(lab: &Lab) {
    let item = serde_json::json!({ "TableName": "lambda-apigateway", "Item": { "id": { "S": "1" } } });
    lab.lookup().dynamodb("PutItem", &item);
}

#[test]
fn up_and_down_again_and_again_accumulates_nothing() {
    let lab = Lab::new();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
    for _ in 0..3 {
        let _ = lab.deployer(&["up"]).run().succeeds();
        assert_eq!(lab.lookup().everything().len(), 6);
        let down = lab.deployer(&["down", "--yes"]).run().succeeds();
        assert!(down.stderr.contains("Everything of the stack is gone."), "{down}");
        assert_eq!(lab.lookup().everything(), BTreeSet::new());
    }
}

#[test]
fn down_of_nothing_says_so_and_is_fine() {
    let lab = Lab::new();
    let down = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(down.stderr.contains("Nothing of the stack lambda-apigateway "), "{down}");
    let calls = lab.proxy.take_calls();
    assert!(!calls.is_empty() && mutating(calls).is_empty());
}

#[test]
fn nobody_there_to_ask_means_no() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.take_calls();
    let down = lab.deployer(&["down"]).run().exits(1);
    assert!(down.stderr.contains("--yes"), "{down}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}

#[test]
fn items_are_deleted_only_on_an_explicit_word() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    put_item(&lab);
    let before = lab.lookup().everything();
    lab.proxy.take_calls();
    let down = lab.deployer(&["down", "--yes"]).run().exits(1);
    assert!(down.stderr.contains("table lambda-apigateway holds 1 item"), "{down}");
    assert!(down.stderr.contains("--delete-data") && down.stderr.contains("--keep-table"), "{down}");
    let calls = lab.proxy.take_calls();
    assert!(mutating(calls.clone()).is_empty(), "{calls:?}");
    assert_eq!(lab.lookup().everything(), before);

    let _ = lab.deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}

#[test]
fn a_kept_table_keeps_its_items_and_is_taken_back() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    put_item(&lab);
    let down = lab.deployer(&["down", "--yes", "--keep-table"]).run().succeeds();
    assert!(down.stderr.contains("table lambda-apigateway stays"), "{down}");
    assert_eq!(lab.lookup().everything(), BTreeSet::from(["table lambda-apigateway".to_owned()]));
    let scan = serde_json::json!({ "TableName": "lambda-apigateway" });
    assert_eq!(lab.lookup().dynamodb("Scan", &scan)["Count"], 1);

    let _ = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(lab.lookup().dynamodb("Scan", &scan)["Count"], 1);
    let _ = lab.deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}

/// IAM's reads may be some seconds old.
#[test]
fn down_looks_until_aws_shows_that_everything_is_gone() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.behave(Behaviour { deleted_role: Duration::from_secs(6), ..Behaviour::default() });
    let down = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(down.stderr.contains("waiting for AWS to show that everything is gone"), "{down}");
    assert!(down.stderr.contains("Everything of the stack is gone."), "{down}");
    lab.proxy.behave(Behaviour::default());
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}
