//! What one thread records about its requests. The size does not grow with their number: a run of a day takes no more
//! memory than one of a minute.

use crate::connection::RequestFailure;
use crate::error::Result;
use crate::histogram::LatencyHistogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// A request that is sent this long after it was due counts as late.
pub(crate) const LATE: Duration = Duration::from_millis(10);

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// With an answer of this HTTP status.
    Status(u16),
    /// Without an answer.
    Failed(RequestFailure),
}

/// What an outcome means for a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeClass {
    /// Answered below 400: its latency counts.
    Ok,
    /// Answered with 429: a limit that somebody has set. How quickly a request is turned away says nothing about how long it
    /// would have taken.
    Throttled,
    /// Answered with any other status, or not answered.
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

    /// Whether the request was turned away before it could create anything, or was never sent.
    pub(crate) fn created_nothing(self) -> bool {
        use RequestFailure::{Connect, NotSent, Tls};
        matches!(self, Self::Status(403 | 429) | Self::Failed(Connect | NotSent | Tls))
    }
}

/// The times of one request, since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTimes {
    /// When it was due.
    pub(crate) intended: Duration,
    /// When it was sent.
    pub(crate) sent: Duration,
    /// When its answer was complete, or was given up.
    pub(crate) done: Duration,
}

/// The requests of one kind.
#[derive(Clone, Debug)]
pub(crate) struct RequestTally {
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// From the time it was due to the end of the answer, of requests answered below 400.
    pub(crate) latency: LatencyHistogram,
    /// The same for requests answered with an error. A quick refusal is not a quick answer.
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

    /// How many were answered, but not with 429.
    pub(crate) fn reached(&self) -> u64 {
        let answered = |outcome: &Outcome| {
            matches!(outcome, Outcome::Status(_)) && outcome.class() != OutcomeClass::Throttled
        };
        self.outcomes.iter().filter(|(outcome, _)| answered(outcome)).map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.error_latency.add(&other.error_latency);
    }
}

/// Everything that one thread has measured.
#[derive(Clone, Debug)]
pub(crate) struct ThreadRecord {
    /// By the index of the kind of request in the mix.
    pub(crate) tallies: Vec<RequestTally>,
    /// From when the request was actually sent, of requests answered below 400.
    pub(crate) service: LatencyHistogram,
    /// How many requests were sent late, and the longest delay.
    pub(crate) late: u64,
    pub(crate) longest_delay: Duration,
    /// How many requests of the warm-up were answered.
    pub(crate) warmup: u64,
    /// When the last request was sent, and when the last answer came.
    pub(crate) last_sent: Duration,
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

    /// Records a request of the measurement; `request` is the index of its kind in the mix.
    pub(crate) fn record(&mut self, request: usize, outcome: Outcome, times: RequestTimes) {
        let delay = times.sent.saturating_sub(times.intended);
        self.late += u64::from(delay >= LATE);
        self.longest_delay = self.longest_delay.max(delay);
        self.last_sent = self.last_sent.max(times.sent);
        self.last_done = self.last_done.max(times.done);
        let Some(tally) = self.tallies.get_mut(request) else { return };
        *tally.outcomes.entry(outcome).or_default() += 1;
        let latency = times.done.saturating_sub(times.intended);
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

/// One second of one thread, as it is reported to the generator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Second {
    /// Since the measurement began.
    pub(crate) number: u32,
    pub(crate) ok: u32,
    pub(crate) throttled: u32,
    pub(crate) failed: u32,
    /// LatencyHistogram in microseconds, with how often they occurred.
    pub(crate) latencies: Vec<(u32, u32)>,
}

/// The second that is not over yet.
#[derive(Debug)]
pub(crate) struct CurrentSecond {
    second: Second,
    latencies: LatencyHistogram,
}

impl CurrentSecond {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { second: Second::default(), latencies: LatencyHistogram::coarse()? })
    }

    /// Begins the second of this moment if it is a new one. Returns the one that is over, if anything happened in it.
    pub(crate) fn roll(&mut self, since_measured: Duration) -> Option<Second> {
        let number = u32::try_from(since_measured.as_secs()).unwrap_or(u32::MAX);
        if number == self.second.number {
            return None;
        }
        self.finish(number)
    }

    /// Ends the current second and begins second `next`. Returns the ended one, if anything happened in it.
    pub(crate) fn finish(&mut self, next: u32) -> Option<Second> {
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
