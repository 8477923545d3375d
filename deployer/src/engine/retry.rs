//! Retries calls that AWS refuses for a passing reason, and polls for what takes time.

use super::Step;
use crate::error::{AwsError, Error, Hint, Result};
use crate::time::{Cadence, Passing, ms, pause, secs};
use std::time::Duration;
use tokio::time::Instant;

/// API Gateway's control plane is the slowest: it allows one DeleteRestApi in 30 s.
pub(crate) static THROTTLED: Passing = Passing {
    cadence: Cadence {
        reason: "AWS's call rate limit",
        first: secs(1),
        longest: secs(31),
        within: secs(600),
    },
    applies: AwsError::is_throttle,
};

/// The answer to a call was lost, or contradicts what was observed. AWS shows the true state within seconds.
pub(crate) static ANSWER_UNCLEAR: Cadence = Cadence {
    reason: "AWS to show whether the last call was applied",
    first: ms(250),
    longest: secs(4),
    within: secs(60),
};

/// When `check` of a retry runs first. Each later check waits twice as long. By the first, AWS shows everywhere what was made.
const FIRST_CHECK: Duration = secs(10);

/// The shortest pause before a call is retried: none during the first 5 s, then 1 s, from 15 s on 2 s. A call that sends
/// `bytes` waits longer, so that retries send at most 4 MB a second.
fn least_pause(waited: Duration, bytes: usize) -> Duration {
    const BYTES_A_SECOND: u64 = 4_000_000;
    let by_time = match waited.as_secs() {
        0..5 => 0,
        5..15 => 1,
        _ => 2,
    };
    let by_size = ms(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / BYTES_A_SECOND);
    secs(by_time).max(by_size.min(secs(10)))
}

/// The pauses between the attempts of one wait.
pub(crate) struct Pauses {
    cadence: &'static Cadence,
    started: Instant,
    next: Duration,
}

impl Pauses {
    pub(crate) fn new(cadence: &'static Cadence) -> Self {
        Self { cadence, started: Instant::now(), next: cadence.first }
    }

    /// Waits before the next attempt, at least as long as AWS asked for. Returns false when the time is up.
    ///
    /// # Errors
    /// Fails after Ctrl-C.
    pub(crate) async fn wait(&mut self, step: &Step<'_>, asked: Option<Duration>) -> Result<bool> {
        let waited = self.started.elapsed();
        // Jitter keeps two runs that were refused together from retrying together.
        let jittered = self.next.mul_f64(0.75 + fastrand::f64() / 2.0);
        let length = asked.unwrap_or_default().max(jittered);
        if waited + length > self.cadence.within || step.deadline_passes_within(length) {
            return Ok(false);
        }
        step.waiting_for(self.cadence.reason, waited, length);
        pause(step.stop, length).await?;
        self.next = (self.next * 2).min(self.cadence.longest);
        Ok(true)
    }

    /// Says how long was waited, and for what.
    pub(crate) fn gave_up(&self) -> String {
        format!("gave up after {} s of waiting for {}", self.started.elapsed().as_secs(), self.cadence.reason)
    }
}

impl Step<'_> {
    /// Retries a call while AWS refuses it for one of these reasons, or throttles it.
    ///
    /// # Errors
    /// Fails at once with any other refusal, and with AWS's last answer when the time is up.
    pub(crate) async fn retry<T>(
        &self,
        passing: &[&'static Passing],
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.retry_checking(passing, async || Ok(()), call).await
    }

    /// Retries like [`Step::retry`], and runs `check` now and then. Another run may have deleted what this call waits for, or
    /// put back what it had removed: `check` then fails, or removes it again.
    ///
    /// # Errors
    /// Fails as `retry` does, and with the error of `check`.
    pub(crate) async fn retry_checking<T>(
        &self,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |_| Duration::ZERO, check, call).await
    }

    /// Retries like [`Step::retry_checking`], often at first and less often later, because each attempt sends `bytes` and
    /// counts against the account's quota.
    ///
    /// # Errors
    /// Fails as `retry_checking` does.
    pub(crate) async fn retry_backing_off<T>(
        &self,
        bytes: usize,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |waited| least_pause(waited, bytes), check, call).await
    }

    /// `least` returns the shortest pause, given how long the call has been retried.
    async fn repeat<T>(
        &self,
        passing: &[&'static Passing],
        least: impl Fn(Duration) -> Duration,
        mut check: impl AsyncFnMut() -> Result<()>,
        mut call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let (begun, mut next_check) = (Instant::now(), FIRST_CHECK);
        let mut pauses: Option<Pauses> = None;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(aws) = error.aws() else { return Err(error) };
            let Some(reason) = passing.iter().copied().chain([&THROTTLED]).find(|p| (p.applies)(aws)) else {
                return Err(error);
            };
            let asked = aws.retry_after.unwrap_or_default().max(least(begun.elapsed()));
            if begun.elapsed() >= next_check {
                check().await?;
                next_check *= 2;
            }
            // A new reason starts its own clock.
            let mut current = match pauses.take() {
                Some(pauses) if std::ptr::eq(pauses.cadence, &raw const reason.cadence) => pauses,
                _ => Pauses::new(&reason.cadence),
            };
            if !current.wait(self, Some(asked)).await? {
                return Err(error.context(&current.gave_up()));
            }
            pauses = Some(current);
        }
    }

    /// Polls until `look` finds something. It polls at once for the first time.
    ///
    /// # Errors
    /// Fails with the error of `look`, and when the time is up.
    pub(crate) async fn until<T>(
        &self,
        cadence: &'static Cadence,
        mut look: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut pauses = Pauses::new(cadence);
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if !pauses.wait(self, None).await? {
                return Err(Error::new(pauses.gave_up()).hint(Hint::run_again()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
