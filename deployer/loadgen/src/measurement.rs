//! What a run has measured, as a document that serde writes and reads.

mod block;
mod distribution;
mod figures;
mod parameters;

pub use block::Block;
pub use distribution::LatencyBucket;
pub use figures::{Connections, Counts, Percentiles, RequestMeasurement, SeriesEntry};
pub use parameters::{LoadParameters, RequestShare};

use crate::cleanup::SentRequests;
use crate::error::Result;
use crate::generator::LoadPlan;
use crate::histogram::LatencyHistogram;
use crate::series::Series;
use crate::thread_record::{Outcome, OutcomeClass, ThreadRecord};
use crate::timestamp::rfc3339;
use crate::worker::ThreadResult;
use figures::request_measurements;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// The version of the document. It grows when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// A comparison resamples the blocks of a run: they must be enough to show how much they differ by themselves, and each
/// must have enough requests to mean something.
const MOST_BLOCKS: usize = 30;

/// No run counts this far: 100,000 requests a second for a day are a tenth of it.
const HIGHEST_COUNT: u64 = 100_000_000_000;

/// Latencies are exact to 1 %, so there are not many different ones.
const MOST_LATENCIES: usize = 5_000;

/// Everything that was measured in one run.
///
/// Times are in milliseconds unless a name says otherwise, and have three digits behind the point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The version of the document, [`SCHEMA`].
    pub schema: u32,
    /// The prefix of the run's item ids, [`RunId::text`](crate::RunId::text).
    pub run: String,
    /// When it began, in UTC, as RFC 3339 has it.
    pub began: String,
    /// The URL of the target.
    pub url: String,
    /// What the run was to do.
    pub asked: LoadParameters,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Seconds from the first request of the measurement to the last one sent, and no fewer than were asked for. It is longer
    /// where a target does not keep up, so that requests are sent late. One slow answer at the end does not count.
    pub seconds: f64,
    /// Requests by how they ended.
    pub counts: Counts,
    /// Answers below 400 per second.
    pub throughput: f64,
    /// From the time a request was due to the end of its answer, of answers below 400; `None` when there were none.
    pub latency_ms: Option<Percentiles>,
    /// The same from when a request was actually sent.
    pub service_ms: Option<Percentiles>,
    /// From the time a request was due, of answers that were errors other than 429.
    pub error_latency_ms: Option<Percentiles>,
    /// How often each status came.
    pub statuses: BTreeMap<u16, u64>,
    /// Why there was no answer, in words, and how often.
    pub failures: BTreeMap<String, u64>,
    /// The kinds of requests, in the order of the mix.
    pub requests: Vec<RequestMeasurement>,
    /// The connections that were opened.
    pub connections: Connections,
    /// How many seconds one entry of `series` covers.
    pub series_seconds: u32,
    /// The run over time.
    pub series: Vec<SeriesEntry>,
    /// Longer stretches of the run with all their latencies, for a comparison.
    pub blocks: Vec<Block>,
    /// When the first request of the measurement was due, by this machine's clock; `None` in a document that was read.
    #[serde(skip)]
    pub measured_from: Option<SystemTime>,
    /// From the first request of the measurement to the last answer.
    #[serde(skip)]
    pub until_last_answer: Duration,
    /// What each thread has sent, for the clean-up. Empty in a document that was read.
    #[serde(skip)]
    pub(crate) sent: Vec<SentRequests>,
}

impl Measurement {
    /// Returns whether the figures are plausible for a run: the counts can be added without overflow, and there are no more
    /// blocks and latencies than a run has. Check this before computing with a document that somebody else may have written.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let counts = &self.counts;
        let of_the_run = [
            counts.planned,
            counts.sent,
            counts.unsent,
            counts.ok,
            counts.throttled,
            counts.errors,
            counts.unanswered,
        ];
        let of_blocks = self.blocks.iter().flat_map(|block| {
            [block.ok, block.throttled, block.failed]
                .into_iter()
                .chain(block.latency_us.iter().map(|pair| pair.1))
        });
        let latencies: BTreeSet<u64> =
            self.blocks.iter().flat_map(|block| &block.latency_us).map(|pair| pair.0).collect();
        self.blocks.len() <= MOST_BLOCKS
            && latencies.len() <= MOST_LATENCIES
            && of_the_run.into_iter().chain(of_blocks).all(|count| count <= HIGHEST_COUNT)
    }

    pub(crate) fn new(
        plan: &LoadPlan,
        record: &ThreadRecord,
        series: &Series,
        results: &[ThreadResult],
        began: SystemTime,
        interrupted: bool,
    ) -> Result<Self> {
        let (mut all, mut errors) = (LatencyHistogram::fine()?, LatencyHistogram::fine()?);
        let (mut statuses, mut failures) = (BTreeMap::new(), BTreeMap::new());
        let mut counts = Counts {
            planned: plan.schedule.measured(),
            late: record.late,
            late_by_ms: u64::try_from(record.longest_delay.as_millis()).unwrap_or(u64::MAX),
            warmup: record.warmup,
            ..Counts::default()
        };
        if counts.late == 0 {
            counts.late_by_ms = 0;
        }
        for tally in &record.tallies {
            all.add(&tally.latency);
            errors.add(&tally.error_latency);
            counts.ok += tally.count(OutcomeClass::Ok);
            counts.throttled += tally.count(OutcomeClass::Throttled);
            for (outcome, count) in &tally.outcomes {
                match outcome {
                    Outcome::Status(status) => *statuses.entry(*status).or_default() += count,
                    Outcome::Failed(failure) => *failures.entry(failure.to_string()).or_default() += count,
                }
            }
        }
        counts.unanswered = failures.values().sum();
        counts.errors = statuses.values().sum::<u64>() - counts.ok - counts.throttled;
        counts.sent = counts.ok + counts.throttled + counts.errors + counts.unanswered;
        counts.unsent = if interrupted { 0 } else { counts.planned.saturating_sub(counts.sent) };
        let since_warmup = |moment: Duration| moment.saturating_sub(plan.schedule.warmup);
        // A run that was not stopped lasts as long as was asked for, although its last request comes a little earlier.
        let least = if interrupted { Duration::ZERO } else { plan.schedule.duration };
        let seconds = since_warmup(record.last_sent).max(least).as_secs_f64();
        Ok(Self {
            schema: SCHEMA,
            run: plan.run.text(),
            began: rfc3339(began),
            url: plan.target.url().to_owned(),
            asked: LoadParameters::new(plan),
            interrupted,
            seconds: rounded(seconds),
            throughput: rounded(if seconds > 0.0 { number(counts.ok) / seconds } else { 0.0 }),
            latency_ms: Percentiles::new(&all),
            service_ms: Percentiles::new(&record.service),
            error_latency_ms: Percentiles::new(&errors),
            statuses,
            failures,
            requests: request_measurements(&plan.mix, record),
            connections: Connections {
                opened: results.iter().map(|done| done.opened).sum(),
                most: results.iter().map(|done| done.most_open).sum(),
            },
            series_seconds: series.width(),
            series: series.points().iter().map(SeriesEntry::new).collect(),
            blocks: series.in_blocks(MOST_BLOCKS, seconds)?.iter().map(Block::new).collect(),
            measured_from: Some(began + plan.schedule.warmup),
            until_last_answer: since_warmup(record.last_done),
            sent: results.iter().map(|done| done.sent.clone()).collect(),
            counts,
        })
    }
}

/// Rounds to three digits behind the point: microseconds of milliseconds, and more than enough of everything else.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below what a float holds exactly")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
