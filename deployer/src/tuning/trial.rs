//! What a load test measured at one setting of a function.

use super::choice::Candidate;
use super::setting::Setting;
use crate::loadtest::function_statistics::FunctionStatistics;
use crate::pricing::Prices;
use loadgen::{Measurement, Percentiles};
use serde::Serialize;

/// The measurement of one setting.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trial {
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// Answers that were no errors, per second.
    pub(crate) throughput: f64,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
    /// Of the answers, and of the function itself.
    pub(crate) failed: u64,
    /// Never sent, because no connection was free until the end.
    pub(crate) unsent: u64,
    /// From the intended time to the end of the answer.
    pub(crate) latency_ms: Option<Percentiles>,
    /// The mean duration with the start of the environment, without the lowest and the highest fifth; null where the
    /// function's reports could not be found.
    pub(crate) duration_ms: Option<f64>,
    /// The mean of what Lambda bills, likewise.
    pub(crate) billed_ms: Option<f64>,
    pub(crate) max_memory_used_mb: Option<u64>,
    /// What Lambda charges for a million such requests; null where prices are not known.
    pub(crate) lambda_usd_per_million: Option<f64>,
    /// The part of it that is the same at any setting.
    #[serde(skip)]
    pub(crate) requests_usd: f64,
}

impl Trial {
    /// Sums up a measurement with the function's own reports and prices, as far as both are known.
    pub(crate) fn new(
        setting: Setting,
        measurement: &Measurement,
        function: Option<&FunctionStatistics>,
        prices: Option<&Prices>,
    ) -> Self {
        let counts = &measurement.counts;
        let usd = |memory_mb: i32, billed_ms: f64| {
            Some(prices?.lambda_per_million(setting.architecture, memory_mb, billed_ms))
        };
        Self {
            setting,
            throughput: measurement.throughput,
            requests: counts.sent,
            throttled: counts.throttled,
            failed: counts.failed() + function.map_or(0, |function| function.failures),
            unsent: counts.unsent,
            latency_ms: measurement.latency_ms,
            duration_ms: function.map(|function| function.duration_trimmed_ms),
            billed_ms: function.map(|function| function.billed_trimmed_ms),
            max_memory_used_mb: function.map(|function| function.max_memory_used_mb),
            lambda_usd_per_million: function
                .and_then(|function| usd(setting.memory_mb, function.billed_trimmed_ms)),
            requests_usd: usd(0, 0.0).unwrap_or_default(),
        }
    }

    /// Returns what a choice needs; `None` when something failed, which may be quick and cheap, when the setting did not carry
    /// the load, or when a figure is not known.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        let (duration_ms, usd) = (self.duration_ms?, self.lambda_usd_per_million? - self.requests_usd);
        (self.failed + self.unsent == 0).then_some(Candidate { setting: self.setting, duration_ms, usd })
    }
}
