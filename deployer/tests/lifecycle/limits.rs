//! A machine that gives little, and files that give nothing.

use std::process::Command;
use std::time::Duration;
use support::lab::Lab;

#[test]
fn every_command_runs_with_little_stack() {
    let lab = Lab::new();
    let run = |args: &[&str]| lab.deployer(args).limited("ulimit -s 256").run().succeeds();
    assert!(run(&["plan"]).stdout.contains("to create."));
    let url = run(&["up"]).last_line().to_owned();
    assert_eq!(run(&["status", "--url"]).last_line(), url);
    let _ = run(&["invoke", "ping"]);
    let _ = run(&["logs"]);
    let _ = run(&["load", "--duration", "1s", "--warmup", "0", "--mix", "ping=1"]);
    let _ = run(&["down", "--yes", "--delete-data"]);
}

/// It would be read while a signal waits for the step to end.
#[test]
fn a_policy_that_is_a_named_pipe_is_refused_at_once() {
    let lab = Lab::new();
    let pipe = lab.project.folder().join("policy.json");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    lab.project.declare("policy = \"policy.json\"\n");
    let done = lab.deployer(&["plan"]).run().exits(2);
    assert!(
        done.stderr.contains("policy.json: it is a named pipe, and only regular files are read"),
        "{done}"
    );
    assert!(done.took < Duration::from_secs(10), "{done}");
}
