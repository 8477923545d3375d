//! All that was logged during one request.
//!
//! Few lines name the request, but an environment works on one at a time: in its stream, everything from `START` to
//! `END` and `REPORT` belongs to the request. A function whose log format is JSON has records `platform.start` and
//! `platform.report` instead.

use super::events::{self, LogEvent, Query};
use crate::engine::Step;
use crate::error::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Lambda lets no invocation run for longer than 15 minutes, and writes its report a little later. In milliseconds.
const LONGEST_MS: i64 = 16 * 60_000;

/// Hands over what was logged during a request, when some of it was logged since then, in milliseconds since 1970: all
/// of it, also what is older. An asynchronous request that failed is tried again under its id, maybe elsewhere.
///
/// # Errors
/// AWS's refusal.
pub(crate) async fn read(
    step: &Step<'_>,
    group: &str,
    request: &str,
    since_ms: i64,
    mut take: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<()> {
    let phrase = format!("\"{request}\"");
    let from_ms = since_ms - LONGEST_MS;
    let naming = Query { group, from_ms, to_ms: None, pattern: Some(&phrase), stream: None };
    let mut streams = BTreeMap::new();
    let mention = |event: LogEvent| {
        let mentions = Mentions { first_ms: event.time_ms, last_ms: event.time_ms, runs: false };
        streams.entry(event.stream.clone()).or_insert(mentions).add(&event);
        ControlFlow::Continue(())
    };
    events::read(step, &naming, mention).await?;
    let mut streams: Vec<_> = streams.into_iter().collect();
    streams.sort_by_key(|(_, mentions)| mentions.first_ms);
    for (stream, Mentions { first_ms, last_ms, runs }) in streams {
        let to_ms = (!runs).then_some(last_ms);
        let around = Query { from_ms: first_ms, to_ms, pattern: None, stream: Some(&stream), ..naming };
        let mut events = Vec::new();
        let keep = |event: LogEvent| {
            if event.time_ms > last_ms && Mark::of(&event) == Some(Mark::Start) {
                return ControlFlow::Break(());
            }
            events.push(event);
            ControlFlow::Continue(())
        };
        events::read(step, &around, keep).await?;
        let found = during(&events, request);
        if found.last().is_none_or(|last| last.time_ms < since_ms) {
            continue;
        }
        for event in found {
            if take(event.clone()).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Where a stream names the request.
struct Mentions {
    first_ms: i64,
    last_ms: i64,
    /// Whether it was started, and its end is not found yet.
    runs: bool,
}

impl Mentions {
    fn add(&mut self, event: &LogEvent) {
        self.first_ms = self.first_ms.min(event.time_ms);
        self.last_ms = self.last_ms.max(event.time_ms);
        match Mark::of(event) {
            Some(Mark::Start) => self.runs = true,
            Some(Mark::End) => self.runs = false,
            None => {}
        }
    }
}

/// What Lambda writes before and after each request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Start,
    End,
}

impl Mark {
    fn of(event: &LogEvent) -> Option<Self> {
        let message = &event.message;
        let begins = |with: &str| message.starts_with(with);
        if begins("START RequestId: ") {
            return Some(Self::Start);
        }
        if begins("END RequestId: ") || begins("REPORT RequestId: ") {
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

/// Those events of a stream that were written during the request. Where Lambda does not write when it starts (a
/// function may be set to log warnings only), these are all from the first to the last that names it.
fn during<'e>(events: &'e [LogEvent], request: &str) -> Vec<&'e LogEvent> {
    let names_it = |event: &LogEvent| event.message.contains(request);
    let marks = |event: &LogEvent, mark: Mark| Mark::of(event) == Some(mark);
    let starts = |event: &LogEvent| marks(event, Mark::Start) && names_it(event);
    if !events.iter().any(starts) {
        let first = events.iter().position(names_it).unwrap_or_default();
        let end = events.iter().rposition(names_it).map_or(0, |last| last + 1);
        return events[first..end].iter().collect();
    }
    let tries = events.chunk_by(|_, next| !starts(next)).filter(|events| starts(&events[0]));
    let its_own = |events: &'e [LogEvent]| {
        let end = events.iter().rposition(|event| marks(event, Mark::End) && names_it(event));
        // What runs on ends at the latest where another request starts.
        let end = end.map(|end| end + 1);
        let end = end.or_else(|| Some(1 + events[1..].iter().position(|event| marks(event, Mark::Start))?));
        &events[..end.unwrap_or(events.len())]
    };
    tries.flat_map(its_own).collect()
}

#[cfg(test)]
mod tests;
