//! What Lambda itself says about the invocations of a run, from its reports in the log.

use super::latencies::Latencies;
use super::result::{Percentiles, number, rounded};
use crate::error::Result;
use crate::invocation::report::Report;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The function's own side of a run, or of its last part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Server {
    /// How many reports were found, and how many could be there.
    pub(crate) invocations: u64,
    pub(crate) expected: u64,
    /// How many had to wait for a new environment.
    pub(crate) cold: u64,
    /// How many did not get to an answer.
    pub(crate) failures: u64,
    /// What the handler took.
    pub(crate) duration_ms: Option<Percentiles>,
    /// What new environments took to start.
    pub(crate) init_ms: Option<Percentiles>,
    /// What is paid for, on average.
    pub(crate) billed_ms: f64,
    /// What the function had, and the most that it has used.
    pub(crate) memory_mb: u64,
    pub(crate) max_memory_used_mb: u64,
}

impl Server {
    /// `None` when there is no report.
    pub(crate) fn of(reports: &[Report], expected: u64) -> Result<Option<Self>> {
        if reports.is_empty() {
            return Ok(None);
        }
        let (mut duration, mut init) = (Latencies::fine()?, Latencies::fine()?);
        for report in reports {
            duration.record(milliseconds(report.duration_ms));
            if let Some(started) = report.init_ms.or(report.restore_ms) {
                init.record(milliseconds(started));
            }
        }
        let count = |which: fn(&Report) -> bool| reports.iter().filter(|report| which(report)).count() as u64;
        let billed: u64 = reports.iter().map(|report| report.billed_ms).sum();
        let most = |of: fn(&Report) -> u64| reports.iter().map(of).max().unwrap_or_default();
        let invocations = reports.len() as u64;
        Ok(Some(Self {
            invocations,
            expected,
            cold: count(Report::is_cold),
            failures: count(|report| report.failure.is_some()),
            duration_ms: Percentiles::of(&duration),
            init_ms: Percentiles::of(&init),
            billed_ms: rounded(number(billed) / number(invocations)),
            memory_mb: most(|report| report.memory_mb),
            max_memory_used_mb: most(|report| report.max_memory_used_mb),
        }))
    }
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
        let server = Server::of(&reports, 5).unwrap().unwrap();
        assert_eq!((server.invocations, server.expected, server.cold, server.failures), (3, 5, 1, 0));
        assert!((server.billed_ms - 18.0).abs() < 1e-9);
        assert_eq!((server.memory_mb, server.max_memory_used_mb), (128, 68));
        assert!((server.duration_ms.unwrap().p50 - 3.25).abs() < 0.01);
        assert!((server.init_ms.unwrap().max - 40.0).abs() < 0.1);
        assert_eq!(Server::of(&[], 5).unwrap(), None);
    }
}
