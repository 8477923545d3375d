//! Things that have another name now.

use super::refused_unasked;
use std::collections::BTreeSet;
use support::lab::Lab;
use support::proxy::{mutating, operations};

/// The lab, under other names. The table keeps its name, because nobody moves items.
const RENAMED: &str = r#"
[functions.Renamed]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
lab = true
role = "renamed-role"

[api]
name = "Renamed"
"#;

#[test]
fn what_is_renamed_is_made_anew_and_then_the_old_one_goes() {
    let lab = Lab::new();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    lab.project.write("stack.toml", RENAMED);
    let going = [
        "function LambdaFunctionOverHttps",
        "log group /aws/lambda/LambdaFunctionOverHttps",
        "role lambda-apigateway-role",
        "policy lambda-apigateway-policy",
    ];
    let plan = lab.deployer(&["plan"]).run().succeeds();
    for thing in going {
        assert!(plan.stdout.contains(&format!("- {thing}")), "{thing}: {plan}");
    }
    assert!(plan.stdout.contains("name: DynamoDBOperations → Renamed"), "an API keeps its URL: {plan}");
    assert!(plan.stdout.contains("Plan: 5 to create, 1 to change, 4 to delete."), "{plan}");
    refused_unasked(&lab, &going);

    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url);
    let expected = [
        "REST API Renamed",
        "function Renamed",
        "log group /aws/lambda/Renamed",
        "policy renamed-policy",
        "role renamed-role",
        "table lambda-apigateway",
    ];
    assert_eq!(lab.lookup().everything(), expected.map(str::to_owned).into());
    lab.proxy.take_calls();
    let _ = lab.deployer(&["up"]).run().succeeds();
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}

/// A stage is part of the URL, so people have to move from one to the other.
#[test]
fn a_renamed_stage_gets_a_new_url_and_the_old_one_is_asked_about_and_goes() {
    let lab = Lab::new();
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    lab.project.declare("[api]\nstage = \"Live\"");
    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    let changes = "    stage: (none) → Live (the URL answers from then on)\n    \
                   old-stage: Prod → (none) (not declared any more: its URL stops answering)\n\
                   Plan: 1 to change.";
    assert!(plan.stdout.contains(changes), "{plan}");
    refused_unasked(&lab, &["stage Prod"]);

    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert_eq!(up.last_line(), url.replace("/Prod/", "/Live/"));
    let calls = mutating(lab.proxy.take_calls());
    assert_eq!(operations(&calls), ["CreateDeployment", "DeleteStage", "DeleteDeployment"]);
    let ping = r#"{"operation":"ping"}"#;
    assert_eq!(lab.lookup().post(up.last_line(), ping), (200, r#""pong""#.to_owned()));
    assert_ne!(lab.lookup().post(&url, ping).0, 200);
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");

    lab.project.declare("");
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new(), "both stages were ours");
}

/// Somebody else's thing, whatever it is called, is not the stack's to prune.
#[test]
fn what_carries_another_stacks_tags_stays() {
    let lab = Lab::new();
    let _ = lab.deployer(&["--env", "other", "up"]).run().succeeds();
    let other = lab.lookup().tags();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.project.write("stack.toml", RENAMED);
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(lab.lookup().tags(), other);
}
