//! Support for the tests: the real `bootstrap` behind a small runtime API, and DynamoDB emulators.

pub(crate) mod case;
pub(crate) mod emulator;
pub(crate) mod http;
pub(crate) mod lambda;

use std::{thread, time::Duration};

/// Calls `ask` every 100 ms until it returns something.
///
/// # Panics
///
/// After a minute.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask() {
            return answer;
        }
        pause(Duration::from_millis(100));
    }
    panic!("{what}: nothing after a minute");
}

/// Sleeps.
pub(crate) fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "tests wait for processes that cannot notify them")]
    thread::sleep(duration);
}
