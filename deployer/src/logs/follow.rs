//! A log while it is written: the same span of time is read again and again, and what is new in it is handed over.

use super::events::{self, LogEvent, Query, now_ms};
use crate::engine::{Engine, Id, Kind};
use crate::error::{AwsError, Hint, Result, Verb};
use crate::time::{Stop, pause, unless_stopped};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

/// `CloudWatch` Logs lets five such calls a second through in small regions, and others ask too.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Events come out of order: one is found some seconds after it was written, and another environment's later one may
/// be found before it. So far back is looked again, in milliseconds.
const OVERLAP_MS: i64 = 60_000;

/// AWS turns requests away whose clock is more than five minutes wrong. This machine's may be so far from the one by
/// which events are dated, in milliseconds.
const CLOCKS_DIFFER_MS: i64 = 300_000;

/// Looks until Ctrl-C, or until what is new is no longer taken. What passes is said once and waited out: that the
/// service is not heard, and that there is no log group, or none any more.
///
/// `engine` is asked before each look, so that each has the whole of `--timeout`.
///
/// # Errors
/// AWS's refusal.
pub(crate) async fn follow<'a>(
    engine: impl Fn() -> Engine<'a>,
    stop: &Stop,
    query: &Query<'_>,
    mut take: impl FnMut(LogEvent) -> ControlFlow<()>,
    say: impl Fn(Hint),
) -> Result<()> {
    let id = Id::new(Kind::LogGroup, query.group);
    let mut follow = Follow::from(query.from_ms);
    let mut before = State::Readable;
    loop {
        let began_ms = now_ms();
        let query = Query { from_ms: follow.next_ms, ..query.clone() };
        let mut open = ControlFlow::Continue(());
        let new = |event: LogEvent| {
            if follow.is_new(&event, began_ms) {
                open = take(event);
            }
            open
        };
        let go = engine();
        let read = go.read(id.clone(), async |step| events::read(step, &query, new).await);
        let Ok(read) = unless_stopped(stop, read).await else { return Ok(()) };
        if open.is_break() || stop.is_set() {
            return Ok(());
        }
        let (state, why) = match read {
            Ok(true) => {
                follow.all_read(began_ms);
                (State::Readable, String::new())
            }
            Ok(false) => (State::Absent, String::new()),
            Err(error) if error.aws().is_some_and(AwsError::is_outage) => (State::Silent, error.to_string()),
            Err(error) => return Err(error),
        };
        if state != before {
            say(match state {
                State::Readable => format!("The {id} can be read now.").into(),
                State::Absent => Hint::from(format!("There is no {id}: "))
                    .command(Verb::Up)
                    .text(" makes it. Looking on until Ctrl-C."),
                State::Silent => {
                    format!("No answer from CloudWatch Logs, asking on until Ctrl-C: {why}").into()
                }
            });
        }
        before = state;
        if pause(stop, LOOK_EVERY).await.is_err() {
            return Ok(());
        }
    }
}

/// What a look came to.
#[derive(PartialEq, Eq)]
enum State {
    Readable,
    /// There is no log group.
    Absent,
    /// The service was not heard, or broke.
    Silent,
}

/// What was seen of a log so far. Pure.
///
/// Where the next look begins goes by the events' own clock, as long as it is not ahead of this machine's: an event
/// may be dated wrongly. Without events it goes by this machine's clock, which may be wrong too.
#[derive(Debug)]
struct Follow {
    /// Where to look from the next time, in milliseconds since 1970.
    next_ms: i64,
    /// What may be found again.
    seen: BTreeSet<(i64, String)>,
}

impl Follow {
    /// From this moment on, in milliseconds since 1970.
    fn from(start_ms: i64) -> Self {
        Self { next_ms: start_ms, seen: BTreeSet::new() }
    }

    /// Whether this event, found by a look that began then, was not seen before.
    fn is_new(&mut self, event: &LogEvent, began_ms: i64) -> bool {
        let is_new = self.seen.insert((event.time_ms, event.id.clone()));
        if event.time_ms <= began_ms {
            self.go_on_from(event.time_ms - OVERLAP_MS);
        }
        is_new
    }

    /// A look that began then has read everything.
    fn all_read(&mut self, began_ms: i64) {
        self.go_on_from(began_ms - OVERLAP_MS - CLOCKS_DIFFER_MS);
    }

    /// Never goes back. Forgets what is not looked at again.
    fn go_on_from(&mut self, from_ms: i64) {
        self.next_ms = self.next_ms.max(from_ms);
        while self.seen.first().is_some_and(|(time_ms, _)| *time_ms < self.next_ms) {
            self.seen.pop_first();
        }
    }
}

#[cfg(test)]
mod tests;
