//! What is found out when a run is over: what the function says itself, and what that costs.

use super::super::{Connected, Session};
use super::price;
use crate::cost::{Bill, Prices};
use crate::engine::Mode;
use crate::invocation::log_events;
use crate::load::{Measurement, Plan, Server};
use crate::names::log_group_of;
use crate::resource::{Id, Kind};
use crate::retry::{FUNCTION_REPORTS, Pauses};
use std::time::{Duration, SystemTime};

/// Reports are read by some thousand a second. Of a large run, those of its last part say the same.
const MOST_REPORTS: u32 = 20_000;

/// The reports of a run that has just ended, or of its last part. They come some seconds after the invocations.
pub(in crate::commands) async fn server(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    measurement: &Measurement,
    ended: SystemTime,
    function: &str,
) -> Option<Server> {
    let group = log_group_of(&session.config.named(function));
    let length = measurement.until_last_answer;
    let read = length.min(Duration::from_secs(u64::from((MOST_REPORTS / plan.schedule.rate).max(1))));
    let (from_ms, to_ms) = (since_1970(ended - read), since_1970(ended));
    let reached = measurement.counts.ok + measurement.counts.errors;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a count"
    )]
    let expected = (reached as f64 * read.as_secs_f64() / length.as_secs_f64().max(0.001)) as u64;
    let go = at.engine(Mode::Plan);
    let found = go.read(Id::new(Kind::LogGroup, &group), async |step| {
        let mut pauses = Pauses::new(&FUNCTION_REPORTS);
        loop {
            let reports = log_events::reports(step, &group, from_ms, to_ms).await?;
            // Those at both ends fall out of the span or into it, as clocks differ.
            if reports.len() as u64 >= expected - expected / 20 || !pauses.wait(step, None).await? {
                return Server::of(&reports, expected);
            }
        }
    });
    match found.await {
        Ok(Some(server)) => Some(server),
        Ok(None) => {
            session.console.talk("The function's own reports are not in its log yet.");
            None
        }
        Err(error) => {
            session.console.talk(&format!("The function's own reports could not be read: {error}."));
            None
        }
    }
}

/// What a million such requests cost, by what the function was billed.
pub(super) fn cost(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    server: &Server,
    function: &str,
) -> Option<Bill> {
    let manifest = &session.config.manifest;
    let prices = Prices::of(&at.aws.scope.region).ok()?;
    let declared = manifest.functions.get(function)?;
    Some(price::of_a_million(&prices, manifest, declared, &plan.mix, server.billed_ms))
}

fn since_1970(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
