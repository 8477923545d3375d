//! The `deployer` binary: parse, run, exit code.

use clap::Parser as _;
use std::process::ExitCode;
use std::thread;

/// Whatever the shell grants its programs (`ulimit -s`). Only what is used of it takes memory.
const STACK: usize = 16 * 1024 * 1024;

fn main() -> ExitCode {
    let running = thread::Builder::new().name("deployer".to_owned()).stack_size(STACK).spawn(run);
    match running.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A panic has said so itself.
        Ok(Err(_)) => ExitCode::from(101),
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> ExitCode {
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
