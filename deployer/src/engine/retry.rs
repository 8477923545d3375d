//! Repeats what AWS refuses for a reason that passes, and looks again at what takes its time.

use super::Step;
use crate::error::{AwsError, Error, Hint, Result};
use crate::time::{Cadence, Passing, ms, pause, secs};
use std::time::Duration;
use tokio::time::Instant;

/// API Gateway's control plane is slow to let calls through: one DeleteRestApi in 30 s.
pub(crate) static THROTTLED: Passing = Passing {
    cadence: Cadence {
        reason: "AWS's call rate limit",
        first: secs(1),
        longest: secs(31),
        within: secs(600),
    },
    applies: AwsError::is_throttle,
};

/// A call's answer was lost, contradicts what was seen before it, or promises more than it keeps. AWS shows the truth within
/// seconds.
pub(crate) static ANSWER_UNCLEAR: Cadence = Cadence {
    reason: "AWS to show whether the last call was applied",
    first: ms(250),
    longest: secs(4),
    within: secs(60),
};

/// By then AWS shows everywhere what has been made; the next looks come after twice as long, and so on.
const FIRST_CHECK: Duration = secs(10);

/// The pause before a call is repeated that has been refused for so long, and sends so many bytes: at first none, then a
/// second, then two; and never more than 4 MB a second are sent for nothing.
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

/// The pauses of one wait.
pub(crate) struct Pauses {
    cadence: &'static Cadence,
    started: Instant,
    next: Duration,
}

impl Pauses {
    pub(crate) fn new(cadence: &'static Cadence) -> Self {
        Self { cadence, started: Instant::now(), next: cadence.first }
    }

    /// Waits for the next look, at least as long as AWS asked for; false when the time is up.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(crate) async fn wait(&mut self, step: &Step<'_>, asked: Option<Duration>) -> Result<bool> {
        let waited = self.started.elapsed();
        // Two runs that were refused together should not come back together.
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

    /// For the error at the end.
    pub(crate) fn gave_up(&self) -> String {
        format!("gave up after {} s of waiting for {}", self.started.elapsed().as_secs(), self.cadence.reason)
    }
}

impl Step<'_> {
    /// Repeats a call while AWS refuses it for a reason that passes by itself. Throttling always does.
    ///
    /// # Errors
    /// Any other refusal at once. When the time is up, AWS's last answer.
    pub(crate) async fn retry<T>(
        &self,
        passing: &[&'static Passing],
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.retry_checking(passing, async || Ok(()), call).await
    }

    /// The same, and when it takes long, has a closer look now and then: another run may have taken away what this one
    /// waits for, which says so as an error, or put back what it had taken away, which is taken away again.
    ///
    /// # Errors
    /// What the closer look fails with, as well.
    pub(crate) async fn retry_checking<T>(
        &self,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |_| Duration::ZERO, check, call).await
    }

    /// The same for a call that is asked often at first, because its wait is usually short, and less often later: it takes
    /// its share of what the account may call, and `bytes` are sent each time.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn retry_backing_off<T>(
        &self,
        bytes: usize,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |waited| least_pause(waited, bytes), check, call).await
    }

    /// `least` is the shortest pause after so long.
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

    /// Looks until there is something to see. The first look is at once.
    ///
    /// # Errors
    /// Whatever the look fails with. When the time is up, an error that names the wait.
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
