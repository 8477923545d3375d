//! What Lambda's own reports say about the invocations of a run.

use crate::error::Result;
use crate::invocation::report::Report;
use loadgen::{LatencyHistogram, Percentiles};
use serde::Serialize;
use std::time::Duration;

/// A function's reports of a run, or of its last part, summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FunctionStatistics {
    /// The function's name in AWS.
    pub(crate) function: String,
    /// How many reports were found, and how many could be there.
    pub(crate) invocations: u64,
    pub(crate) expected: u64,
    /// How many started a new environment.
    pub(crate) cold: u64,
    /// How many ended without an answer.
    pub(crate) failures: u64,
    /// How long the handler took.
    pub(crate) duration_ms: Option<Percentiles>,
    /// How long new environments took to start.
    pub(crate) init_ms: Option<Percentiles>,
    /// The mean billed duration.
    pub(crate) billed_ms: f64,
    /// The mean billed duration without the lowest and the highest fifth, so that a few cold starts do not count.
    pub(crate) billed_trimmed_ms: f64,
    /// The mean time from invocation to answer, not rounded up to what is billed: the handler's duration and the start
    /// of its environment, without the lowest and the highest fifth.
    pub(crate) duration_trimmed_ms: f64,
    /// The function's memory setting.
    pub(crate) memory_mb: u64,
    /// The most memory that an invocation has used.
    pub(crate) max_memory_used_mb: u64,
}

impl FunctionStatistics {
    /// Sums up reports; `None` when there are none.
    pub(crate) fn new(function: &str, reports: &[Report], expected: u64) -> Result<Option<Self>> {
        if reports.is_empty() {
            return Ok(None);
        }
        let (mut duration, mut init) = (LatencyHistogram::fine()?, LatencyHistogram::fine()?);
        for report in reports {
            duration.record(milliseconds(report.duration_ms));
            if let Some(started) = report.init_ms.or(report.restore_ms) {
                init.record(milliseconds(started));
            }
        }
        let count = |which: fn(&Report) -> bool| reports.iter().filter(|report| which(report)).count() as u64;
        let sorted = |of: fn(&Report) -> f64| {
            let mut all: Vec<f64> = reports.iter().map(of).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let billed = sorted(|report| number(report.billed_ms));
        let most = |of: fn(&Report) -> u64| reports.iter().map(of).max().unwrap_or_default();
        let invocations = reports.len() as u64;
        Ok(Some(Self {
            function: function.to_owned(),
            invocations,
            expected,
            cold: count(Report::is_cold),
            failures: count(|report| report.failure.is_some()),
            duration_ms: Percentiles::new(&duration),
            init_ms: Percentiles::new(&init),
            billed_ms: mean(&billed),
            billed_trimmed_ms: mean(trimmed(&billed)),
            duration_trimmed_ms: mean(trimmed(&sorted(Report::total_ms))),
            memory_mb: most(|report| report.memory_mb),
            max_memory_used_mb: most(|report| report.max_memory_used_mb),
        }))
    }

    /// Whether nearly all reports were found. Reports near the ends of the run may be missed, because clocks differ.
    pub(crate) fn is_complete(&self) -> bool {
        nearly_all(self.invocations, self.expected)
    }
}

/// Whether at most one in twenty is missing, or one of fewer.
pub(crate) fn nearly_all(found: u64, expected: u64) -> bool {
    found + (expected / 20).max(1) >= expected
}

/// Returns sorted values without a fifth at each end.
fn trimmed(sorted: &[f64]) -> &[f64] {
    let fifth = sorted.len() / 5;
    &sorted[fifth..sorted.len() - fifth]
}

fn mean(all: &[f64]) -> f64 {
    rounded(all.iter().sum::<f64>() / number(all.len().max(1) as u64))
}

/// Rounds to three digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below what a float holds exactly")]
fn number(count: u64) -> f64 {
    count as f64
}

fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(duration: f64, billed: u64, init: Option<f64>) -> Report {
        let init = init.map(|init| format!("Init Duration: {init} ms\t")).unwrap_or_default();
        let text = format!(
            "REPORT RequestId: 8fc6f963\tDuration: {duration} ms\tBilled Duration: {billed} ms\tMemory Size: 128 MB\tMax Memory Used: {} MB\t{init}",
            20 + billed
        );
        Report::parse(&text).unwrap()
    }

    #[test]
    fn reports_are_added_up() {
        let reports = [report(1.5, 2, None), report(3.25, 4, None), report(8.0, 48, Some(40.0))];
        let server = FunctionStatistics::new("f", &reports, 5).unwrap().unwrap();
        assert_eq!((server.invocations, server.expected, server.cold, server.failures), (3, 5, 1, 0));
        assert!((server.billed_ms - 18.0).abs() < 1e-9);
        assert_eq!((server.memory_mb, server.max_memory_used_mb), (128, 68));
        assert!((server.duration_ms.unwrap().p50 - 3.25).abs() < 0.01);
        assert!((server.init_ms.unwrap().max - 40.0).abs() < 0.1);
        assert_eq!(FunctionStatistics::new("f", &[], 5).unwrap(), None);
    }

    /// As AWS Lambda Power Tuning: of ten, two at each end.
    #[test]
    fn cold_starts_are_trimmed() {
        let billed = [1, 2, 2, 3, 3, 3, 4, 4, 90, 180];
        let reports = billed.map(|ms| report(1.0, ms, None));
        let server = FunctionStatistics::new("f", &reports, 10).unwrap().unwrap();
        assert!((server.billed_ms - 29.2).abs() < 1e-9, "{server:?}");
        assert!((server.billed_trimmed_ms - 19.0 / 6.0).abs() < 1e-3, "{server:?}");
        let few = FunctionStatistics::new("f", &reports[..4], 4).unwrap().unwrap();
        assert!((few.billed_trimmed_ms - few.billed_ms).abs() < 1e-9, "{few:?}");
    }

    #[test]
    fn durations_are_averaged_with_the_start_of_the_environment_and_not_rounded_up() {
        let durations = [0.2, 0.3, 0.4, 0.6, 1.0, 1.0, 2.0, 3.0, 9.0];
        let mut reports = durations.map(|ms| report(ms, 10, None)).to_vec();
        reports.push(report(1.0, 50, Some(1.5)));
        let server = FunctionStatistics::new("f", &reports, 10).unwrap().unwrap();
        let by_hand = (0.4 + 0.6 + 1.0 + 1.0 + 2.0 + 2.5) / 6.0;
        assert!((server.duration_trimmed_ms - by_hand).abs() < 1e-3, "{server:?}");
    }

    #[test]
    fn one_that_falls_out_at_the_edge_is_not_missed() {
        for (found, expected, enough) in [(0, 0, true), (0, 1, true), (14, 15, true), (13, 15, false)] {
            assert_eq!(nearly_all(found, expected), enough, "{found} of {expected}");
        }
        assert!(nearly_all(950, 1_000) && !nearly_all(949, 1_000));
    }
}
