//! `logs`: shows what a function wrote, and what Lambda wrote about it.

use crate::app::function_log::FunctionLog;
use crate::app::session::Session;
use crate::aws::AccessMode;
use crate::cli::{Logs, Output};
use crate::engine::Mode;
use crate::error::{Error, ExitStatus, Hint, Result, Verb};
use crate::logs::events::{self, LogEvent, LogQuery};
use crate::logs::transcript::Transcript;
use crate::logs::{follower, request};
use crate::output::json::Document;
use crate::output::text::span;
use crate::time::unless_stopped;
use serde::Serialize;
use std::ops::ControlFlow;

/// The log in the JSON document.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    function: &'a str,
    log_group: &'a str,
    /// The time in milliseconds since 1970.
    from_ms: i64,
    events: &'a [LogEvent],
}

pub(crate) async fn run(session: &Session<'_>, args: &Logs, document: &mut Document) -> Result<ExitStatus> {
    let (config, console) = (session.config, session.console);
    if args.follow && config.output == Output::Json {
        return Err(Error::usage("--follow has no end, and --output json is one document").hint(
            "Without --output json, what does not go to a terminal is each message as it was written.",
        ));
    }
    let name = config.named(session.function(args.function.as_deref())?);
    let connected = session.connect(AccessMode::ReadOnly, document).await?;
    let FunctionLog { group, exists } = FunctionLog::find(&connected, &name).await?;
    let from_ms = connected.aws.clock.now_ms() - i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let query =
        LogQuery { group: &group.name, from_ms, to_ms: None, pattern: args.filter.as_deref(), stream: None };
    let mut transcript = Transcript::new(config.output == Output::Json);
    let mut show = |event: LogEvent| {
        if !event.is_from(&name) {
            return ControlFlow::Continue(());
        }
        let goes_on = console.log(event.time_ms, &event.message);
        transcript.add(event);
        goes_on
    };
    let engine = || connected.engine(Mode::Plan);
    if args.follow {
        let say = |hint: Hint| console.advise(hint);
        follower::follow(engine, session.stop, &query, show, say).await?;
        return Ok(ExitStatus::Success);
    }
    if exists {
        let engine = engine();
        let read = engine.read(group.clone(), async |step| match &args.request_id {
            None => events::read(step, &query, &mut show).await.map(|_| ()),
            Some(request) => request::read(step, &group.name, request, from_ms, &mut show).await,
        });
        unless_stopped(session.stop, read).await??;
    }
    let events = transcript.events();
    document.own(&Shown { function: &name, log_group: &group.name, from_ms, events });
    if !exists {
        console.advise(Hint::from(format!("There is no {group}: ")).command(Verb::Up).text(" makes it."));
    } else if transcript.is_empty() {
        let fits = if args.filter.is_some() || args.request_id.is_some() { " that fits" } else { "" };
        console.talk(&format!("Nothing{fits} was logged in the last {}.", span(args.since)));
    }
    Ok(ExitStatus::Success)
}
