//! The `deployer` binary: parse, run, exit code.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match deployer::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(deployer::show_usage(&error)),
    };
    // One thread: the work is waiting for AWS, and a future that never moves needs no locks.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    ExitCode::from(runtime.block_on(deployer::run(cli)))
}
