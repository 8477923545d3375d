//! `logs`: what a function wrote, and what Lambda wrote about it.

use crate::app::session::Session;
use crate::aws::Access;
use crate::cli::{Logs, Output};
use crate::engine::{Id, Kind, Mode};
use crate::error::{Error, ExitStatus, Result};
use crate::logs::events::{self, LogEvent, Query};
use crate::logs::{follow, request};
use crate::output::json::Document;
use crate::output::text::span;
use crate::time::unless_stopped;
use serde::Serialize;
use std::ops::ControlFlow;

/// What the document has of it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    function: &'a str,
    log_group: &'a str,
    /// In milliseconds since 1970.
    from_ms: i64,
    events: &'a [LogEvent],
}

pub(crate) async fn run(session: &Session<'_>, args: &Logs, document: &mut Document) -> Result<ExitStatus> {
    if args.follow && session.config.output == Output::Json {
        return Err(Error::usage("--follow has no end, and --output json is one document").hint(
            "Without --output json, what does not go to a terminal is each message as it was written.",
        ));
    }
    let name = session.config.named(session.function(args.function.as_deref())?);
    let at = session.connect(Access::ReadOnly, document).await?;
    let (Some(function), Some(group)) = (at.stack.function(&name), at.stack.log_group(&name)) else {
        return Err(Error::new(format!("the stack has no function {name}")));
    };
    let (function_found, group_found) = tokio::join!(at.found(function), at.found(group));
    let elsewhere = function_found.as_ref().ok().and_then(Option::as_ref);
    let elsewhere = elsewhere
        .map(|seen| function.existing.observed_log_group(seen))
        .filter(|other| *other != group.existing.name);
    let exists = match &elsewhere {
        Some(other) => {
            session.console.talk(&format!("{name} logs to {other}, and not to {}.", group.existing.name));
            true
        }
        None => group_found?.is_some(),
    };
    if !exists && function_found?.is_none() {
        // Whose log it would be.
        at.standing(function).await?;
    }
    let group = Id::new(Kind::LogGroup, elsewhere.unwrap_or_else(|| group.existing.name.clone()));
    let from_ms = at.aws.clock.now_ms() - i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let query =
        Query { group: &group.name, from_ms, to_ms: None, pattern: args.filter.as_deref(), stream: None };
    let engine = || at.engine(Mode::Plan);
    if args.follow {
        let take = |event: LogEvent| {
            if !event.is_from(&name) {
                return ControlFlow::Continue(());
            }
            session.console.log(event.time_ms, &event.message)
        };
        let say = |text: &str| session.console.talk(&session.console.advice(text));
        follow::follow(engine, session.stop, &query, take, say).await?;
        return Ok(ExitStatus::Success);
    }
    let mut found = Found::new(session.config.output);
    if exists {
        let take = |event: LogEvent| {
            if !event.is_from(&name) {
                return ControlFlow::Continue(());
            }
            let goes_on = session.console.log(event.time_ms, &event.message);
            found.add(event);
            goes_on
        };
        let go = engine();
        let read = go.read(group.clone(), async |step| match &args.request_id {
            None => events::read(step, &query, take).await.map(|_| ()),
            Some(request) => request::read(step, &group.name, request, from_ms, take).await,
        });
        unless_stopped(session.stop, read).await??;
    }
    document.own(&Shown { function: &name, log_group: &group.name, from_ms, events: &found.events });
    if !exists {
        let absent = format!("There is no {group}: deployer up makes it.");
        session.console.talk(&session.console.advice(&absent));
    } else if !found.any {
        let fits = if args.filter.is_some() || args.request_id.is_some() { " that fits" } else { "" };
        session.console.talk(&format!("Nothing{fits} was logged in the last {}.", span(args.since)));
    }
    Ok(ExitStatus::Success)
}

/// What was found. Only a document needs the events after they were shown, and a log may be larger than memory.
struct Found {
    keeps: bool,
    any: bool,
    events: Vec<LogEvent>,
}

impl Found {
    fn new(output: Output) -> Self {
        Self { keeps: output == Output::Json, any: false, events: Vec::new() }
    }

    fn add(&mut self, event: LogEvent) {
        self.any = true;
        if self.keeps {
            self.events.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_for_a_document_only() {
        for (output, kept) in [(Output::Human, 0), (Output::Json, 2)] {
            let mut found = Found::new(output);
            assert!(!found.any);
            for _ in 0..2 {
                let (id, stream, message) = (String::new(), String::new(), String::new());
                found.add(LogEvent { id, stream, time_ms: 0, message });
            }
            assert!(found.any);
            assert_eq!(found.events.len(), kept, "{output:?}");
        }
    }
}
