//! AWS as slow and as scarce as it is: what has to be waited for is waited for, said, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;
use support::lab::Lab;
use support::proxy::{Behaviour, Call};

fn first<'a>(calls: &'a [Call], operation: &str) -> &'a Call {
    calls.iter().find(|call| call.operation == operation).unwrap()
}

/// IAM spreads a role late, functions and tables take their time: all that happens side by side.
#[test]
fn waits_overlap_and_are_said() {
    let lab = Lab::new();
    lab.proxy.behave(Behaviour {
        latency: Duration::from_millis(20),
        role: Duration::from_secs(3),
        function: Duration::from_secs(1),
        table: Duration::from_secs(2),
        ..Behaviour::default()
    });
    let up = lab.deployer(&["up"]).run().succeeds();
    for reason in [
        "waiting for IAM to let Lambda assume the role",
        "waiting for Lambda to make the function ready",
        "waiting for the table to become active",
    ] {
        assert!(up.stderr.contains(reason), "{reason}: {up}");
    }
    let calls = lab.proxy.calls();
    let tries: Vec<&Call> = calls.iter().filter(|call| call.operation == "CreateFunction").collect();
    assert!(tries.len() > 1 && tries.last().unwrap().status == Some(201), "{tries:?}");
    let made = tries.last().unwrap().started;
    for operation in ["CreateTable", "CreateLogGroup", "CreateRestApi", "PutRestApi", "CreateDeployment"] {
        assert!(first(&calls, operation).started < made, "{operation} does not wait for the role");
    }
    // Two seconds are the longest pause between two tries.
    let role = first(&calls, "CreateRole").started;
    assert!(made < role + Duration::from_secs(6), "the role was there after 3 s: {tries:?}");
}

/// One REST API is deleted in half a minute, and other figures like it.
#[test]
fn quotas_are_kept_to_and_a_long_wait_is_said() {
    let lab = Lab::new();
    lab.proxy.behave(Behaviour { quotas: true, ..Behaviour::default() });
    let mut said = String::new();
    for verb in ["up", "down", "up", "down"] {
        let done = lab.deployer(&[verb, "--yes"]).run().succeeds();
        said.push_str(&done.stderr);
    }
    assert!(said.contains("REST API DynamoDBOperations: waiting for "), "{said}");
    assert_eq!(lab.lookup().list(), [""; 0]);
}

/// What was made stands, what was waited for is said in AWS's words, and the next run goes on.
#[test]
fn a_timeout_ends_a_wait_with_awss_last_answer() {
    let lab = Lab::new();
    lab.proxy.behave(Behaviour { role: Duration::from_secs(120), ..Behaviour::default() });
    let up = lab.deployer(&["up", "--timeout", "2s"]).run().exits(3);
    for said in [
        "of waiting for IAM to let Lambda assume the role",
        "The role defined for the function cannot be assumed by Lambda.",
        "role lambda-apigateway-role: created",
        &format!("Run `deployer up {}` again", lab.flags()),
    ] {
        assert!(up.stderr.contains(said), "{said}: {up}");
    }
    let unanswered = lab.proxy.take_calls().iter().filter(|call| call.status.is_none()).count();
    assert_eq!(unanswered, 0, "no call was cut short");
    lab.proxy.behave(Behaviour::default());
    let _ = lab.deployer(&["up"]).run().succeeds();
}
