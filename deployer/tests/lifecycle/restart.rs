//! The local AWS keeps what it holds.

use std::time::Duration;
use support::emulator::Emulator;
use support::project::Project;
use support::wait_for;

#[test]
fn the_url_answers_after_the_local_aws_was_stopped_and_started() {
    let mut aws = Emulator::start();
    let project = Project::new();
    let url = aws.deployer(&project.manifest(), &["--local", "up"]).run().succeeds().last_line().to_owned();
    let before = aws.lookup().tags();
    aws.stop();
    let down = aws.lookup().try_post(&url, r#"{"operation":"ping"}"#);
    assert!(down.is_err(), "it is stopped: {down:?}");
    aws.start_again();
    assert_eq!(aws.lookup().tags(), before);
    let answer = wait_for("an answer", Duration::from_secs(20), || {
        aws.lookup().try_post(&url, r#"{"operation":"ping"}"#).ok().filter(|(status, _)| *status == 200)
    });
    assert_eq!(answer.1, r#""pong""#);
    let plan = aws.deployer(&project.manifest(), &["--local", "plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
}

#[test]
fn a_command_starts_the_local_aws_when_it_does_not_run() {
    let aws = Emulator::start();
    aws.stop();
    let status =
        aws.deployer(&support::repository().join("stack.toml"), &["--local", "status"]).run().succeeds();
    assert!(status.stderr.contains("local AWS started at"), "{status}");
    assert!(status.stdout.contains("does not exist"), "{status}");
}
