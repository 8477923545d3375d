//! The result of `load`: the JSON document, the files, and how the process ends.

use super::cleanup;
use super::function_statistics::FunctionStatistics;
use super::report::{self, Findings};
use crate::app::result_file;
use crate::app::session::Session;
use crate::cli::Load;
use crate::error::{Error, ErrorKind, ExitStatus, Hint, Result, Verb};
use crate::output::json::Document;
use crate::pricing::Bill;
use loadgen::{CleanupResult, Comparison, Measurement, Verdict};
use serde::Serialize;

/// What `load` writes as JSON.
#[derive(Debug, Serialize)]
struct LoadDocument<'a> {
    #[serde(flatten)]
    measurement: &'a Measurement,
    /// The statistics of the only function that was called.
    server: Option<&'a FunctionStatistics>,
    servers: &'a [FunctionStatistics],
    cost: Option<&'a Bill>,
    comparison: Option<&'a Comparison>,
}

impl<'a> LoadDocument<'a> {
    fn new(findings: &Findings<'a>) -> Self {
        let Findings { measurement, functions, cost, comparison } = *findings;
        let server = if let [only] = functions { Some(only) } else { None };
        Self { measurement, server, servers: functions, cost, comparison }
    }
}

/// Prints the result of a run and writes it to the files that were asked for.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn show(
    session: &Session<'_>,
    args: &Load,
    document: &mut Document,
    findings: &Findings<'_>,
) -> Result<()> {
    for line in report::table(findings) {
        session.console.data(&line);
    }
    document.own(&LoadDocument::new(findings));
    write_files(session, args, findings)
}

/// Compares a result that exists already, prints the comparison and writes it to the files that were asked for.
///
/// # Errors
/// A file that cannot be written; runs that cannot be judged.
pub(crate) fn show_comparison(
    session: &Session<'_>,
    args: &Load,
    document: &mut Document,
    before: &[Measurement],
    measurement: &Measurement,
) -> Result<ExitStatus> {
    let comparison = Comparison::new(before, measurement, args.threshold);
    for line in report::comparison_table::table(&comparison) {
        session.console.data(&line);
    }
    let findings = Findings { measurement, functions: &[], cost: None, comparison: Some(&comparison) };
    document.own(&LoadDocument::new(&findings));
    write_files(session, args, &findings)?;
    exit_status(&comparison)
}

fn write_files(session: &Session<'_>, args: &Load, findings: &Findings<'_>) -> Result<()> {
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&LoadDocument::new(findings)).unwrap_or_default();
        result_file::write(file, &text)?;
        session.console.talk(&format!("The result is in {}.", file.display()));
    }
    if let Some(file) = &args.html {
        result_file::write(file, &report::page::page(&session.config.stack_name(), findings))?;
        session.console.talk(&format!("The page is in {}.", file.display()));
    }
    Ok(())
}

/// Decides how the process ends after a run.
///
/// # Errors
/// Items that may be left, a run that was interrupted, one without a good answer, and runs that cannot be judged.
pub(crate) fn conclude(
    session: &Session<'_>,
    findings: &Findings<'_>,
    cleaned_up: Option<CleanupResult>,
) -> Result<ExitStatus> {
    let measurement = findings.measurement;
    if let Some(cleaned_up) = cleaned_up {
        cleanup::require_none_left(cleaned_up, measurement)?;
        session.console.talk(&format!("{} items of this run were deleted again.", cleaned_up.done));
    }
    if measurement.interrupted {
        let counts = &measurement.counts;
        let message = format!("interrupted after {} of {} requests", counts.sent, counts.planned);
        return Err(Error::of(ErrorKind::Partial, message));
    }
    if measurement.counts.ok == 0 {
        return Err(no_good_answer(measurement));
    }
    findings.comparison.map_or(Ok(ExitStatus::Success), exit_status)
}

/// A regression ends with the exit code by which `plan --exit-code` says that something is not as it should be.
///
/// # Errors
/// Nothing could be judged: whoever relies on the exit code must not take that for a good result.
fn exit_status(comparison: &Comparison) -> Result<ExitStatus> {
    match comparison.verdict {
        Verdict::Regression => Ok(ExitStatus::Different),
        Verdict::TooFew => {
            Err(Error::new("the runs are too short, or have too few requests, to be compared")
                .hint("Make longer ones, or ask for more requests a second."))
        }
        Verdict::Improvement | Verdict::Same | Verdict::Unclear => Ok(ExitStatus::Success),
    }
}

fn no_good_answer(measurement: &Measurement) -> Error {
    let statuses = measurement.statuses.iter().map(|(status, count)| (format!("HTTP {status}"), *count));
    let failures = measurement.failures.iter().map(|(why, count)| (why.clone(), *count));
    let most = statuses.chain(failures).max_by_key(|(_, count)| *count);
    let most = most.map(|(what, count)| format!(", {count} times {what}")).unwrap_or_default();
    Error::new(format!("no request was answered as it should be{most}"))
        .hint(Hint::from(Verb::Status).text(" shows whether the URL answers."))
}
