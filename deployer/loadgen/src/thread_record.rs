//! The record of one thread about its requests. Its size does not depend on their number, so a run of a day needs no more
//! memory than a run of a minute.

use crate::connection::RequestFailure;
use crate::error::Result;
use crate::histogram::LatencyHistogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// The delay from which on a request counts as late.
pub(crate) const LATE: Duration = Duration::from_millis(10);

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// An answer with this HTTP status.
    Status(u16),
    /// No answer.
    Failed(RequestFailure),
}

/// The classes of outcomes in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeClass {
    /// An answer with a status below 400. Only these latencies count.
    Ok,
    /// An answer with 429, because of a configured limit. Its latency says nothing about the latency of a processed request.
    Throttled,
    /// An answer with any other status, or no answer.
    Failed,
}

impl Outcome {
    pub(crate) fn class(self) -> OutcomeClass {
        match self {
            Self::Status(429) => OutcomeClass::Throttled,
            Self::Status(200..400) => OutcomeClass::Ok,
            Self::Status(_) | Self::Failed(_) => OutcomeClass::Failed,
        }
    }

    /// Returns whether the request was refused before it could create anything, or was never sent.
    pub(crate) fn created_nothing(self) -> bool {
        use RequestFailure::{Connect, NotSent, Tls};
        matches!(self, Self::Status(403 | 429) | Self::Failed(Connect | NotSent | Tls))
    }
}

/// The times of one request, since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTimes {
    /// When the request was due.
    pub(crate) due: Duration,
    /// When the request was sent.
    pub(crate) sent: Duration,
    /// When the answer was complete, or the request failed.
    pub(crate) done: Duration,
}

/// The outcomes and latencies of one kind of request.
#[derive(Clone, Debug)]
pub(crate) struct RequestTally {
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// The latencies of answers with a status below 400, from the time when the request was due.
    pub(crate) latency: LatencyHistogram,
    /// The latencies of error answers. They are separate, because a fast error is not a fast answer.
    pub(crate) error_latency: LatencyHistogram,
}

impl RequestTally {
    fn new() -> Result<Self> {
        Ok(Self {
            outcomes: BTreeMap::new(),
            latency: LatencyHistogram::fine()?,
            error_latency: LatencyHistogram::fine()?,
        })
    }

    pub(crate) fn count(&self, class: OutcomeClass) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| outcome.class() == class).map(|(_, count)| count).sum()
    }

    /// Returns the number of requests with an answer other than 429.
    pub(crate) fn reached(&self) -> u64 {
        let has_reached = |outcome: &Outcome| {
            matches!(outcome, Outcome::Status(_)) && outcome.class() != OutcomeClass::Throttled
        };
        self.outcomes.iter().filter(|(outcome, _)| has_reached(outcome)).map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.error_latency.add(&other.error_latency);
    }
}

/// The complete record of one thread.
#[derive(Clone, Debug)]
pub(crate) struct ThreadRecord {
    /// The tallies, by the index of the kind of request in the mix.
    pub(crate) tallies: Vec<RequestTally>,
    /// The latencies of answers with a status below 400, from the time when the request was sent.
    pub(crate) service: LatencyHistogram,
    /// The number of requests that were sent late.
    pub(crate) late: u64,
    /// The longest delay of any request.
    pub(crate) longest_delay: Duration,
    /// The number of ended requests of the warm-up.
    pub(crate) warmup: u64,
    /// When the last request was sent.
    pub(crate) last_sent: Duration,
    /// When the last request ended.
    pub(crate) last_done: Duration,
}

impl ThreadRecord {
    pub(crate) fn new(requests: usize) -> Result<Self> {
        Ok(Self {
            tallies: (0..requests).map(|_| RequestTally::new()).collect::<Result<_>>()?,
            service: LatencyHistogram::fine()?,
            late: 0,
            longest_delay: Duration::ZERO,
            warmup: 0,
            last_sent: Duration::ZERO,
            last_done: Duration::ZERO,
        })
    }

    /// Records a request of the measurement. `request` is the index of its kind in the mix.
    pub(crate) fn record(&mut self, request: usize, outcome: Outcome, times: RequestTimes) {
        let delay = times.sent.saturating_sub(times.due);
        self.late += u64::from(delay >= LATE);
        self.longest_delay = self.longest_delay.max(delay);
        self.last_sent = self.last_sent.max(times.sent);
        self.last_done = self.last_done.max(times.done);
        let Some(tally) = self.tallies.get_mut(request) else { return };
        *tally.outcomes.entry(outcome).or_default() += 1;
        let latency = times.done.saturating_sub(times.due);
        match (outcome.class(), outcome) {
            (OutcomeClass::Ok, _) => {
                tally.latency.record(latency);
                self.service.record(times.done.saturating_sub(times.sent));
            }
            (OutcomeClass::Failed, Outcome::Status(_)) => tally.error_latency.record(latency),
            _ => {}
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
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

/// The report of one thread about one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Second {
    /// The number of the second since the start of the measurement.
    pub(crate) number: u32,
    pub(crate) ok: u32,
    pub(crate) throttled: u32,
    pub(crate) failed: u32,
    /// The latencies in microseconds, each with its count.
    pub(crate) latencies: Vec<(u32, u32)>,
}

/// The second that has not ended yet.
#[derive(Debug)]
pub(crate) struct CurrentSecond {
    second: Second,
    latencies: LatencyHistogram,
}

impl CurrentSecond {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { second: Second::default(), latencies: LatencyHistogram::coarse()? })
    }

    /// Begins a new second if the current one is ended. Returns the ended second, if a request ended in it.
    pub(crate) fn advance(&mut self, since_measured: Duration) -> Option<Second> {
        let number = u32::try_from(since_measured.as_secs()).unwrap_or(u32::MAX);
        if number == self.second.number {
            return None;
        }
        self.finish(number)
    }

    /// Ends the current second and begins second `next`. Returns the ended second, if a request ended in it.
    pub(crate) fn finish(&mut self, next: u32) -> Option<Second> {
        let new = Second { number: next, ..Second::default() };
        let mut ended = std::mem::replace(&mut self.second, new);
        if ended.ok + ended.throttled + ended.failed == 0 {
            return None;
        }
        let to_u32 = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        ended.latencies = self.latencies.recorded().map(|(us, count)| (to_u32(us), to_u32(count))).collect();
        self.latencies.clear();
        Some(ended)
    }

    pub(crate) fn record(&mut self, class: OutcomeClass, latency: Duration) {
        match class {
            OutcomeClass::Ok => {
                self.second.ok += 1;
                self.latencies.record(latency);
            }
            OutcomeClass::Throttled => self.second.throttled += 1,
            OutcomeClass::Failed => self.second.failed += 1,
        }
    }
}
