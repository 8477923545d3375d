//! What people read: the help of each verb, and what bad input, bad credentials and a bare machine answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cost;
mod credentials;
mod endpoints;
mod files;
mod help;
mod hostile;
mod load;
mod local_aws;
mod schema;
mod stdout;
mod terminal;
mod tools;
mod usage;
mod verbosity;

use std::path::Path;
use support::deployer::{Deployer, Done};
use support::redact::redact;

/// The binary in an empty folder, on a machine without any AWS configuration.
fn deployer(folder: &Path, args: &[&str]) -> Deployer {
    Deployer::new(folder).args(args)
}

/// All that a run said, and how it ended.
fn shown(done: &Done) -> String {
    let code = done.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    redact(&format!("exit {code}\n--- stdout\n{}--- stderr\n{}", done.stdout, done.stderr))
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("deployer-test-").tempdir().unwrap()
}
