//! Ctrl-C, and what else asks a process to end.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Set once by Ctrl-C: what is in flight finishes, nothing new starts.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    set: AtomicBool,
    woken: Notify,
    last_words: Mutex<Option<String>>,
}

impl Stop {
    /// Nothing new starts from here on; every wait ends.
    pub(crate) fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        self.woken.notify_waiters();
    }

    /// What is said when the second Ctrl-C leaves something as it should not stay.
    pub(crate) fn last_words(&self, words: Option<String>) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// Runs to the end, and lets the first Ctrl-C (or a polite kill, or the end of the terminal) set this. The second one ends
    /// the process, after `say` has said the last words.
    pub(crate) async fn on_interrupt<T>(&self, work: impl Future<Output = T>, say: fn(&str)) -> T {
        let mut work = pin!(work);
        let mut signals = std::pin::pin!(async {
            loop {
                interrupt().await;
                if self.is_set() {
                    return;
                }
                self.set();
            }
        });
        let first = futures_util::future::poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            signals.as_mut().poll(context).map(|()| None)
        });
        if let Some(done) = first.await {
            return done;
        }
        if let Some(words) = &*self.last_words.lock().unwrap_or_else(PoisonError::into_inner) {
            say(words);
        }
        #[expect(clippy::disallowed_methods, reason = "asked for twice: at once, whatever is in flight")]
        std::process::exit(130)
    }

    /// Completes when this is set, or if it was set already.
    pub(crate) async fn until_set(&self) {
        let woken = pin!(self.woken());
        if !self.is_set() {
            woken.await;
        }
    }

    /// Ends when this is set. Whoever asks whether it is set already should do so after this.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.woken.notified()
    }

    /// Whether it was set.
    #[must_use]
    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }
}

/// Ctrl-C, a polite kill, or the end of the terminal.
async fn interrupt() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !outlives_its_terminal() {
        kinds.push(SignalKind::hangup());
    }
    let asked = kinds.into_iter().filter_map(|kind| signal(kind).ok());
    let any = asked.map(|mut signal| Box::pin(async move { signal.recv().await }));
    futures_util::future::select_all(any).await;
}

/// Whether it was started by nohup or the like, which have the end of the terminal ignored. Told on Linux only.
fn outlives_its_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal 1 is the lowest bit.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
