//! What a run came to, as a document: `load --output json` and `--json` write it, `--compare` reads it.

use super::cleanup::Sent;
use super::generator::Plan;
use super::latencies::Latencies;
use super::mix::Mix;
use super::record::{Class, Outcome, Record};
use super::series::{Point, Series};
use super::worker::Done;
use crate::error::Result;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Grows when a field changes its meaning or goes.
pub(crate) const SCHEMA: u32 = 1;

/// A comparison draws from blocks of a run: enough of them to see how much they differ by themselves, and each with
/// enough requests to say something.
pub(super) const MOST_BLOCKS: usize = 30;

/// All of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) schema: u32,
    /// What the ids of its items begin with.
    pub(crate) run: String,
    /// When it began, in UTC.
    pub(crate) began: String,
    /// What comes before the paths of the routes.
    pub(crate) url: String,
    pub(crate) asked: Asked,
    /// Whether it was stopped before its end.
    pub(crate) interrupted: bool,
    /// From the first request of the measurement to the last one sent, and no less than was asked for. Where a target
    /// does not keep up, requests are sent late; one slow answer at the end says nothing about how many are done a second.
    pub(crate) seconds: f64,
    pub(crate) counts: Counts,
    /// Answers that were no errors, per second.
    pub(crate) throughput: f64,
    /// From the intended time to the end of the answer; null when nothing was done.
    pub(crate) latency_ms: Option<Percentiles>,
    /// From when it was really sent.
    pub(crate) service_ms: Option<Percentiles>,
    /// Of answers that were errors other than 429.
    pub(crate) error_latency_ms: Option<Percentiles>,
    /// How often each status came.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Why there was no answer, and how often.
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) requests: Vec<OfRequest>,
    pub(crate) connections: Connections,
    /// How many seconds one entry of `series` is.
    pub(crate) series_seconds: u32,
    pub(crate) series: Vec<Entry>,
    pub(crate) blocks: Vec<Block>,
    /// When the first request of the measurement was due, by this machine's clock; `None` in a result that was read from
    /// a file.
    #[serde(skip)]
    pub(crate) measured_from: Option<SystemTime>,
    /// From the first request of the measurement to the last answer.
    #[serde(skip)]
    pub(crate) until_last_answer: Duration,
    /// What each thread has sent, which is what has to be cleaned up.
    #[serde(skip)]
    pub(super) sent: Vec<Sent>,
}

/// What was to be done: runs are comparable if all of it is the same but the duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Requests per second.
    pub(crate) rate: u32,
    pub(crate) duration_s: f64,
    pub(crate) warmup_s: f64,
    pub(crate) concurrency: usize,
    pub(crate) mix: Vec<Share>,
    /// The same for the same requests in the same shares.
    pub(crate) mix_fingerprint: String,
}

/// A request's share of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) name: String,
    pub(crate) share: u16,
}

/// Requests by how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// How many there were to be.
    pub(crate) planned: u64,
    /// How many were sent.
    pub(crate) sent: u64,
    /// How many were never sent, because no connection was free until the end. None of a run that was stopped.
    #[serde(default)]
    pub(crate) unsent: u64,
    /// Answered with a status below 400.
    pub(crate) ok: u64,
    /// Answered with 429.
    pub(crate) throttled: u64,
    /// Answered with another error.
    pub(crate) errors: u64,
    /// Not answered.
    pub(crate) unanswered: u64,
    /// Sent late, and by how much at the most.
    pub(crate) late: u64,
    pub(crate) late_by_ms: u64,
    /// What came before, and counts nowhere else.
    pub(crate) warmup: u64,
}

impl Counts {
    /// Neither done nor held back by a limit.
    pub(crate) fn failed(&self) -> u64 {
        self.errors + self.unanswered
    }
}

/// Of one kind of request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OfRequest {
    pub(crate) name: String,
    pub(crate) ok: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    /// Answered, but not with 429: those have reached a function, as far as one knows.
    #[serde(skip)]
    pub(crate) reached: u64,
    pub(crate) latency_ms: Option<Percentiles>,
}

/// A distribution of times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// How many connections there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connections {
    pub(crate) opened: u64,
    /// At once.
    pub(crate) most: usize,
}

/// Some seconds of a run, by when the answers came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) ok: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    /// Null when nothing was done.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
}

/// A stretch of a run, with all its latencies: what a comparison draws from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) ok: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    /// Microseconds, exact to 1 %, and how often they occurred, like `1023:4 1031:2`.
    #[serde(with = "compact")]
    pub(crate) latency_us: Vec<(u64, u64)>,
}

impl Block {
    pub(super) fn answered(&self) -> u64 {
        self.ok + self.throttled + self.failed
    }
}

/// Requests that took about the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) from_ms: f64,
    pub(crate) to_ms: f64,
    pub(crate) count: u64,
}

