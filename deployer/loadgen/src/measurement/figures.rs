//! The figures of a measurement.

use super::{number, rounded};
use crate::histogram::LatencyHistogram;
use crate::request_mix::RequestMix;
use crate::series::Point;
use crate::thread_record::{OutcomeClass, ThreadRecord};
use serde::{Deserialize, Serialize};

/// The number of requests, by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The number of requests in the schedule.
    pub planned: u64,
    /// The number of sent requests.
    pub sent: u64,
    /// The number of requests that were never sent, because no connection was free until the end. 0 if the run was stopped.
    #[serde(default)]
    pub unsent: u64,
    /// The number of answers with a status below 400.
    pub ok: u64,
    /// The number of answers with status 429.
    pub throttled: u64,
    /// The number of answers with another error.
    pub errors: u64,
    /// The number of requests without an answer.
    pub unanswered: u64,
    /// The number of requests that were sent at least 10 ms late.
    pub late: u64,
    /// The longest delay in milliseconds, or 0 if no request was late.
    pub late_by_ms: u64,
    /// The number of requests in the warm-up. No other count includes them.
    pub warmup: u64,
}

impl Counts {
    /// Returns the number of requests with an error other than 429 or without an answer.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors + self.unanswered
    }
}

/// The measurement of one kind of request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestMeasurement {
    /// The name of the kind of request.
    pub name: String,
    /// The number of answers with a status below 400.
    pub ok: u64,
    /// The number of answers with status 429.
    pub throttled: u64,
    /// The number of requests with another error or without an answer.
    pub failed: u64,
    /// The number of requests with an answer other than 429, which have reached their handler. 0 after deserialization.
    #[serde(skip)]
    pub reached: u64,
    /// The latencies, as in `Measurement::latency_ms`.
    pub latency_ms: Option<Percentiles>,
}

/// A distribution of latencies, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The shortest latency.
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
    /// The longest latency.
    pub max: f64,
}

/// The connections of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// The number of opened connections.
    pub opened: u64,
    /// The maximum number of connections open at once.
    pub most: usize,
}

/// One or more seconds of a run. Each request counts when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// The number of answers with a status below 400.
    pub ok: u64,
    /// The number of answers with status 429.
    pub throttled: u64,
    /// The number of requests with another error or without an answer.
    pub failed: u64,
    /// The median latency in milliseconds, or `None` if `ok` is 0.
    pub p50_ms: Option<f64>,
    /// The 99th percentile of the latencies in milliseconds.
    pub p99_ms: Option<f64>,
    /// The longest latency in milliseconds.
    pub max_ms: Option<f64>,
}

/// The figures of each kind of request, in the order of the mix.
pub(super) fn request_measurements(mix: &RequestMix, record: &ThreadRecord) -> Vec<RequestMeasurement> {
    let kinds = mix.kinds().iter().zip(&record.tallies);
    kinds
        .map(|(kind, tally)| RequestMeasurement {
            name: kind.name().to_owned(),
            ok: tally.count(OutcomeClass::Ok),
            throttled: tally.count(OutcomeClass::Throttled),
            failed: tally.count(OutcomeClass::Failed),
            reached: tally.reached(),
            latency_ms: Percentiles::new(&tally.latency),
        })
        .collect()
}

impl Percentiles {
    /// Returns the percentiles of a histogram, or `None` if it is empty.
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
    pub(super) fn new(point: &Point) -> Self {
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
