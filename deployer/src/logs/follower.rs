//! Follows a log while it is written. The most recent time range is read repeatedly, and each new event is passed on once.

use super::events::{self, LogEvent, LogQuery, now_ms};
use crate::engine::{Engine, Id, Kind};
use crate::error::{AwsError, Hint, Result, Verb};
use crate::time::{Stop, pause, unless_stopped};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

/// `CloudWatch` Logs allows five such calls a second in small regions, for the whole account.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How far back each poll reads again, in milliseconds. Events arrive out of order: an event appears some seconds after it
/// was written, and a later event of another environment may appear before it.
const OVERLAP_MS: i64 = 60_000;

/// How wrong this machine's clock may be, in milliseconds. AWS refuses requests whose time is more than five minutes off.
const MAX_CLOCK_ERROR_MS: i64 = 300_000;

/// Polls a log until Ctrl-C, or until `on_event` breaks. An unreachable service or a missing log group is not an error:
/// `notify` tells the user once, and polling goes on.
///
/// `engine` is called before each poll, so that each poll has the full `--timeout`.
///
/// # Errors
/// A refusal of AWS.
pub(crate) async fn follow<'a>(
    engine: impl Fn() -> Engine<'a>,
    stop: &Stop,
    query: &LogQuery<'_>,
    mut on_event: impl FnMut(LogEvent) -> ControlFlow<()>,
    notify: impl Fn(Hint),
) -> Result<()> {
    let id = Id::new(Kind::LogGroup, query.group);
    let mut position = ReadPosition::new(query.from_ms);
    let mut previous = LogState::Readable;
    loop {
        let poll_start_ms = now_ms();
        let query = LogQuery { from_ms: position.next_ms, ..query.clone() };
        let mut flow = ControlFlow::Continue(());
        let pass_on_new = |event: LogEvent| {
            if position.is_new(&event, poll_start_ms) {
                flow = on_event(event);
            }
            flow
        };
        let engine = engine();
        let read = engine.read(id.clone(), async |step| events::read(step, &query, pass_on_new).await);
        let Ok(exists) = unless_stopped(stop, read).await else { return Ok(()) };
        if flow.is_break() || stop.is_set() {
            return Ok(());
        }
        let (state, cause) = match exists {
            Ok(true) => {
                position.complete_poll(poll_start_ms);
                (LogState::Readable, String::new())
            }
            Ok(false) => (LogState::Absent, String::new()),
            Err(error) if error.aws().is_some_and(AwsError::is_outage) => {
                (LogState::Unreachable, error.to_string())
            }
            Err(error) => return Err(error),
        };
        if state != previous {
            notify(match state {
                LogState::Readable => format!("The {id} can be read now.").into(),
                LogState::Absent => Hint::from(format!("There is no {id}: "))
                    .command(Verb::Up)
                    .text(" makes it. Looking on until Ctrl-C."),
                LogState::Unreachable => {
                    format!("No answer from CloudWatch Logs, asking on until Ctrl-C: {cause}").into()
                }
            });
        }
        previous = state;
        if pause(stop, POLL_INTERVAL).await.is_err() {
            return Ok(());
        }
    }
}

/// The state of the log, according to a poll.
#[derive(PartialEq, Eq)]
enum LogState {
    Readable,
    /// The log group does not exist.
    Absent,
    /// The service did not answer, or answered with a server error.
    Unreachable,
}

/// Which events of a log have been read. Pure.
///
/// The start of the next poll follows the timestamps of events, except timestamps in the future, which are wrong. Without
/// events it follows this machine's clock, minus its possible error.
#[derive(Debug)]
struct ReadPosition {
    /// The start of the next poll, in milliseconds since 1970.
    next_ms: i64,
    /// The events that the next polls will return again.
    recent_events: BTreeSet<(i64, String)>,
}

impl ReadPosition {
    /// Starts at this time, in milliseconds since 1970.
    fn new(start_ms: i64) -> Self {
        Self { next_ms: start_ms, recent_events: BTreeSet::new() }
    }

    /// Records an event of a poll that started at `poll_start_ms`, and returns whether it is new.
    fn is_new(&mut self, event: &LogEvent, poll_start_ms: i64) -> bool {
        let is_new = self.recent_events.insert((event.time_ms, event.id.clone()));
        if event.time_ms <= poll_start_ms {
            self.advance(event.time_ms - OVERLAP_MS);
        }
        is_new
    }

    /// Records that a poll that started at `poll_start_ms` has read all events.
    fn complete_poll(&mut self, poll_start_ms: i64) {
        self.advance(poll_start_ms - OVERLAP_MS - MAX_CLOCK_ERROR_MS);
    }

    /// Moves the start of the next poll forward, never back, and forgets the events before it.
    fn advance(&mut self, from_ms: i64) {
        self.next_ms = self.next_ms.max(from_ms);
        while self.recent_events.first().is_some_and(|(time_ms, _)| *time_ms < self.next_ms) {
            self.recent_events.pop_first();
        }
    }
}

#[cfg(test)]
mod tests;
