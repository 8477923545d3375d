//! `logs`: what a function wrote, and what Lambda wrote about it.

use super::{Connected, Session};
use crate::aws::Access;
use crate::cli::{Logs, Output};
use crate::engine::Mode;
use crate::error::{Error, Result};
use crate::invocation::log_events::{self, LogEvent, Query};
use crate::invocation::log_follow::Follow;
use crate::report::json::Document;
use crate::report::text::span;
use crate::resource::Resource as _;
use crate::resources::log_group::LogGroup;
use crate::retry::{pause, unless_stopped};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `CloudWatch` Logs lets five such calls a second through in small regions, and others ask too.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the document has of it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    function: &'a str,
    log_group: &'a str,
    /// In milliseconds since 1970.
    from_ms: i64,
    events: &'a [LogEvent],
}

pub(crate) async fn run(session: &Session<'_>, args: &Logs, document: &mut Document) -> Result<u8> {
    if args.follow && session.config.output == Output::Json {
        return Err(Error::usage("--follow has no end, and --output json is one document").hint(
            "Without --output json, what does not go to a terminal is each message as it was written.",
        ));
    }
    let name = session.config.named(session.function(args.function.as_deref())?);
    let at = session.connect(Access::ReadOnly, document).await?;
    let Some(group) = at.stack.log_group(&name) else {
        return Err(Error::new(format!("the stack has no function {name}")));
    };
    let from_ms = now_ms() - i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    if at.found(group).await?.is_none() {
        session.console.talk(&format!("There is no {}: {} is not up.", group.id(), at.place()));
        document.own(&Shown { function: &name, log_group: &group.name, from_ms, events: &[] });
        return Ok(0);
    }
    let look = Look { session, at: &at, group, pattern: args.filter.as_deref() };
    if args.follow {
        return look.follow(from_ms).await;
    }
    let mut events = Vec::new();
    let mut take = |event: LogEvent| {
        let goes_on = session.console.log(event.time_ms, &event.message);
        events.push(event);
        goes_on
    };
    match &args.request_id {
        None => look.once(from_ms, &mut take).await?,
        Some(request) => look.request(request, from_ms, &mut take).await?,
    }
    document.own(&Shown { function: &name, log_group: &group.name, from_ms, events: &events });
    if events.is_empty() {
        let fits = if args.filter.is_some() || args.request_id.is_some() { " that fits" } else { "" };
        session.console.talk(&format!("Nothing{fits} was logged in the last {}.", span(args.since)));
    }
    Ok(0)
}

/// One log group, and how it is looked at.
struct Look<'a> {
    session: &'a Session<'a>,
    at: &'a Connected<'a>,
    group: &'a LogGroup,
    pattern: Option<&'a str>,
}

impl Look<'_> {
    fn query(&self, from_ms: i64) -> Query<'_> {
        Query { group: &self.group.name, from_ms, to_ms: None, pattern: self.pattern, stream: None }
    }

    async fn read(&self, query: &Query<'_>, take: impl FnMut(LogEvent) -> ControlFlow<()>) -> Result<()> {
        let go = self.at.engine(Mode::Plan);
        let read = go.read(self.group.id(), async |step| log_events::read(step, query, take).await);
        unless_stopped(self.session.stop, read).await??;
        Ok(())
    }

    async fn once(&self, from_ms: i64, take: &mut impl FnMut(LogEvent) -> ControlFlow<()>) -> Result<()> {
        self.read(&self.query(from_ms), take).await
    }

    /// All that one invocation wrote. An environment works on one request at a time, so that everything between the
    /// first and the last mention of the request in a stream belongs to it.
    async fn request(
        &self,
        request: &str,
        from_ms: i64,
        take: &mut impl FnMut(LogEvent) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut streams: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        let phrase = format!("\"{request}\"");
        let mention = |event: LogEvent| {
            let span = streams.entry(event.stream).or_insert((event.time_ms, event.time_ms));
            *span = (span.0.min(event.time_ms), span.1.max(event.time_ms));
            ControlFlow::Continue(())
        };
        self.read(&Query { pattern: Some(&phrase), ..self.query(from_ms) }, mention).await?;
        for (stream, (from_ms, to_ms)) in streams {
            let mut around = Vec::new();
            let query =
                Query { to_ms: Some(to_ms), stream: Some(&stream), pattern: None, ..self.query(from_ms) };
            let keep = |event| {
                around.push(event);
                ControlFlow::Continue(())
            };
            self.read(&query, keep).await?;
            for event in between(around, request) {
                if take(event).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Until Ctrl-C, or until nobody reads any more.
    async fn follow(&self, from_ms: i64) -> Result<u8> {
        let mut follow = Follow::from(from_ms);
        let mut open = ControlFlow::Continue(());
        loop {
            let from_ms = follow.next_ms();
            let take = |event: LogEvent| {
                if follow.is_new(&event) {
                    open = self.session.console.log(event.time_ms, &event.message);
                }
                open
            };
            let read = self.read(&self.query(from_ms), take).await;
            if self.session.stop.is_set() || open.is_break() {
                return Ok(0);
            }
            read?;
            follow.forget();
            if pause(self.session.stop, LOOK_EVERY).await.is_err() {
                return Ok(0);
            }
        }
    }
}

/// From the first to the last event that names the request.
fn between(events: Vec<LogEvent>, request: &str) -> Vec<LogEvent> {
    let names_it = |event: &LogEvent| event.message.contains(request);
    let first = events.iter().position(names_it).unwrap_or_default();
    let end = events.iter().rposition(names_it).map_or(0, |last| last + 1);
    events.into_iter().take(end).skip(first).collect()
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
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
