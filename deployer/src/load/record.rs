//! What one thread notes down about the requests that it has sent. Its size does not grow with their number: a run of a
//! day takes no more memory than one of a minute.

use super::connection::Failure;
use super::latencies::Latencies;
use crate::error::Result;
use std::collections::BTreeMap;
use std::time::Duration;

/// A request that is sent this much later than it was to be counts as late.
pub(super) const LATE: Duration = Duration::from_millis(10);

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// With this status.
    Status(u16),
    /// Without an answer.
    Failed(Failure),
}

/// What an outcome means for a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Done: its latency counts.
    Ok,
    /// 429: a limit that somebody has set. How quickly one is turned away says nothing about what was asked for.
    Throttled,
    /// Every other status, and no answer.
    Failed,
}

impl Outcome {
    pub(super) fn class(self) -> Class {
        match self {
            Self::Status(429) => Class::Throttled,
            Self::Status(200..400) => Class::Ok,
            Self::Status(_) | Self::Failed(_) => Class::Failed,
        }
    }

    /// Whether the request was turned away before it could make anything, by API Gateway or by the function, or was never
    /// on its way.
    pub(super) fn made_nothing(self) -> bool {
        use Failure::{Connect, NotSent, Tls};
        matches!(self, Self::Status(403 | 429) | Self::Failed(Connect | NotSent | Tls))
    }
}

/// When things happened to one request, since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When it was to be sent.
    pub(super) intended: Duration,
    /// When it was sent.
    pub(super) sent: Duration,
    /// When its answer was there, or was given up.
    pub(super) done: Duration,
}

/// Requests of one kind.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) outcomes: BTreeMap<Outcome, u64>,
    /// From the intended time to the end of the answer, of those that are done.
    pub(super) latency: Latencies,
    /// The same of those with an error for an answer. A quick refusal is no quick answer.
    pub(super) error_latency: Latencies,
}

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self { outcomes: BTreeMap::new(), latency: Latencies::fine()?, error_latency: Latencies::fine()? })
    }

    pub(super) fn count(&self, class: Class) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| outcome.class() == class).map(|(_, count)| count).sum()
    }

    /// How many were answered by something behind the limits.
    pub(super) fn reached(&self) -> u64 {
        let answered =
            |outcome: &Outcome| matches!(outcome, Outcome::Status(_)) && outcome.class() != Class::Throttled;
        self.outcomes.iter().filter(|(outcome, _)| answered(outcome)).map(|(_, count)| count).sum()
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.error_latency.add(&other.error_latency);
    }
}

/// Everything that one thread has measured.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// By the request's index in the mix.
    pub(super) tallies: Vec<Tally>,
    /// From when it was really sent, of those that are done.
    pub(super) service: Latencies,
    /// How many were sent late, and the longest delay.
    pub(super) late: u64,
    pub(super) longest_delay: Duration,
    /// How many requests of the warm-up were answered.
    pub(super) warmup: u64,
    /// When the last request was sent, and when the last answer came.
    pub(super) last_sent: Duration,
    pub(super) last_done: Duration,
}

impl Record {
    pub(super) fn new(requests: usize) -> Result<Self> {
        Ok(Self {
            tallies: (0..requests).map(|_| Tally::new()).collect::<Result<_>>()?,
            service: Latencies::fine()?,
            late: 0,
            longest_delay: Duration::ZERO,
            warmup: 0,
            last_sent: Duration::ZERO,
            last_done: Duration::ZERO,
        })
    }

    /// Notes down a request of the measurement, of this index in the mix.
    pub(super) fn note(&mut self, request: usize, outcome: Outcome, times: Times) {
        let delay = times.sent.saturating_sub(times.intended);
        self.late += u64::from(delay >= LATE);
        self.longest_delay = self.longest_delay.max(delay);
        self.last_sent = self.last_sent.max(times.sent);
        self.last_done = self.last_done.max(times.done);
        let Some(tally) = self.tallies.get_mut(request) else { return };
        *tally.outcomes.entry(outcome).or_default() += 1;
        let latency = times.done.saturating_sub(times.intended);
        match (outcome.class(), outcome) {
            (Class::Ok, _) => {
                tally.latency.record(latency);
                self.service.record(times.done.saturating_sub(times.sent));
            }
            (Class::Failed, Outcome::Status(_)) => tally.error_latency.record(latency),
            _ => {}
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (tally, other) in self.tallies.iter_mut().zip(&other.tallies) {
            tally.add(other);
        }
        self.service.add(&other.service);
        self.late += other.late;
        self.longest_delay = self.longest_delay.max(other.longest_delay);
        self.warmup += other.warmup;
        self.last_sent = self.last_sent.max(other.last_sent);
        self.last_done = self.last_done.max(other.last_done);
    }
}

/// One second of one thread, on its way to the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Second {
    /// Since the measurement began.
    pub(super) number: u32,
    pub(super) ok: u32,
    pub(super) throttled: u32,
    pub(super) failed: u32,
    /// Latencies in microseconds, with how often they occurred.
    pub(super) latencies: Vec<(u32, u32)>,
}

/// The second that is going on.
#[derive(Debug)]
pub(super) struct Current {
    second: Second,
    latencies: Latencies,
}

impl Current {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { second: Second::default(), latencies: Latencies::coarse()? })
    }

    /// Begins the second of this moment; the one that is over, if anything happened in it.
    pub(super) fn roll(&mut self, since_measured: Duration) -> Option<Second> {
        let number = u32::try_from(since_measured.as_secs()).unwrap_or(u32::MAX);
        if number == self.second.number {
            return None;
        }
        self.finish(number)
    }

    /// Ends the second that is going on, and begins this one.
    pub(super) fn finish(&mut self, next: u32) -> Option<Second> {
        let fresh = Second { number: next, ..Second::default() };
        let mut over = std::mem::replace(&mut self.second, fresh);
        if over.ok + over.throttled + over.failed == 0 {
            return None;
        }
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        over.latencies = self.latencies.recorded().map(|(us, count)| (small(us), small(count))).collect();
        self.latencies.clear();
        Some(over)
    }

    pub(super) fn note(&mut self, class: Class, latency: Duration) {
        match class {
            Class::Ok => {
                self.second.ok += 1;
                self.latencies.record(latency);
            }
            Class::Throttled => self.second.throttled += 1,
            Class::Failed => self.second.failed += 1,
        }
    }
}
