//! Runs the same load at each setting of a function.

use super::result::Trials;
use super::setting::Setting;
use super::trial::Trial;
use super::tuned_function::TunedFunction;
use crate::app::session::{Connected, Session};
use crate::cli::{Traffic, Tune};
use crate::engine::{Record, StackState};
use crate::error::{Error, Hint, Result, Verb};
use crate::loadtest::destination::Destination;
use crate::loadtest::{cleanup, function_reports, measurement};
use crate::pricing::Prices;
use crate::time::interrupted;

/// Returns the settings that the flags choose.
///
/// # Errors
/// There is only one, or the function's code is for another processor only.
pub(crate) fn settings(
    session: &Session<'_>,
    args: &Tune,
    function: &str,
    declared: Setting,
) -> Result<Vec<Setting>> {
    let mut architectures = args.architectures.clone();
    if architectures.is_empty() {
        architectures.push(declared.architecture);
    }
    let all = Setting::combinations(&args.memory, &architectures);
    if all.len() < 2 {
        return Err(Error::usage("one setting is nothing to choose from")
            .hint("Name several, like --memory 128,256,512."));
    }
    let is_zip = session.config.manifest.functions.get(function).is_some_and(|f| f.zip.is_some());
    if is_zip && all.iter().any(|setting| setting.architecture != declared.architecture) {
        return Err(Error::usage(format!(
            "{function} comes as a zip, which is for {} only",
            declared.architecture.name()
        ))
        .hint("Only a Cargo package is built for another processor."));
    }
    Ok(all)
}

/// Requires the stack to be as declared, because `tune` ends with what is declared.
///
/// # Errors
/// The stack is not up, or not as declared.
pub(crate) fn require_in_sync(connected: &Connected<'_>, records: &[Record]) -> Result<()> {
    match StackState::from_records(records) {
        StackState::InSync => Ok(()),
        StackState::Absent => {
            Err(Error::new(format!("{} is not up", connected.place())).hint(Hint::run(Verb::Up)))
        }
        StackState::Different => Err(Error::new(format!(
            "{} is not as declared, and tune ends with what is declared",
            connected.place()
        ))
        .hint("Nothing was changed.")
        .hint(
            Hint::from(Verb::Plan).text(" shows the difference, ").command(Verb::Up).text(" makes it so."),
        )),
    }
}

/// Tries one setting after the other, and adds what each came to. Ends at the first setting that the function cannot have,
/// and at Ctrl-C.
///
/// # Errors
/// What AWS refuses, what the system refuses, items that may be left, Ctrl-C.
pub(crate) async fn run(
    tuned: &TunedFunction<'_>,
    destination: &Destination,
    traffic: &Traffic,
    settings: &[Setting],
    prices: Option<&Prices>,
    tried: &mut Trials,
) -> Result<()> {
    let TunedFunction { session, connected, function, .. } = tuned;
    for setting in settings {
        if session.stop.is_set() {
            return Err(interrupted());
        }
        session.console.talk(&format!("{}:", setting.text()));
        tuned.apply(*setting).await?;
        let plan = destination.plan(traffic);
        let measurement = measurement::measure(session, &plan).await?;
        let function = (*function, Some(setting.memory_mb));
        // Before the clean-up, whose invocations are reported too.
        let statistics = if measurement.interrupted {
            None
        } else {
            function_reports::of_function(session, connected, &plan, &measurement, function).await
        };
        if traffic.cleanup {
            let cleaned_up = cleanup::clean_up(session, connected, &plan, &measurement).await?;
            cleanup::require_none_left(cleaned_up, &measurement)?;
        }
        if measurement.interrupted {
            return Err(interrupted());
        }
        tried.trials.push(Trial::new(*setting, &measurement, statistics.as_ref(), prices));
        tried.first.get_or_insert(measurement);
    }
    Ok(())
}
