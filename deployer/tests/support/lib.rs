//! What the end-to-end tests stand on: the real binary, a local AWS for each test, and a proxy between the two that
//! sees every call and can spoil any.
//!
//! A test that cannot go on panics, and so does everything here.

pub mod access;
pub mod aws;
pub mod cargo_project;
pub mod deployer;
pub mod emulator;
pub mod lab;
pub mod plain;
pub mod project;
pub mod proxy;
pub mod redact;
pub mod requests;
pub mod terminal;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The project's own folder, above that of the package whose tests Cargo runs.
pub fn repository() -> PathBuf {
    let package =
        PathBuf::from(variable("CARGO_MANIFEST_DIR").expect("Cargo sets it: run this by cargo test"));
    package.parent().unwrap().to_owned()
}

/// The binary under test, as Cargo tells every integration test.
pub fn binary() -> PathBuf {
    variable("CARGO_BIN_EXE_deployer")
        .expect("Cargo sets CARGO_BIN_EXE_deployer: run this by cargo test")
        .into()
}

/// Where Cargo has put what it built, tests and benchmarks among it.
pub fn target_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("this process has an executable");
    executable.ancestors().nth(3).expect("it is in target/PROFILE/deps").to_owned()
}

/// Asks again until there is an answer.
pub fn wait_for<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < within, "{what}: nothing within {within:?}");
        pause(Duration::from_millis(5));
    }
}

/// Stands still.
pub fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "tests wait for other processes, which give no sign")]
    std::thread::sleep(duration);
}

/// A variable of the environment that the tests run in.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    #[expect(clippy::disallowed_methods, reason = "tests hand on what the binary's own environment needs")]
    std::env::var_os(name)
}
