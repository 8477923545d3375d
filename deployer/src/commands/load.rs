//! `load`: open-loop load on the stack's own URL, and what it measured.

pub(super) mod after;
pub(super) mod aim;
pub(super) mod announce;
pub(super) mod price;

use crate::app::result_file;
use crate::app::session::{Connected, Session};
use crate::aws::Access;
use crate::cli::Load;
use crate::engine::{Event, Id, Kind, Mode, Outcome, Pauses, Reporter as _, StackState};
use crate::error::{Error, ErrorKind, ExitStatus, Result};
use crate::load::{self, Asked, CleanedUp, Comparison, Measurement, Plan, Progress, Server, Verdict};
use crate::output::json::Document;
use crate::output::load::{self as report, Parts};
use crate::packaging::Packages;
use crate::pricing::Bill;
use crate::time::{Cadence, ms, secs};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a load has made is deleted through the API that it has just loaded, which may turn that away for a while.
static LOAD_TAKEN_BACK: Cadence =
    Cadence { reason: "the API to take the deletions", first: ms(500), longest: secs(8), within: secs(120) };

/// How many rounds of cleaning up there are after Ctrl-C, when nobody waits in between.
const ROUNDS_AFTER_STOP: u32 = 3;

/// What the document has.
#[derive(Debug, Serialize)]
struct Own<'a> {
    #[serde(flatten)]
    measurement: &'a Measurement,
    /// Of the only function that was asked.
    server: Option<&'a Server>,
    servers: &'a [Server],
    cost: Option<&'a Bill>,
    comparison: Option<&'a Comparison>,
}

pub(crate) async fn run(session: &Session<'_>, args: &Load, document: &mut Document) -> Result<ExitStatus> {
    // A file that cannot be read or written is said before the load, not after it.
    let read = args.compare.iter().chain(&args.with).map(PathBuf::as_path);
    let inputs = result_file::inputs(session.config, Some(&args.traffic), read);
    result_file::check(&[args.json.as_deref(), args.html.as_deref()], &inputs)?;
    let before: Vec<Measurement> =
        args.compare.iter().map(|file| load::read_result(file)).collect::<Result<_>>()?;
    if let Some(file) = &args.with {
        return compare_only(session, args, document, &before, &load::read_result(file)?);
    }
    load::reserve_descriptors(args.traffic.concurrency)?;
    let at = session.connect(Access::ReadOnly, document).await?;
    let survey = at.plan(&Packages::not_compared(), false).await?;
    document.found(&survey.records);
    document.state = Some(StackState::found(&survey.records));
    let aim = aim::at(session, &at, &survey, &args.traffic)?;
    document.url = Some(aim.url.clone());
    let plan = aim.plan(&args.traffic);
    for before in &before {
        load::check_comparable(before, &Asked::of(&plan))?;
    }
    say_where(session, &before, plan.target.url());
    if document.state == Some(StackState::Different) {
        let console = session.console;
        console.talk(&console.advice("The stack is not as declared: deployer plan shows how."));
    }
    announce::run(session, &at, &plan, args.traffic.cleanup).await?;
    let looked = aim::look(&at, &aim).await;
    document.answers = aim.answers_ping.then_some(looked.is_ok());
    looked.map_err(|error| error.hint("Nothing was sent. deployer status shows the stack's condition."))?;
    let measurement = measure(session, &plan).await?;
    // Before the clean-up, whose invocations are reported too.
    let servers = if measurement.interrupted || measurement.counts.ok == 0 {
        Vec::new()
    } else {
        after::servers(session, &at, &plan, &measurement).await
    };
    let cleaned_up =
        if args.traffic.cleanup { Some(clean_up(session, &at, &plan, &measurement).await?) } else { None };
    let cost = after::cost(session, &at, &plan, &servers);
    let comparison = (!before.is_empty()).then(|| Comparison::of(&before, &measurement, args.threshold));
    let parts = Parts {
        measurement: &measurement,
        servers: &servers,
        cost: cost.as_ref(),
        comparison: comparison.as_ref(),
    };
    let shown = show(session, args, document, &parts);
    // What a full disk has to say is less than that.
    let code = conclude(session, &parts, cleaned_up)?;
    shown.map(|()| code)
}

/// Whether the earlier runs were of something else, which is a way to compare, and may be a mistake.
fn say_where(session: &Session<'_>, before: &[Measurement], now: &str) {
    if let Some(other) = before.iter().find(|before| before.url != now) {
        session
            .console
            .talk(&format!("The run of {} was of {}, and this one is of {now}.", other.began, other.url));
    }
}

/// Results that are there already.
fn compare_only(
    session: &Session<'_>,
    args: &Load,
    document: &mut Document,
    before: &[Measurement],
    now: &Measurement,
) -> Result<ExitStatus> {
    for before in before {
        load::check_comparable(before, &now.asked)?;
    }
    say_where(session, before, &now.url);
    let comparison = Comparison::of(before, now, args.threshold);
    for line in report::compared::table(&comparison) {
        session.console.data(&line);
    }
    let parts = Parts { measurement: now, servers: &[], cost: None, comparison: Some(&comparison) };
    document.own(&Own::of(&parts));
    write_files(session, args, &parts)?;
    code(&comparison)
}

impl<'a> Own<'a> {
    fn of(parts: &Parts<'a>) -> Self {
        let Parts { measurement, servers, cost, comparison } = *parts;
        let server = if let [only] = servers { Some(only) } else { None };
        Self { measurement, server, servers, cost, comparison }
    }
}

