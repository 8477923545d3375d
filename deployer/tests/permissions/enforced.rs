//! With the policy everything works; without any part of it something does not, and says what is missing.

use super::user::User;
use serde_json::Value;

const POLICY: &str = include_str!("../../../policies/deployer-policy.json");

/// All that the policy has a statement for.
const DECLARED: &str = r#"
reserved-concurrency = 5

[tables.lambda-apigateway]
billing = { read = 5, write = 5, max = 50 }
ttl = "expires"
point-in-time-recovery = true
"#;

/// What `up` cannot show here: AWS makes the service's own role when a target is registered for the first time, and the
/// alarms of a policy with it; and what only a load or `down` asks for, which go on without.
const UNSEEN: [&str; 4] = ["AutoScalingAlarms", "AutoScalingRole", "AccountLimits", "CustomDomains"];

#[test]
fn the_deploying_policy_suffices() {
    let user = User::with(POLICY);
    for declared in ["", DECLARED, ""] {
        user.project.declare(declared);
        let up = user.run(&["up", "--yes"]).succeeds();
        let plan = user.run(&["plan", "--exit-code"]).succeeds();
        assert_eq!(plan.stdout, "Nothing to change.\n");
        let status = user.run(&["status", "--exit-code"]).succeeds();
        assert_eq!(status.last_line(), up.last_line());
        assert!(user.run(&["logs"]).succeeds().stdout.contains("REPORT RequestId: "));
        for way in ["lambda", "api"] {
            assert_eq!(user.run(&["invoke", "ping", "--via", way]).succeeds().stdout, "\"pong\"");
        }
    }
    let load = ["load", "--mix", "ping=1", "--rate", "5", "--duration", "1s", "--warmup", "0s"];
    let _ = user.run(&load).succeeds();
    user.project.set_version("2");
    let _ = user.run(&["up"]).succeeds();
    let _ = user.run(&["down", "--yes"]).succeeds();
    let gone = user.run(&["down", "--yes"]).succeeds();
    assert!(gone.stderr.contains("Nothing of the stack lambda-apigateway "), "{gone}");
}

#[test]
fn without_a_statement_something_is_refused_and_the_statement_is_named() {
    let whole: Value = serde_json::from_str(POLICY).unwrap();
    let statements = whole["Statement"].as_array().unwrap();
    let user = User::with(POLICY);
    user.project.declare(DECLARED);
    for missing in statements {
        let id = missing["Sid"].as_str().unwrap();
        // Whoever can identify himself may always ask who he is.
        if UNSEEN.contains(&id) || id == "Identify" {
            continue;
        }
        let mut document = whole.clone();
        document["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != id);
        user.may(&document.to_string());
        let up = user.run(&["up", "--yes"]);
        assert!(matches!(up.code, Some(1 | 3)), "without {id}: {up}");
        let hint = up.stderr.lines().find(|line| line.contains("Your own permissions lack this: "));
        let hint = hint.unwrap_or_else(|| panic!("without {id}: {up}"));
        let named = actions(missing).iter().any(|action| hint.contains(&format!(r#""Action":"{action}""#)));
        assert!(named, "without {id}: {hint}");
        assert!(up.took.as_secs() < 60, "what is refused is not waited for, without {id}: {up}");
        user.may(POLICY);
    }
    let _ = user.run(&["up", "--yes"]).succeeds();
    let _ = user.run(&["down", "--yes"]).succeeds();
}

/// The actions of a statement, as a refusal names them.
fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::Array(all) => all.iter().map(|action| action.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}
