//! Test support: the real `bootstrap` behind a small runtime API, emulators of DynamoDB, and the corpus.

pub(crate) mod case;
pub(crate) mod emulator;
pub(crate) mod http;
pub(crate) mod lambda;

use std::{thread, time::Duration};

/// Calls `poll` every 100 ms until it returns a value.
///
/// # Panics
///
/// Panics after a minute.
pub(crate) fn wait_for<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(value) = poll() {
            return value;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("{what}: timed out after a minute");
}

/// Blocks the thread. Only tests may do so.
pub(crate) fn sleep(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "tests wait for processes that cannot notify them")]
    thread::sleep(duration);
}
