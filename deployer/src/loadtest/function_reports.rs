//! Reads the functions' own reports of a run from their logs.

use super::cost;
use super::function_statistics::{FunctionStatistics, nearly_all};
use crate::app::session::{Connected, Session};
use crate::engine::{Id, Kind, Mode, Pauses};
use crate::invocation::report::Report;
use crate::logs::events;
use crate::names::log_group_of;
use crate::pricing::{Bill, Prices};
use crate::time::{Cadence, ms, secs};
use futures_util::future::join_all;
use loadgen::{LoadPlan, Measurement};
use std::time::{Duration, SystemTime};

/// Reports come some seconds after the invocations, while somebody waits for the result.
static FUNCTION_REPORTS: Cadence = Cadence {
    reason: "CloudWatch Logs to have the function's reports",
    first: ms(500),
    longest: secs(4),
    within: secs(30),
};

/// A report is dated when the function's environment has finished, which is up to this long after the answer.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// AWS's clock is not known to the millisecond, so reports are read from this much earlier on. Surplus ones are left out by
/// their number.
const CLOCKS_DIFFER: Duration = Duration::from_millis(250);

/// Some thousand reports are read a second. Of a large run, those of its last part are enough.
const MOST_REPORTS: u64 = 20_000;

/// Which reports of a run are read.
struct ReportWindow {
    /// When the first and the last report may be dated, by this machine's clock.
    from: SystemTime,
    to: SystemTime,
    /// How many invocations are known to have ended within it.
    expected: u64,
    /// How many invocations there may have been; unknown where only a part of the run is read.
    most: Option<usize>,
}

impl ReportWindow {
    /// Returns `None` for a measurement that was read from a file.
    fn new(plan: &LoadPlan, measurement: &Measurement, function: &str) -> Option<Self> {
        let length = measurement.until_last_answer;
        let last_answer = measurement.measured_from? + length;
        let window = |length: Duration, expected, most| Self {
            from: last_answer - length - CLOCKS_DIFFER,
            to: last_answer + REPORT_AFTER,
            expected,
            most,
        };
        let both = plan.mix.kinds().iter().zip(&measurement.requests);
        let (mut reached, mut most) = (0, 0);
        for (_, counts) in both.filter(|(kind, _)| kind.handler() == function) {
            reached += counts.reached;
            most += counts.ok + counts.failed;
        }
        if reached <= MOST_REPORTS {
            return Some(window(length, reached, usize::try_from(most).ok()));
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of a run are far below what a float holds exactly"
        )]
        let part = MOST_REPORTS as f64 / reached as f64;
        Some(window(length.mul_f64(part), MOST_REPORTS, None))
    }

    /// Whether the reports are complete: nearly all are found, and none was new since the previous reading. Their number alone
    /// does not tell, because reports of the warm-up may be among them.
    fn is_complete(&self, found: usize, before: Option<usize>) -> bool {
        nearly_all(found as u64, self.expected) && before == Some(found)
    }

    /// Leaves out reports of earlier invocations, such as the check whether the URL answers, the warm-up, and, because AWS's
    /// clock is not known exactly, those at another memory setting.
    fn without_earlier(&self, mut reports: Vec<Report>, memory_mb: Option<i32>) -> Vec<Report> {
        reports.retain(|report| memory_mb.is_none_or(|mb| i64::try_from(report.memory_mb) == Ok(mb.into())));
        let too_many = self.most.map_or(0, |most| reports.len().saturating_sub(most));
        reports.split_off(too_many)
    }
}

/// Returns the statistics of each function that was called, as far as its reports are found.
pub(crate) async fn of_all_functions(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
    measurement: &Measurement,
) -> Vec<FunctionStatistics> {
    let functions = plan.mix.handlers().into_iter();
    let all = functions.map(|function| of_function(session, connected, plan, measurement, (function, None)));
    join_all(all).await.into_iter().flatten().collect()
}

