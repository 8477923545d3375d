//! Reads the log of one request.
//!
//! Few log lines contain the request id, but an execution environment handles one request at a time: in its log stream,
//! everything from `START` to `END` and `REPORT` belongs to the request. In the JSON log format, the records
//! `platform.start` and `platform.report` mark it.

use super::events::{self, LogEvent, LogQuery};
use crate::engine::Step;
use crate::error::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The longest time from `START` to `REPORT`, in milliseconds. Lambda ends an invocation after 15 minutes and writes the
/// report a little later.
const MAX_DURATION_MS: i64 = 16 * 60_000;

/// Passes all events of a request to `on_event`, if any of them was written after `since_ms` (milliseconds since 1970).
///
/// Lambda retries a failed asynchronous request under the same id, perhaps in another execution environment. Attempts that
/// ended before `since_ms` are left out.
///
/// # Errors
/// A refusal of AWS.
pub(crate) async fn read(
    step: &Step<'_>,
    group: &str,
    request_id: &str,
    since_ms: i64,
    mut on_event: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<()> {
    let pattern = format!("\"{request_id}\"");
    let from_ms = since_ms - MAX_DURATION_MS;
    let mentions_query = LogQuery { group, from_ms, to_ms: None, pattern: Some(&pattern), stream: None };
    let mut streams = BTreeMap::new();
    let add_mention = |event: LogEvent| {
        let mentions = Mentions { first_ms: event.time_ms, last_ms: event.time_ms, is_running: false };
        streams.entry(event.stream.clone()).or_insert(mentions).add(&event);
        ControlFlow::Continue(())
    };
    events::read(step, &mentions_query, add_mention).await?;
    let mut streams: Vec<_> = streams.into_iter().collect();
    streams.sort_by_key(|(_, mentions)| mentions.first_ms);
    for (stream, Mentions { first_ms, last_ms, is_running }) in streams {
        let to_ms = (!is_running).then_some(last_ms);
        let stream_query =
            LogQuery { from_ms: first_ms, to_ms, pattern: None, stream: Some(&stream), ..mentions_query };
        let mut events = Vec::new();
        let collect = |event: LogEvent| {
            if event.time_ms > last_ms && Boundary::from_event(&event) == Some(Boundary::Start) {
                return ControlFlow::Break(());
            }
            events.push(event);
            ControlFlow::Continue(())
        };
        events::read(step, &stream_query, collect).await?;
        let request_events = events_of_request(&events, request_id);
        if request_events.last().is_none_or(|last| last.time_ms < since_ms) {
            continue;
        }
        for event in request_events {
            if on_event(event.clone()).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The events of a stream that contain the request id.
struct Mentions {
    first_ms: i64,
    last_ms: i64,
    /// Whether the request has started and its end is not logged yet.
    is_running: bool,
}

impl Mentions {
    fn add(&mut self, event: &LogEvent) {
        self.first_ms = self.first_ms.min(event.time_ms);
        self.last_ms = self.last_ms.max(event.time_ms);
        match Boundary::from_event(event) {
            Some(Boundary::Start) => self.is_running = true,
            Some(Boundary::End) => self.is_running = false,
            None => {}
        }
    }
}

/// An event that Lambda writes before or after each request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boundary {
    Start,
    End,
}

impl Boundary {
    fn from_event(event: &LogEvent) -> Option<Self> {
        let message = &event.message;
        if message.starts_with("START RequestId: ") {
            return Some(Self::Start);
        }
        if message.starts_with("END RequestId: ") || message.starts_with("REPORT RequestId: ") {
            return Some(Self::End);
        }
        if !message.contains("platform.") {
            return None;
        }
        let record: Value = serde_json::from_str(message).ok()?;
        match record["type"].as_str()? {
            "platform.start" => Some(Self::Start),
            "platform.report" => Some(Self::End),
            _ => None,
        }
    }
}

/// Selects the events of a stream that were written during the request. Lambda logs no start if the function's system log
/// level is set to warnings; then these are the events from the first to the last that contain the request id.
fn events_of_request<'e>(events: &'e [LogEvent], request_id: &str) -> Vec<&'e LogEvent> {
    let mentions = |event: &LogEvent| event.message.contains(request_id);
    let is_boundary = |event: &LogEvent, boundary| Boundary::from_event(event) == Some(boundary);
    let is_start = |event: &LogEvent| is_boundary(event, Boundary::Start) && mentions(event);
    if !events.iter().any(is_start) {
        let first = events.iter().position(mentions).unwrap_or_default();
        let end = events.iter().rposition(mentions).map_or(0, |last| last + 1);
        return events[first..end].iter().collect();
    }
    let attempts = events.chunk_by(|_, next| !is_start(next)).filter(|events| is_start(&events[0]));
    let up_to_end = |events: &'e [LogEvent]| {
        let last = events.iter().rposition(|event| is_boundary(event, Boundary::End) && mentions(event));
        let end = last.map(|last| last + 1);
        // Without a logged end, the attempt ends before the next request starts.
        let next_start = || events[1..].iter().position(|event| is_boundary(event, Boundary::Start));
        let end = end.or_else(|| Some(1 + next_start()?));
        &events[..end.unwrap_or(events.len())]
    };
    attempts.flat_map(up_to_end).collect()
}

#[cfg(test)]
mod tests;
