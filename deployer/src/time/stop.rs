//! Ctrl-C and other signals that ask the process to end.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A flag that Ctrl-C sets. Calls in flight then finish, and nothing new starts.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    set: AtomicBool,
    changed: Notify,
    exit_message: Mutex<Option<String>>,
}

impl Stop {
    /// Sets the flag and ends all waits.
    pub(crate) fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Sets the message to print when a second Ctrl-C ends the process and leaves temporary changes behind.
    pub(crate) fn set_exit_message(&self, message: Option<String>) {
        *self.exit_message.lock().unwrap_or_else(PoisonError::into_inner) = message;
    }

    /// Runs `work` to its end. The first stop signal sets the flag. The second one ends the process with exit code 130,
    /// after `print` has printed the exit message.
    pub(crate) async fn on_interrupt<T>(&self, work: impl Future<Output = T>, print: fn(&str)) -> T {
        let mut work = pin!(work);
        let mut signals = pin!(async {
            loop {
                stop_signal().await;
                if self.is_set() {
                    return;
                }
                self.set();
            }
        });
        let result = futures_util::future::poll_fn(|context| {
            if let Poll::Ready(result) = work.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
            signals.as_mut().poll(context).map(|()| None)
        });
        if let Some(result) = result.await {
            return result;
        }
        if let Some(message) = &*self.exit_message.lock().unwrap_or_else(PoisonError::into_inner) {
            print(message);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the second Ctrl-C ends the process at once, whatever is in flight"
        )]
        std::process::exit(130)
    }

    /// Waits until the flag is set.
    pub(crate) async fn until_set(&self) {
        let notified = pin!(self.notified());
        if !self.is_set() {
            notified.await;
        }
    }

    /// Returns a future that completes when the flag is set from now on. Callers must check [`Stop::is_set`] after this
    /// call, not before.
    pub(super) fn notified(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Returns whether the flag is set.
    #[must_use]
    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }
}

/// Waits for SIGINT (Ctrl-C), SIGTERM or SIGHUP (the terminal closed).
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !ignores_hangup() {
        kinds.push(SignalKind::hangup());
    }
    let signals = kinds.into_iter().filter_map(|kind| signal(kind).ok());
    let signals = signals.map(|mut signal| Box::pin(async move { signal.recv().await }));
    futures_util::future::select_all(signals).await;
}

/// Returns whether SIGHUP is ignored, because the process was started by nohup or similar. Works only on Linux.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
