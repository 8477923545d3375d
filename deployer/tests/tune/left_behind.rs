//! What stands after a run that did not get to its end.

use crate::{changes, is_as_declared, memory, tune, up};
use rustix::process::Signal;
use std::time::Duration;
use support::lab::Lab;
use support::proxy::{At, Fault, Moment};

fn wait_for_requests(lab: &Lab) {
    let mut seen = 0;
    support::wait_for("requests", Duration::from_mins(1), || {
        seen += lab.proxy.take_invocations().len();
        (seen > 5).then_some(())
    });
}

#[test]
fn ctrl_c_in_the_middle_brings_back_what_is_declared() {
    let lab = up();
    lab.proxy.take_calls();
    let tuning = tune(&lab, "256,512", &["--duration", "60s"]).spawn();
    lab.proxy.wait_for_call("UpdateFunctionConfiguration");
    tuning.signal(Signal::INT);
    let done = tuning.wait().exits(3);
    assert_eq!(changes(&lab), 2, "to 256 and back: {done}");
    assert!(done.stderr.contains("interrupted"), "{done}");
    assert!(done.stderr.contains("has 128 MB, x86_64 again."), "{done}");
    is_as_declared(&lab);
}

#[test]
fn ctrl_c_under_load_brings_it_back_too() {
    let lab = up();
    lab.proxy.take_calls();
    let tuning = tune(&lab, "256,512", &["--duration", "60s"]).spawn();
    wait_for_requests(&lab);
    tuning.signal(Signal::INT);
    let done = tuning.wait().exits(3);
    assert!(done.stderr.contains("has 128 MB, x86_64 again."), "{done}");
    is_as_declared(&lab);
}

/// Whether what is started from here ignores the end of its terminal, as after nohup.
fn outlives_its_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1
}

#[test]
fn the_end_of_the_terminal_brings_it_back_too() {
    let lab = up();
    let tuning = tune(&lab, "256,512", &["--duration", "60s"]).spawn();
    wait_for_requests(&lab);
    tuning.signal(Signal::HUP);
    if outlives_its_terminal() {
        lab.proxy.take_invocations();
        wait_for_requests(&lab);
        assert_eq!(memory(&lab), 256, "it goes on");
        tuning.signal(Signal::INT);
    }
    let _ = tuning.wait().exits(3);
    is_as_declared(&lab);
}

#[test]
fn an_outage_on_the_way_back_is_waited_out() {
    let lab = up();
    // The third is the first one of the way back, and each is tried three times.
    for nth in 3..=8 {
        lab.proxy.inject(At::operation("UpdateFunctionConfiguration", nth), Fault::Broken(Moment::Before));
    }
    let done = tune(&lab, "256,512", &["--duration", "1s"]).run().succeeds();
    assert!(lab.proxy.heal(), "all of it happened: {done}");
    assert!(done.stderr.contains("has 128 MB, x86_64 again."), "{done}");
    is_as_declared(&lab);
}

#[test]
fn what_cannot_be_brought_back_is_said_and_up_does_it() {
    let lab = up();
    lab.proxy.inject(At::operation("UpdateFunctionConfiguration", 2), Fault::Expired);
    let done = tune(&lab, "256,512", &["--duration", "1s", "--output", "json"]).run();
    lab.proxy.heal();
    assert_ne!(done.code, Some(0), "{done}");
    let document = done.json();
    assert_eq!(document["tune"]["trials"].as_array().unwrap().len(), 1, "what was measured is shown: {done}");
    assert_eq!(document["state"], "different", "{done}");
    // The credentials have expired for good: nobody could bring anything back.
    let hint = format!("`deployer up {}` gives it 128 MB, x86_64 again", lab.flags());
    assert!(memory(&lab) == 256 && done.stderr.contains(&hint), "{done}");
    let _ = lab.deployer(&["up"]).run().succeeds();
    is_as_declared(&lab);
}

#[test]
fn a_kill_leaves_what_plan_shows_and_up_puts_right() {
    let lab = up();
    let tuning = tune(&lab, "256,512", &["--duration", "60s"]).spawn();
    wait_for_requests(&lab);
    tuning.signal(Signal::KILL);
    let done = tuning.wait();
    assert_eq!((done.signal, memory(&lab)), (Some(9), 256));
    let plan = lab.deployer(&["plan", "--exit-code"]).run().exits(4);
    assert!(plan.stdout.contains("memory: 256 → 128"), "{plan}");
    let _ = lab.deployer(&["up"]).run().succeeds();
    is_as_declared(&lab);
}

#[test]
fn a_second_ctrl_c_says_what_may_be_left() {
    let lab = up();
    lab.proxy.take_calls();
    let tuning = tune(&lab, "256,512", &["--duration", "60s"]).spawn();
    wait_for_requests(&lab);
    // The way back takes long enough to be tired of it.
    lab.proxy.inject(At::operation("UpdateFunctionConfiguration", 1), Fault::Hung(Duration::from_secs(20)));
    lab.proxy.take_calls();
    tuning.signal(Signal::INT);
    lab.proxy.wait_for_call("UpdateFunctionConfiguration");
    tuning.signal(Signal::INT);
    let done = tuning.wait().exits(130);
    let words = "may still have a setting of the test: `deployer up";
    let words = format!("{words} {}` gives it 128 MB, x86_64 again.", lab.flags());
    assert!(done.stderr.contains(&words), "{done}");
}
