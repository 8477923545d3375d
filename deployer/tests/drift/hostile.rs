//! What others wrote cannot steer the terminal on which a plan is approved, nor look like a part of the plan.

use super::row::{FUNCTION, Stack};
use serde_json::json;
use support::deployer::Done;

/// Clears the screen and says that there is nothing to do; then C1, bidi, a zero-width character, a line separator.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}[H\nNothing to change.\n\u{9b}2J\u{202e}\u{200b}\u{2028}y";

/// What people see of it.
const SHOWN: &str = "x\\u{1b}[2J\\u{1b}[H\\nNothing to change.\\n\\u{9b}2J\\u{202e}\\u{200b}\\u{2028}y";

fn is_harmless(done: &Done) {
    for text in [&done.stdout, &done.stderr] {
        let hostile = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(hostile, None, "{done}");
        assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{2028}']), "{done}");
    }
    let forged = |line: &str| line.starts_with("Nothing to change.");
    assert!(!done.stdout.lines().chain(done.stderr.lines()).any(forged), "{done}");
}

#[test]
fn text_of_aws_cannot_forge_a_plan() {
    let stack = Stack::up("");
    stack.lambda("PUT", "/configuration", &json!({ "Description": HOSTILE }));
    let plan = stack.lab.deployer(&["plan"]).run().succeeds();
    assert!(plan.stdout.contains(&format!("    description: {SHOWN} → ")), "{plan}");
    is_harmless(&plan);
    let status = stack.lab.deployer(&["status"]).run().succeeds();
    assert!(status.stdout.contains(SHOWN), "{status}");
    is_harmless(&status);
    // A document has the same value, in characters that are harmless, too.
    let document = stack.lab.deployer(&["plan", "--output", "json"]).run().succeeds();
    is_harmless(&document);
    let resources = document.json()["resources"].clone();
    let function = resources.as_array().unwrap().iter().find(|one| one["name"] == FUNCTION).unwrap();
    assert_eq!(function["changes"][0]["from"], HOSTILE);
    is_harmless(&stack.lab.deployer(&["up", "--yes"]).run().succeeds());
}
