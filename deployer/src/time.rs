//! The only place that waits. Every wait has a reason that people see, a cadence, and an end.
//!
//! The SDK repeats what did not get through or broke (`aws.rs` sets how). `engine/retry.rs` repeats what AWS refuses, throttling
//! too. Which refusals pass, and what takes its time at AWS, is in the `waits.rs` of each service.

mod stop;

pub(crate) use stop::Stop;

use crate::error::{AwsError, Error, ErrorKind, Result};
use futures_util::future::Either;
use std::pin::pin;
use std::time::Duration;

/// How often to look, and for how long.
#[derive(Debug)]
pub(crate) struct Cadence {
    /// What is being waited for, to follow "waiting for".
    pub(crate) reason: &'static str,
    /// Before the second look. The first is at once.
    pub(crate) first: Duration,
    /// Each pause is twice the one before it, up to this.
    pub(crate) longest: Duration,
    /// After this, the last answer stands.
    pub(crate) within: Duration,
}

/// A refusal of AWS's that passes by itself.
#[derive(Debug)]
pub(crate) struct Passing {
    pub(crate) cadence: Cadence,
    pub(crate) applies: fn(&AwsError) -> bool,
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The error of everything that did not start because of Ctrl-C.
pub(crate) fn interrupted() -> Error {
    Error::of(ErrorKind::Partial, "interrupted")
}

/// Pauses. Ends early, and with an error, when Ctrl-C comes.
pub(crate) async fn pause(stop: &Stop, length: Duration) -> Result<()> {
    let woken = pin!(stop.woken());
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the one timer of this program; it bounds a wait, not a call"
    )]
    let slept = tokio::time::timeout(length, woken).await;
    if slept.is_ok() { Err(interrupted()) } else { Ok(()) }
}

/// Runs something that changes nothing until Ctrl-C comes.
///
/// # Errors
/// Ctrl-C.
pub(crate) async fn unless_stopped<T>(stop: &Stop, waits: impl Future<Output = T>) -> Result<T> {
    let (woken, waits) = (pin!(stop.woken()), pin!(waits));
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    match futures_util::future::select(waits, woken).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(interrupted()),
    }
}

/// Bounds a future that changes nothing: a look-up of credentials, a read, a local process.
pub(crate) async fn at_most<T>(length: Duration, read: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    tokio::time::timeout(length, read).await.ok()
}

/// Gives up on an answer, also to a request that may change something. Whoever calls takes that for an unclear answer, and
/// never for a request that was not carried out.
pub(crate) async fn answer_within<T>(length: Duration, request: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "the answer is lost, not the request")]
    tokio::time::timeout(length, request).await.ok()
}

#[cfg(test)]
mod tests;
