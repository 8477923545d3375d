//! What becomes of data that stdout does not take.

use crate::{deployer, folder};
use std::fs::File;
use std::path::Path;
use support::deployer::Deployer;

const COST: [&str; 7] = ["cost", "--requests", "1M", "--duration-ms", "5", "--region", "us-east-1"];

const NO_SPACE: &str = "error: cannot write to stdout: No space left on device (os error 28)\n";

fn to_a_full_disk(folder: &Path, args: &[&str]) -> Deployer {
    deployer(folder, args).stdout(File::create("/dev/full").unwrap())
}

#[test]
fn a_full_disk_is_a_failure_and_said_once() {
    let folder = folder();
    for args in [&COST[..], &[&COST[..], &["--output", "json"]].concat()] {
        let done = to_a_full_disk(folder.path(), args).run().exits(1);
        assert!(done.stderr.ends_with(NO_SPACE), "{done}");
        assert_eq!(done.stderr.matches("error:").count(), 1, "{done}");
    }
}

#[test]
fn a_command_that_has_failed_already_keeps_its_exit_code() {
    let folder = folder();
    let args = ["invoke", "event.json", "--output", "json"];
    let done = to_a_full_disk(folder.path(), &args).run().exits(2);
    assert!(done.stderr.starts_with("error: cannot read event.json"), "{done}");
    assert!(done.stderr.ends_with(NO_SPACE), "{done}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let folder = folder();
    let done = deployer(folder.path(), &COST).stdout(writer).run().succeeds();
    assert!(!done.stderr.contains("error:"), "{done}");
}
