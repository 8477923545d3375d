//! What is found out when a run is over: what the function says itself, and what that costs.

use super::price;
use crate::app::session::{Connected, Session};
use crate::engine::{Id, Kind, Mode, Pauses};
use crate::invocation::report::Report;
use crate::load::{Measurement, Plan, Server, nearly_all};
use crate::logs::events;
use crate::names::log_group_of;
use crate::pricing::{Bill, Prices};
use crate::time::{Cadence, ms, secs};
use futures_util::future::join_all;
use std::time::{Duration, SystemTime};

/// Reports of a function are in its log some seconds after the invocations. Somebody waits for a result that is there.
static FUNCTION_REPORTS: Cadence = Cadence {
    reason: "CloudWatch Logs to have the function's reports",
    first: ms(500),
    longest: secs(4),
    within: secs(30),
};

/// A report is dated when the function's environment has finished, which is after the answer. So much later is looked.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// AWS's clock is not known to the millisecond. So much earlier is looked; what is too much is left out by its number.
const CLOCKS_DIFFER: Duration = Duration::from_millis(250);

/// Reports are read by some thousand a second. Of a large run, those of its last part say the same.
const MOST_REPORTS: u64 = 20_000;

/// Of a run that has just ended, what its reports are looked for by.
struct Span {
    /// When the first and the last report may be dated, by this machine's clock.
    from: SystemTime,
    to: SystemTime,
    /// How many invocations are known to have ended within it.
    expected: u64,
    /// How many there may have been; where only a part is looked at, nobody knows.
    most: Option<usize>,
}

impl Span {
    /// `None` for a result that was read from a file.
    fn of(plan: &Plan, measurement: &Measurement, function: &str) -> Option<Self> {
        let length = measurement.until_last_answer;
        let last_answer = measurement.measured_from? + length;
        let span = |length: Duration, expected, most| Self {
            from: last_answer - length - CLOCKS_DIFFER,
            to: last_answer + REPORT_AFTER,
            expected,
            most,
        };
        let both = plan.mix.requests.iter().zip(&measurement.requests);
        let (mut reached, mut most) = (0, 0);
        for (_, counts) in both.filter(|(request, _)| request.function == function) {
            reached += counts.reached;
            most += counts.ok + counts.failed;
        }
        if reached <= MOST_REPORTS {
            return Some(span(length, reached, usize::try_from(most).ok()));
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of a run are far below what a float holds exactly"
        )]
        let part = MOST_REPORTS as f64 / reached as f64;
        Some(span(length.mul_f64(part), MOST_REPORTS, None))
    }

    /// Whether to look no further: nearly all reports are found, and none was new since the look before. Their number alone
    /// does not tell, because reports of the warm-up may be among them.
    fn is_complete(&self, found: usize, before: Option<usize>) -> bool {
        nearly_all(found as u64, self.expected) && before == Some(found)
    }

    /// What came before the load, as the look whether the URL answers, or its warm-up, may be reported within it. So may
    /// what was invoked at another memory setting, if AWS's clock is not known exactly.
    fn of_the_load(&self, mut reports: Vec<Report>, memory_mb: Option<i32>) -> Vec<Report> {
        reports.retain(|report| memory_mb.is_none_or(|mb| i64::try_from(report.memory_mb) == Ok(mb.into())));
        let too_many = self.most.map_or(0, |most| reports.len().saturating_sub(most));
        reports.split_off(too_many)
    }
}

/// What each function that was asked says itself, if it does.
pub(super) async fn servers(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    measurement: &Measurement,
) -> Vec<Server> {
    let all = plan.mix.functions().into_iter();
    let all = all.map(|function| server(session, at, plan, measurement, (function, None)));
    join_all(all).await.into_iter().flatten().collect()
}

/// The reports of a run that has just ended, or of its last part, before anything else is sent to the function. They come
/// some seconds after the invocations. With the function goes its memory setting, where it is known.
pub(in crate::commands) async fn server(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    measurement: &Measurement,
    (function, memory_mb): (&str, Option<i32>),
) -> Option<Server> {
    let name = session.config.named(function);
    let group = log_group(at, &name).await;
    let span = Span::of(plan, measurement, function)?;
    let (from_ms, to_ms) = (at.aws.clock.at_ms(span.from), at.aws.clock.at_ms(span.to));
    let go = at.engine(Mode::Plan);
    let found = go.read(Id::new(Kind::LogGroup, &group), async |step| {
        let mut pauses = Pauses::new(&FUNCTION_REPORTS);
        let mut before = None;
        loop {
            let reports = events::reports(step, &group, &name, from_ms, to_ms).await?;
            let found = reports.len();
            if span.is_complete(found, before) || !pauses.wait(step, None).await? {
                return Server::of(&name, &span.of_the_load(reports, memory_mb), span.expected);
            }
            before = Some(found);
        }
    });
    match found.await {
        Ok(Some(server)) => Some(server),
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

/// What a million such requests cost, by what the functions were billed.
pub(super) fn cost(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    servers: &[Server],
) -> Option<Bill> {
    let prices = Prices::of(&at.aws.scope.region).ok()?;
    let of = |name: &str| servers.iter().find(|server| server.function == session.config.named(name));
    price::of_a_million(&prices, &session.config.manifest, &plan.mix, of)
}

/// The log group that a function writes to; the stack's own if Lambda cannot be asked.
async fn log_group(at: &Connected<'_>, function: &str) -> String {
    let Some(declared) = at.stack.function(function) else { return log_group_of(function) };
    let seen = at.found(declared).await.ok().flatten();
    seen.map_or_else(|| log_group_of(function), |seen| declared.existing.observed_log_group(&seen))
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

    fn span(expected: u64) -> Span {
        let most = usize::try_from(expected).ok();
        Span { from: SystemTime::UNIX_EPOCH, to: SystemTime::UNIX_EPOCH, expected, most }
    }

    fn ids(reports: &[Report]) -> Vec<&str> {
        reports.iter().map(|report| report.request_id.as_str()).collect()
    }

    #[test]
    fn the_last_reports_are_waited_for_unless_nothing_more_comes() {
        let span = span(400);
        for (found, before, complete) in [
            (400, None, false),
            (400, Some(399), false),
            (400, Some(400), true),
            (399, Some(399), true),
            (300, Some(300), false),
        ] {
            assert_eq!(span.is_complete(found, before), complete, "{found} after {before:?}");
        }
    }

    #[test]
    fn what_came_before_the_load_is_left_out() {
        let span = span(3);
        assert_eq!(ids(&span.of_the_load(reports(&[128; 4]), None)), ["1", "2", "3"], "the first was a look");
        assert_eq!(ids(&span.of_the_load(reports(&[128; 2]), None)), ["0", "1"]);
        let mixed = || reports(&[128, 256, 256, 256]);
        assert_eq!(ids(&span.of_the_load(mixed(), Some(256))), ["1", "2", "3"]);
        let part = Span { most: None, ..span };
        assert_eq!(part.of_the_load(mixed(), None).len(), 4);
    }
}
