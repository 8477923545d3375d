//! A part of the matrix: each fault at the calls where it hurts most.

use crate::cell::{Cell, FAULTS, Verb};
use std::time::Duration;
use support::lab::Lab;
use support::proxy::{Fault, Moment};

/// Takes one AWS through several cells.
fn survives(fault: Fault, calls: &[(Verb, &str)]) {
    assert!(FAULTS.contains(&fault), "the full matrix knows this one too");
    let lab = Lab::new();
    for (verb, operation) in calls {
        let cell = Cell::new(*verb, operation, fault);
        if let Err(wrong) = cell.run(&lab) {
            panic!("{cell}: {wrong}");
        }
    }
}

#[test]
fn a_call_that_never_arrived() {
    survives(Fault::Dropped(Moment::Before), &[(Verb::Up, "CreateRestApi"), (Verb::Down, "DeleteTable")]);
}

/// The one that leaves orphans behind elsewhere: AWS has made it, and nobody knows.
#[test]
fn an_answer_that_was_lost() {
    let calls = [
        (Verb::Up, "CreateRestApi"),
        (Verb::Change, "CreateDeployment"),
        (Verb::Change, "CreatePolicyVersion"),
        (Verb::Down, "DeleteFunction"),
    ];
    survives(Fault::Dropped(Moment::After), &calls);
}

#[test]
fn a_broken_service() {
    survives(Fault::Broken(Moment::Before), &[(Verb::Up, "CreateRestApi"), (Verb::Down, "DeleteRestApi")]);
}

#[test]
fn a_broken_service_that_did_it_all_the_same() {
    survives(Fault::Broken(Moment::After), &[(Verb::Up, "CreateRestApi"), (Verb::Up, "CreateFunction")]);
}

#[test]
fn a_throttled_call() {
    survives(Fault::Throttled(2), &[(Verb::Up, "PutRestApi"), (Verb::Down, "DeleteRestApi")]);
}

#[test]
fn a_hanging_call() {
    survives(Fault::Hung(Duration::from_secs(1)), &[(Verb::Up, "CreateDeployment")]);
}

#[test]
fn credentials_that_expire_midway() {
    survives(Fault::Expired, &[(Verb::Up, "CreateFunction"), (Verb::Down, "DeleteRole")]);
}

#[test]
fn a_kill_before_the_call() {
    survives(Fault::Killed(Moment::Before), &[(Verb::Up, "PutRestApi"), (Verb::Down, "DeleteRole")]);
}

#[test]
fn a_kill_after_the_call() {
    let calls = [
        (Verb::Up, "CreateRestApi"),
        (Verb::Up, "CreateFunction"),
        (Verb::Change, "PutRestApi"),
        (Verb::Down, "DeleteFunction"),
    ];
    survives(Fault::Killed(Moment::After), &calls);
}

#[test]
fn ctrl_c_before_the_call() {
    survives(Fault::Interrupted(Moment::Before), &[(Verb::Up, "CreateRole"), (Verb::Down, "DeleteFunction")]);
}

#[test]
fn ctrl_c_after_the_call() {
    survives(
        Fault::Interrupted(Moment::After),
        &[(Verb::Up, "CreateFunction"), (Verb::Down, "DeleteRestApi")],
    );
}
