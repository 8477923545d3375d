//! What a run has measured, as a document that serde writes and reads.

use crate::cleanup::SentRequests;
use crate::error::Result;
use crate::generator::LoadPlan;
use crate::histogram::LatencyHistogram;
use crate::request_mix::RequestMix;
use crate::series::{Point, Series};
use crate::thread_record::{Outcome, OutcomeClass, ThreadRecord};
use crate::timestamp::rfc3339;
use crate::worker::ThreadResult;
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

/// What a run was to do. Two runs can be compared if rate, mix and concurrency are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadParameters {
    /// Requests per second.
    pub rate: u32,
    /// How long it was to measure, in seconds.
    pub duration_s: f64,
    /// How long it was to warm up before that, in seconds.
    pub warmup_s: f64,
    /// How many requests could be in flight at once.
    pub concurrency: usize,
    /// The kinds of requests with their shares.
    pub mix: Vec<RequestShare>,
    /// The same for the same requests in the same shares: [`RequestMix::fingerprint`].
    pub mix_fingerprint: String,
}

/// A kind of request and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestShare {
    /// Its name.
    pub name: String,
    /// Its weight in the mix.
    pub share: u16,
}

/// Requests by how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many were to be sent.
    pub planned: u64,
    /// How many were sent.
    pub sent: u64,
    /// How many were never sent, because no connection was free until the end; 0 of a run that was stopped.
    #[serde(default)]
    pub unsent: u64,
    /// Answered with a status below 400.
    pub ok: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Answered with another error.
    pub errors: u64,
    /// Not answered.
    pub unanswered: u64,
    /// Sent 10 ms late or more.
    pub late: u64,
    /// The longest delay in milliseconds; 0 when none was late.
    pub late_by_ms: u64,
    /// Sent in the warm-up. They count nowhere else.
    pub warmup: u64,
}

impl Counts {
    /// Returns how many requests were answered with an error other than 429, or not answered.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors + self.unanswered
    }
}

/// What was measured of one kind of request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestMeasurement {
    /// Its name.
    pub name: String,
    /// Answered with a status below 400.
    pub ok: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Answered with another error, or not answered.
    pub failed: u64,
    /// Answered, but not with 429: they have reached what handles them. 0 in a document that was read.
    #[serde(skip)]
    pub reached: u64,
    /// As in the measurement of all.
    pub latency_ms: Option<Percentiles>,
}

/// A distribution of latencies, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The shortest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// The connections of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// How many were opened.
    pub opened: u64,
    /// How many were open at once.
    pub most: usize,
}

/// Some seconds of a run. Requests are counted when they end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// Answered with a status below 400.
    pub ok: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Answered with another error, or not answered.
    pub failed: u64,
    /// The median latency in milliseconds; `None` when `ok` is 0.
    pub p50_ms: Option<f64>,
    /// The 99th percentile.
    pub p99_ms: Option<f64>,
    /// The longest latency.
    pub max_ms: Option<f64>,
}

/// A stretch of a run with all its latencies, for a comparison to resample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Answered with a status below 400.
    pub ok: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Answered with another error, or not answered.
    pub failed: u64,
    /// Latencies in microseconds, exact to 1 %, and how often each occurred; as text like `1023:4 1031:2`.
    #[serde(with = "compact")]
    pub latency_us: Vec<(u64, u64)>,
}

impl Block {
    pub(crate) fn answered(&self) -> u64 {
        self.ok + self.throttled + self.failed
    }
}

/// Requests whose latencies were about the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyBucket {
    /// The lower end, inclusive.
    pub from_ms: f64,
    /// The upper end, exclusive.
    pub to_ms: f64,
    /// How many requests there were.
    pub count: u64,
}

/// Writes pairs as one text: as a list of lists they would be thousands of lines.
mod compact {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pairs: &[(u64, u64)], serializer: S) -> Result<S::Ok, S::Error> {
        let text: Vec<String> = pairs.iter().map(|(us, count)| format!("{us}:{count}")).collect();
        serializer.serialize_str(&text.join(" "))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(u64, u64)>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair = |pair: &str| {
            let (us, count) = pair.split_once(':')?;
            Some((us.parse().ok()?, count.parse().ok()?))
        };
        let pairs = text.split_whitespace().map(|text| pair(text).ok_or_else(|| D::Error::custom(text)));
        pairs.collect()
    }
}

