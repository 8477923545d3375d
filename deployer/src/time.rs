//! The only place that waits. Every wait has a reason that people see, a cadence, and an end.
//!
//! The SDK retries transport errors and server errors (`aws.rs` sets how). `engine/retry.rs` retries refusals, throttling
//! included. The `waits.rs` of each service lists its transient refusals and its slow operations.

mod stop;

pub(crate) use stop::Stop;

use crate::error::{AwsError, Error, ErrorKind, Result};
use futures_util::future::Either;
use std::pin::pin;
use std::time::Duration;

/// How often to poll, and for how long.
#[derive(Debug)]
pub(crate) struct Cadence {
    /// Completes the sentence "waiting for …".
    pub(crate) reason: &'static str,
    /// The pause before the second attempt. The first attempt is made at once.
    pub(crate) first: Duration,
    /// The longest pause. Each pause is twice the one before it, up to this.
    pub(crate) longest: Duration,
    /// The time after which the last result is final.
    pub(crate) within: Duration,
}

/// A refusal of AWS that goes away by itself, so that retrying helps.
#[derive(Debug)]
pub(crate) struct Passing {
    pub(crate) cadence: Cadence,
    pub(crate) applies: fn(&AwsError) -> bool,
}

/// Returns a duration of milliseconds.
pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Returns a duration of seconds.
pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Returns the error of work that did not start because of Ctrl-C.
pub(crate) fn interrupted() -> Error {
    Error::of(ErrorKind::Partial, "interrupted")
}

/// Waits for a duration.
///
/// # Errors
/// Ctrl-C, which ends the pause early.
pub(crate) async fn pause(stop: &Stop, duration: Duration) -> Result<()> {
    let notified = pin!(stop.notified());
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the one timer of this program; it bounds a wait, not a call"
    )]
    let interruption = tokio::time::timeout(duration, notified).await;
    if interruption.is_ok() { Err(interrupted()) } else { Ok(()) }
}

/// Runs a future until Ctrl-C. The future must not change anything, because it may be dropped.
///
/// # Errors
/// Ctrl-C.
pub(crate) async fn unless_stopped<T>(stop: &Stop, future: impl Future<Output = T>) -> Result<T> {
    let (notified, future) = (pin!(stop.notified()), pin!(future));
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    match futures_util::future::select(future, notified).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(interrupted()),
    }
}

/// Runs a future for at most `limit` and returns `None` after that. The future must not change anything: a look-up of
/// credentials, a read, a local process.
pub(crate) async fn at_most<T>(limit: Duration, read: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    tokio::time::timeout(limit, read).await.ok()
}

/// Waits for a response for at most `limit`. The request may be a write, so callers must treat `None` as an unclear
/// result: the request may have been carried out.
pub(crate) async fn answer_within<T>(limit: Duration, request: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "only the response is dropped; AWS may have the request")]
    tokio::time::timeout(limit, request).await.ok()
}

#[cfg(test)]
mod tests;