/// Returns a function's statistics of a run that has just ended, or of its last part. Call it before anything else is sent
/// to the function. It waits some seconds for the reports, and says so if it has to do without them. The function goes with
/// its memory setting, where that is known.
pub(crate) async fn of_function(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
    measurement: &Measurement,
    (function, memory_mb): (&str, Option<i32>),
) -> Option<FunctionStatistics> {
    let name = session.config.named(function);
    let group = log_group(connected, &name).await;
    let window = ReportWindow::new(plan, measurement, function)?;
    let (from_ms, to_ms) =
        (connected.aws.clock.convert_ms(window.from), connected.aws.clock.convert_ms(window.to));
    let engine = connected.engine(Mode::Plan);
    let statistics = engine.read(Id::new(Kind::LogGroup, &group), async |step| {
        let mut pauses = Pauses::new(&FUNCTION_REPORTS);
        let mut before = None;
        loop {
            let reports = events::reports(step, &group, &name, from_ms, to_ms).await?;
            let found = reports.len();
            if window.is_complete(found, before) || !pauses.wait(step, None).await? {
                return FunctionStatistics::new(
                    &name,
                    &window.without_earlier(reports, memory_mb),
                    window.expected,
                );
            }
            before = Some(found);
        }
    });
    match statistics.await {
        Ok(Some(statistics)) => Some(statistics),
        Ok(None) => {
            session.console.talk(&format!("The reports of {name} itself are not in its log yet."));
            None
        }
        Err(error) => {
            session.console.talk(&format!("The reports of {name} itself could not be read: {error}."));
            None
        }
    }
}

/// Returns what a million such requests cost by these statistics, if prices and all functions are known.
pub(crate) fn cost(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
    statistics: &[FunctionStatistics],
) -> Option<Bill> {
    let prices = Prices::for_region(&connected.aws.scope.region).ok()?;
    let statistics_of =
        |name: &str| statistics.iter().find(|function| function.function == session.config.named(name));
    cost::per_million(&prices, &session.config.manifest, &plan.mix, statistics_of)
}

/// Returns the log group that a function writes to; the default one if Lambda cannot be asked.
async fn log_group(connected: &Connected<'_>, function: &str) -> String {
    let Some(declared) = connected.stack.function(function) else { return log_group_of(function) };
    let observed = connected.found(declared).await.ok().flatten();
    observed
        .map_or_else(|| log_group_of(function), |observed| declared.existing.observed_log_group(&observed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(memory_mb: &[u64]) -> Vec<Report> {
        let report = |(n, mb): (usize, &u64)| {
            let text = format!(
                "REPORT RequestId: {n}\tDuration: 1 ms\tBilled Duration: 2 ms\tMemory Size: {mb} MB\tMax Memory Used: 20 MB\t"
            );
            Report::parse(&text).unwrap()
        };
        memory_mb.iter().enumerate().map(report).collect()
    }

    fn window(expected: u64) -> ReportWindow {
        let most = usize::try_from(expected).ok();
        ReportWindow { from: SystemTime::UNIX_EPOCH, to: SystemTime::UNIX_EPOCH, expected, most }
    }

    fn ids(reports: &[Report]) -> Vec<&str> {
        reports.iter().map(|report| report.request_id.as_str()).collect()
    }

    #[test]
    fn the_last_reports_are_waited_for_unless_nothing_more_comes() {
        let window = window(400);
        for (found, before, complete) in [
            (400, None, false),
            (400, Some(399), false),
            (400, Some(400), true),
            (399, Some(399), true),
            (300, Some(300), false),
        ] {
            assert_eq!(window.is_complete(found, before), complete, "{found} after {before:?}");
        }
    }

    #[test]
    fn what_came_before_the_load_is_left_out() {
        let window = window(3);
        assert_eq!(
            ids(&window.without_earlier(reports(&[128; 4]), None)),
            ["1", "2", "3"],
            "the first was a look"
        );
        assert_eq!(ids(&window.without_earlier(reports(&[128; 2]), None)), ["0", "1"]);
        let mixed = || reports(&[128, 256, 256, 256]);
        assert_eq!(ids(&window.without_earlier(mixed(), Some(256))), ["1", "2", "3"]);
        let part = ReportWindow { most: None, ..window };
        assert_eq!(part.without_earlier(mixed(), None).len(), 4);
    }
}