/// Pairs as one text: a list of lists would be thousands of lines that nobody reads.
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
    /// How many took how long, in steps of 1, 2, 5, 10, …
    pub(crate) fn histogram(&self) -> Vec<Bucket> {
        self.counted((-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))))
    }

    /// The same in steps that a chart has: each is a tenth longer than the one before.
    pub(crate) fn distribution(&self) -> Vec<Bucket> {
        self.counted((-75..400).map(|power| 1.1_f64.powi(power)))
    }

    /// From the first to the last that is not empty.
    fn counted(&self, steps: impl Iterator<Item = f64>) -> Vec<Bucket> {
        let steps: Vec<f64> = steps.collect();
        let mut buckets: Vec<Bucket> =
            steps.windows(2).map(|step| Bucket { from_ms: step[0], to_ms: step[1], count: 0 }).collect();
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

    pub(super) fn of(
        plan: &Plan,
        record: &Record,
        series: &Series,
        done: &[Done],
        began: SystemTime,
        interrupted: bool,
    ) -> Result<Self> {
        let (mut all, mut errors) = (Latencies::fine()?, Latencies::fine()?);
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
            counts.ok += tally.count(Class::Ok);
            counts.throttled += tally.count(Class::Throttled);
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
        // A whole run lasts as long as was asked for, although its last request comes a little before the end.
        let least = if interrupted { Duration::ZERO } else { plan.schedule.duration };
        let seconds = since_warmup(record.last_sent).max(least).as_secs_f64();
        Ok(Self {
            schema: SCHEMA,
            run: plan.run.text(),
            began: DateTime::from(began).fmt(Format::DateTime).unwrap_or_default(),
            url: plan.target.url().to_owned(),
            asked: Asked::of(plan),
            interrupted,
            seconds: rounded(seconds),
            throughput: rounded(if seconds > 0.0 { number(counts.ok) / seconds } else { 0.0 }),
            latency_ms: Percentiles::of(&all),
            service_ms: Percentiles::of(&record.service),
            error_latency_ms: Percentiles::of(&errors),
            statuses,
            failures,
            requests: of_requests(&plan.mix, record),
            connections: Connections {
                opened: done.iter().map(|done| done.opened).sum(),
                most: done.iter().map(|done| done.most_open).sum(),
            },
            series_seconds: series.width(),
            series: series.points().iter().map(Entry::of).collect(),
            blocks: series.in_blocks(MOST_BLOCKS, seconds)?.iter().map(Block::of).collect(),
            measured_from: Some(began + plan.schedule.warmup),
            until_last_answer: since_warmup(record.last_done),
            sent: done.iter().map(|done| done.sent.clone()).collect(),
            counts,
        })
    }
}

fn of_requests(mix: &Mix, record: &Record) -> Vec<OfRequest> {
    let both = mix.requests.iter().zip(&record.tallies);
    both.map(|(request, tally)| OfRequest {
        name: request.name.clone(),
        ok: tally.count(Class::Ok),
        throttled: tally.count(Class::Throttled),
        failed: tally.count(Class::Failed),
        reached: tally.reached(),
        latency_ms: Percentiles::of(&tally.latency),
    })
    .collect()
}

impl Asked {
    pub(crate) fn of(plan: &Plan) -> Self {
        let seconds = |time: Duration| rounded(time.as_secs_f64());
        Self {
            rate: plan.schedule.rate,
            duration_s: seconds(plan.schedule.duration),
            warmup_s: seconds(plan.schedule.warmup),
            concurrency: plan.concurrency,
            mix: plan
                .mix
                .requests
                .iter()
                .map(|request| Share { name: request.name.clone(), share: request.share })
                .collect(),
            mix_fingerprint: plan.mix.fingerprint(),
        }
    }
}

impl Percentiles {
    pub(super) fn of(latencies: &Latencies) -> Option<Self> {
        let ms = |us: u64| rounded(number(us) / 1000.0);
        (latencies.count() > 0).then(|| Self {
            min: ms(latencies.min()),
            mean: rounded(latencies.mean() / 1000.0),
            p50: ms(latencies.at(0.5)),
            p90: ms(latencies.at(0.9)),
            p99: ms(latencies.at(0.99)),
            p999: ms(latencies.at(0.999)),
            max: ms(latencies.max()),
        })
    }
}

impl Entry {
    fn of(point: &Point) -> Self {
        let percentiles = Percentiles::of(&point.latencies);
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
    fn of(point: &Point) -> Self {
        Self {
            ok: point.ok,
            throttled: point.throttled,
            failed: point.failed,
            latency_us: point.latencies.recorded().collect(),
        }
    }
}

/// Three digits behind the point are microseconds of milliseconds, and more than enough of everything else.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below what a float holds exactly")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