impl Measurement {
    /// Counts latencies in steps of 1, 2, 5, 10, … ms, from the first to the last that is not empty.
    #[must_use]
    pub fn histogram(&self) -> Vec<LatencyBucket> {
        self.buckets((-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))))
    }

    /// Counts latencies in finer steps for a chart: each is a tenth wider than the one before.
    #[must_use]
    pub fn distribution(&self) -> Vec<LatencyBucket> {
        self.buckets((-75..400).map(|power| 1.1_f64.powi(power)))
    }

    fn buckets(&self, steps: impl Iterator<Item = f64>) -> Vec<LatencyBucket> {
        let steps: Vec<f64> = steps.collect();
        let mut buckets: Vec<LatencyBucket> = steps
            .windows(2)
            .map(|step| LatencyBucket { from_ms: step[0], to_ms: step[1], count: 0 })
            .collect();
        for (us, count) in self.blocks.iter().flat_map(|block| &block.latency_us) {
            let ms = number(*us) / 1000.0;
            if let Some(bucket) = buckets.iter_mut().find(|bucket| ms < bucket.to_ms) {
                bucket.count += count;
            }
        }
        let first = buckets.iter().position(|bucket| bucket.count > 0).unwrap_or(buckets.len());
        let last = buckets.iter().rposition(|bucket| bucket.count > 0).map_or(first, |last| last + 1);
        buckets[first..last].to_vec()
    }

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

fn request_measurements(mix: &RequestMix, record: &ThreadRecord) -> Vec<RequestMeasurement> {
    let both = mix.kinds().iter().zip(&record.tallies);
    both.map(|(kind, tally)| RequestMeasurement {
        name: kind.name().to_owned(),
        ok: tally.count(OutcomeClass::Ok),
        throttled: tally.count(OutcomeClass::Throttled),
        failed: tally.count(OutcomeClass::Failed),
        reached: tally.reached(),
        latency_ms: Percentiles::new(&tally.latency),
    })
    .collect()
}

impl LoadParameters {
    /// Returns what a run of this plan is to do.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let seconds = |time: Duration| rounded(time.as_secs_f64());
        Self {
            rate: plan.schedule.rate,
            duration_s: seconds(plan.schedule.duration),
            warmup_s: seconds(plan.schedule.warmup),
            concurrency: plan.concurrency,
            mix: plan
                .mix
                .kinds()
                .iter()
                .map(|kind| RequestShare { name: kind.name().to_owned(), share: kind.share() })
                .collect(),
            mix_fingerprint: plan.mix.fingerprint(),
        }
    }
}

impl Percentiles {
    /// Returns the percentiles of a histogram; `None` when it is empty.
    #[must_use]
    pub fn new(latencies: &LatencyHistogram) -> Option<Self> {
        let ms = |us: u64| rounded(number(us) / 1000.0);
        (latencies.count() > 0).then(|| Self {
            min: ms(latencies.min()),
            mean: rounded(latencies.mean() / 1000.0),
            p50: ms(latencies.quantile(0.5)),
            p90: ms(latencies.quantile(0.9)),
            p99: ms(latencies.quantile(0.99)),
            p999: ms(latencies.quantile(0.999)),
            max: ms(latencies.max()),
        })
    }
}

impl SeriesEntry {
    fn new(point: &Point) -> Self {
        let percentiles = Percentiles::new(&point.latencies);
        Self {
            ok: point.ok,
            throttled: point.throttled,
            failed: point.failed,
            p50_ms: percentiles.map(|p| p.p50),
            p99_ms: percentiles.map(|p| p.p99),
            max_ms: percentiles.map(|p| p.max),
        }
    }
}

impl Block {
    fn new(point: &Point) -> Self {
        Self {
            ok: point.ok,
            throttled: point.throttled,
            failed: point.failed,
            latency_us: point.latencies.recorded().collect(),
        }
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
