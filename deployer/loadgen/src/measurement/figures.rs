//! The figures of a measurement.

use super::{number, rounded};
use crate::histogram::LatencyHistogram;
use crate::request_mix::RequestMix;
use crate::series::Point;
use crate::thread_record::{OutcomeClass, ThreadRecord};
use serde::{Deserialize, Serialize};

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

/// The figures of each kind of request, in the order of the mix.
pub(super) fn request_measurements(mix: &RequestMix, record: &ThreadRecord) -> Vec<RequestMeasurement> {
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
