//! The result of `tune`: the JSON document, the table and the page.

use super::choice::Choice;
use super::report;
use super::setting::Setting;
use super::trial::Trial;
use crate::app::result_file;
use crate::app::session::Session;
use crate::error::Result;
use crate::loadtest::report::page::parameters;
use crate::output::json::Document;
use crate::pricing::{Meter, Prices};
use loadgen::{LoadParameters, Measurement};
use serde::Serialize;
use std::path::Path;

/// What `tune` writes as JSON.
#[derive(Debug, Serialize)]
struct TuneDocument<'a> {
    function: &'a str,
    /// What is declared, and what the function has again.
    declared: Setting,
    /// When the first load began, in UTC, and what each was.
    began: Option<&'a str>,
    asked: Option<&'a LoadParameters>,
    trials: &'a [Trial],
    /// The source of Lambda's prices: AWS's page, and its date.
    prices: Option<&'a str>,
    choice: Option<Choice>,
}

/// The trials of a function, in the order of its settings.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    pub(crate) trials: Vec<Trial>,
    /// The measurement of the first one, for what all have in common.
    pub(crate) first: Option<Measurement>,
}

/// Writes the result into the document, prints it and writes the page.
///
/// # Errors
/// A page that cannot be written.
pub(crate) fn show(
    session: &Session<'_>,
    (function, declared): (&str, Setting),
    tried: &Trials,
    prices: Option<&Prices>,
    document: &mut Document,
    html: Option<&Path>,
) -> Result<()> {
    let (name, trials) = (session.config.named(function), &tried.trials[..]);
    let choice = Choice::new(&trials.iter().filter_map(Trial::candidate).collect::<Vec<_>>());
    let source = prices.and_then(|prices| prices.tariff(Meter::LambdaRequests));
    let source = source.map(|tariff| crate::output::cost::source(&tariff.page, &tariff.as_of));
    document.own(&TuneDocument {
        function: &name,
        declared,
        began: tried.first.as_ref().map(|first| first.began.as_str()),
        asked: tried.first.as_ref().map(|first| &first.asked),
        trials,
        prices: source.as_deref(),
        choice,
    });
    let Some(first) = &tried.first else { return Ok(()) };
    for line in report::table(trials, choice) {
        session.console.data(&line);
    }
    let source = source.map(|source| format!("Lambda's list prices are from {source}."));
    if let Some(source) = &source {
        session.console.data(source);
    }
    let mut advice = report::advice(function, declared, trials, choice);
    for line in &advice {
        session.console.talk(line);
    }
    let Some(file) = html else { return Ok(()) };
    advice.extend(source);
    result_file::write(file, &report::page(&name, &parameters(first), trials, choice, &advice))?;
    session.console.talk(&format!("The page is in {}.", file.display()));
    Ok(())
}
