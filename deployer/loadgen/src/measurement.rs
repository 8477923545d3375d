//! The measurement of a run: a document that can be serialized and deserialized.

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

/// The version of the document. It increases when the meaning of a field changes, or a field is removed.
pub const SCHEMA: u32 = 1;

/// The maximum number of blocks of a run. A comparison resamples blocks: there must be enough of them to estimate the noise,
/// and each must have enough requests.
const MAX_BLOCKS: usize = 30;

/// The maximum plausible count. A day with 100,000 requests per second has a tenth of it.
const MAX_COUNT: u64 = 100_000_000_000;

/// The maximum number of different latencies in all blocks. Latencies have a precision of 1 %, so there are few.
const MAX_LATENCIES: usize = 5_000;

/// The complete measurement of one run.
///
/// Times are in milliseconds, unless a name says otherwise. Values are rounded to three decimals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The version of the document, [`SCHEMA`].
    pub schema: u32,
    /// The prefix of the run's item ids, [`RunId::text`](crate::RunId::text).
    pub run: String,
    /// The start of the run, in UTC, according to RFC 3339.
    pub began: String,
    /// The URL of the target.
    pub url: String,
    /// The requested load.
    pub asked: LoadParameters,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// The seconds from the start of the measurement until the last request was sent, but at least the requested duration. It
    /// is longer if the target does not keep up and requests are sent late. One slow answer at the end does not count.
    pub seconds: f64,
    /// The number of requests, by outcome.
    pub counts: Counts,
    /// The answers per second with a status below 400.
    pub throughput: f64,
    /// The latencies of answers with a status below 400, from the time when the request was due. `None` without such answers.
    pub latency_ms: Option<Percentiles>,
    /// The same latencies from the time when the request was sent.
    pub service_ms: Option<Percentiles>,
    /// The latencies of error answers other than 429, from the time when the request was due.
    pub error_latency_ms: Option<Percentiles>,
    /// The number of answers with each status.
    pub statuses: BTreeMap<u16, u64>,
    /// The number of requests without an answer, by reason.
    pub failures: BTreeMap<String, u64>,
    /// The measurements of each kind of request, in the order of the mix.
    pub requests: Vec<RequestMeasurement>,
    /// The connections of the run.
    pub connections: Connections,
    /// The number of seconds that one entry of `series` covers.
    pub series_seconds: u32,
    /// The course of the run over time.
    pub series: Vec<SeriesEntry>,
    /// Longer sections of the run with all their latencies, for a comparison.
    pub blocks: Vec<Block>,
    /// The time when the first request of the measurement was due, by this machine's clock. `None` after deserialization.
    #[serde(skip)]
    pub measured_from: Option<SystemTime>,
    /// The time from the first request of the measurement to the last answer.
    #[serde(skip)]
    pub until_last_answer: Duration,
    /// The sent requests of each thread, for the clean-up. Empty after deserialization.
    #[serde(skip)]
    pub(crate) sent: Vec<SentRequests>,
}

impl Measurement {
    /// Returns whether the counts, blocks and latencies are within the bounds of a real run. Then computing with them is fast
    /// and cannot overflow. Check this after reading a document from a file.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let counts = &self.counts;
        let run_counts = [
            counts.planned,
            counts.sent,
            counts.unsent,
            counts.ok,
            counts.throttled,
            counts.errors,
            counts.unanswered,
        ];
        let block_counts = self.blocks.iter().flat_map(|block| {
            [block.ok, block.throttled, block.failed]
                .into_iter()
                .chain(block.latency_us.iter().map(|pair| pair.1))
        });
        let latencies: BTreeSet<u64> =
            self.blocks.iter().flat_map(|block| &block.latency_us).map(|pair| pair.0).collect();
        self.blocks.len() <= MAX_BLOCKS
            && latencies.len() <= MAX_LATENCIES
            && run_counts.into_iter().chain(block_counts).all(|count| count <= MAX_COUNT)
    }

    pub(crate) fn new(
        plan: &LoadPlan,
        record: &ThreadRecord,
        series: &Series,
        results: &[ThreadResult],
        started_at: SystemTime,
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
        // The last request is sent shortly before the end of the requested duration.
        let min_duration = if interrupted { Duration::ZERO } else { plan.schedule.duration };
        let seconds = since_warmup(record.last_sent).max(min_duration).as_secs_f64();
        Ok(Self {
            schema: SCHEMA,
            run: plan.run.text(),
            began: rfc3339(started_at),
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
                opened: results.iter().map(|result| result.opened).sum(),
                most: results.iter().map(|result| result.max_open).sum(),
            },
            series_seconds: series.width(),
            series: series.points().iter().map(SeriesEntry::new).collect(),
            blocks: series.to_blocks(MAX_BLOCKS, seconds)?.iter().map(Block::new).collect(),
            measured_from: Some(started_at + plan.schedule.warmup),
            until_last_answer: since_warmup(record.last_done),
            sent: results.iter().map(|result| result.sent.clone()).collect(),
            counts,
        })
    }
}

/// Rounds to three decimals: to microseconds for milliseconds, and precisely enough for everything else.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below the exact range of a float")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