/// As `plan --exit-code` says that something is not as it should be.
///
/// # Errors
/// Nothing could be judged: whoever relies on the exit code must not take that for a good result.
fn code(comparison: &Comparison) -> Result<ExitStatus> {
    match comparison.verdict {
        Verdict::Regression => Ok(ExitStatus::Different),
        Verdict::TooFew => {
            Err(Error::new("the runs are too short, or have too few requests, to be compared")
                .hint("Make longer ones, or ask for more requests a second."))
        }
        _ => Ok(ExitStatus::Success),
    }
}

pub(super) async fn measure(session: &Session<'_>, plan: &Plan) -> Result<Measurement> {
    let console = session.console;
    let id = Id::new(Kind::Load, format!("{}/s", plan.schedule.rate));
    let begun = Instant::now();
    console.event(Event::Started { id: id.clone() });
    let measured = plan.schedule.measured();
    let result = load::run(plan.clone(), session.stop, |progress| {
        console.event(Event::Measuring { id: id.clone(), what: said(progress, measured) });
    })
    .await;
    let outcome = match &result {
        Ok(measurement) if measurement.interrupted => Outcome::Interrupted,
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Failed { error: error.to_string() },
    };
    console.event(Event::Finished { id, outcome, elapsed: begun.elapsed() });
    result
}

/// One second, in words.
fn said(progress: &Progress, measured: u64) -> String {
    let Progress { second, ok, throttled, failed, rate, p50, p99 } = progress;
    let ms = |time: &Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let answered = ok + throttled + failed;
    let mut text = format!(
        "{answered} of {measured} after {} s, {rate}/s, p50 {}, p99 {}",
        second + 1,
        ms(p50),
        ms(p99)
    );
    for (count, what) in [(throttled, "throttled"), (failed, "failed")] {
        if *count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// Also after Ctrl-C: the stack is to be as it was.
pub(super) async fn clean_up(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    measurement: &Measurement,
) -> Result<CleanedUp> {
    let console = session.console;
    let id = Id::new(Kind::CleanUp, plan.run.text());
    let begun = Instant::now();
    console.event(Event::Started { id: id.clone() });
    let go = at.engine(Mode::Plan);
    let went = go.read(id.clone(), async |step| {
        let (mut pauses, mut rounds) = (Pauses::new(&LOAD_TAKEN_BACK), 1);
        let again = async |deleted_some: bool| {
            rounds += 1;
            if session.stop.is_set() {
                return Ok(rounds <= ROUNDS_AFTER_STOP);
            }
            // What takes some takes the rest too, however long that is.
            if deleted_some {
                pauses = Pauses::new(&LOAD_TAKEN_BACK);
            }
            // Ctrl-C ends the wait, and nothing else.
            Ok(pauses.wait(step, None).await.unwrap_or(true))
        };
        let say = |done: u64| {
            if done.is_multiple_of(100) {
                console.event(Event::Measuring { id: id.clone(), what: format!("{done} items deleted") });
            }
        };
        load::clean_up(plan, measurement, say, again).await
    });
    let result = went.await;
    let outcome = match &result {
        Ok(CleanedUp { left: 0, .. }) => Outcome::Done,
        Ok(CleanedUp { left, .. }) => Outcome::Failed { error: format!("{left} items may be left") },
        Err(error) => Outcome::Failed { error: error.to_string() },
    };
    console.event(Event::Finished { id, outcome, elapsed: begun.elapsed() });
    result
}

/// The result, wherever it is wanted.
fn show(session: &Session<'_>, args: &Load, document: &mut Document, parts: &Parts<'_>) -> Result<()> {
    for line in report::table(parts) {
        session.console.data(&line);
    }
    document.own(&Own::of(parts));
    write_files(session, args, parts)
}

fn write_files(session: &Session<'_>, args: &Load, parts: &Parts<'_>) -> Result<()> {
    if let Some(file) = &args.json {
        result_file::write(file, &serde_json::to_string_pretty(&Own::of(parts)).unwrap_or_default())?;
        session.console.talk(&format!("The result is in {}.", file.display()));
    }
    if let Some(file) = &args.html {
        result_file::write(file, &report::page::page(&session.config.stack_name(), parts))?;
        session.console.talk(&format!("The page is in {}.", file.display()));
    }
    Ok(())
}

/// How the process ends.
fn conclude(session: &Session<'_>, parts: &Parts<'_>, cleaned_up: Option<CleanedUp>) -> Result<ExitStatus> {
    let measurement = parts.measurement;
    if let Some(CleanedUp { done, left }) = cleaned_up {
        if left > 0 {
            return Err(Error::of(
                ErrorKind::Partial,
                format!("{left} items of this run may be left: their deletions were not answered as they should be"),
            )
            .hint(format!("Their ids begin with {}-.", measurement.run)));
        }
        session.console.talk(&format!("{done} items of this run were deleted again."));
    }
    if measurement.interrupted {
        let Measurement { counts, .. } = measurement;
        return Err(Error::of(
            ErrorKind::Partial,
            format!("interrupted after {} of {} requests", counts.sent, counts.planned),
        ));
    }
    if measurement.counts.ok == 0 {
        return Err(nothing_done(measurement));
    }
    parts.comparison.map_or(Ok(ExitStatus::Success), code)
}

fn nothing_done(measurement: &Measurement) -> Error {
    let statuses = measurement.statuses.iter().map(|(status, count)| (format!("HTTP {status}"), *count));
    let failures = measurement.failures.iter().map(|(why, count)| (why.clone(), *count));
    let most = statuses.chain(failures).max_by_key(|(_, count)| *count);
    let most = most.map(|(what, count)| format!(", {count} times {what}")).unwrap_or_default();
    Error::new(format!("no request was answered as it should be{most}"))
        .hint("deployer status shows whether the URL answers.")
}
