//! All that was logged during one request.

use super::log_events::{self, LogEvent, Query};
use crate::engine::Step;
use crate::error::Result;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// An environment works on one request at a time, so that everything between the first and the last mention of the
/// request in a stream belongs to it.
///
/// # Errors
/// AWS's refusal.
pub(crate) async fn read(
    step: &Step<'_>,
    group: &str,
    request: &str,
    from_ms: i64,
    mut take: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<()> {
    let mut streams: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let phrase = format!("\"{request}\"");
    let mention = |event: LogEvent| {
        let span = streams.entry(event.stream).or_insert((event.time_ms, event.time_ms));
        *span = (span.0.min(event.time_ms), span.1.max(event.time_ms));
        ControlFlow::Continue(())
    };
    let naming = Query { group, from_ms, to_ms: None, pattern: Some(&phrase), stream: None };
    log_events::read(step, &naming, mention).await?;
    for (stream, (from_ms, to_ms)) in streams {
        let mut around = Vec::new();
        let query = Query { from_ms, to_ms: Some(to_ms), stream: Some(&stream), pattern: None, ..naming };
        let keep = |event| {
            around.push(event);
            ControlFlow::Continue(())
        };
        log_events::read(step, &query, keep).await?;
        for event in between(around, request) {
            if take(event).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// From the first to the last event that names the request.
fn between(events: Vec<LogEvent>, request: &str) -> Vec<LogEvent> {
    let names_it = |event: &LogEvent| event.message.contains(request);
    let first = events.iter().position(names_it).unwrap_or_default();
    let end = events.iter().rposition(names_it).map_or(0, |last| last + 1);
    events.into_iter().take(end).skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_two_mentions_belongs_to_the_request() {
        let event = |message: &str| LogEvent {
            id: String::new(),
            stream: String::new(),
            time_ms: 0,
            message: message.to_owned(),
        };
        let lines = ["END 1", "REPORT 1", "START 2", "a line", "END 2", "REPORT 2", "START 3"];
        let events: Vec<LogEvent> = lines.map(event).to_vec();
        let found = |request: &str| {
            between(events.clone(), request).into_iter().map(|event| event.message).collect::<Vec<_>>()
        };
        assert_eq!(found("2"), lines[2..6]);
        assert_eq!(found("3"), ["START 3"]);
        assert!(found("4").is_empty());
    }
}
