//! Functions and routes that do not go together one by one, and limits that leave the proof little room.

use support::lab::Lab;

/// A function that something else invokes.
const UNROUTED: &str = r#"
[functions.Nightly]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
role = "nightly-role"

[[api.routes]]
method = "POST"
path = "/DynamoDBManager"
function = "LambdaFunctionOverHttps"
"#;

#[test]
fn a_stack_with_a_function_that_no_route_calls_can_change_its_api() {
    let lab = Lab::new();
    lab.project.declare(UNROUTED);
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    // One request a second, where the proof sends three.
    for throttle in ["{ rate = 100, burst = 200 }", "{ rate = 1, burst = 1 }", "{ rate = 10, burst = 2 }"] {
        lab.project.declare(&format!("{UNROUTED}\n[api]\nthrottle = {throttle}\n"));
        let up = lab.deployer(&["up"]).run().succeeds();
        assert_eq!(up.last_line(), url, "{throttle}");
    }
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(status.stdout.contains("The URL answers:"), "{status}");
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
}

#[test]
fn a_function_that_may_not_run_is_not_asked() {
    let lab = Lab::new();
    lab.project.declare("reserved-concurrency = 0\n");
    let up = lab.deployer(&["up"]).run().succeeds();
    let said = "The URL was not asked: reserved-concurrency = 0 keeps its function from running.";
    assert!(up.stderr.contains(said), "{up}");
    assert!(up.last_line().ends_with("/DynamoDBManager"), "{up}");
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(status.stdout.contains("reserved-concurrency = 0"), "{status}");
}

#[test]
fn more_routes_than_aws_takes_are_refused_before_anything_is_made() {
    let lab = Lab::new();
    let route = |number: usize| {
        format!(
            "[[api.routes]]\nmethod = \"POST\"\npath = \"/route/{number:0>60}\"\nfunction = \"LambdaFunctionOverHttps\"\n"
        )
    };
    lab.project.declare(&(0..310).map(route).collect::<String>());
    for command in ["plan", "up"] {
        let done = lab.deployer(&[command, "--yes"]).run();
        let refused = if command == "plan" { &done.stdout } else { &done.stderr };
        for said in ["cannot change resources: (none) → 312", "cannot change statements: (none) → "] {
            assert!(refused.contains(said), "{said}: {done}");
        }
    }
    assert_eq!(lab.lookup().list(), [""; 0]);
}
