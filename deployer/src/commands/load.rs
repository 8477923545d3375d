//! `load`: runs an open-loop load test against the stack's URL and shows what it measured.

use crate::app::result_file;
use crate::app::session::Session;
use crate::aws::AccessMode;
use crate::cli::Load;
use crate::engine::StackState;
use crate::error::{ExitStatus, Hint, Result, Verb};
use crate::loadtest::destination::Destination;
use crate::loadtest::report::Findings;
use crate::loadtest::{announcement, cleanup, earlier_result, function_reports, measurement, result};
use crate::output::json::Document;
use crate::packaging::Packages;
use loadgen::{Comparison, LoadParameters, Measurement};
use std::path::PathBuf;

pub(crate) async fn run(session: &Session<'_>, args: &Load, document: &mut Document) -> Result<ExitStatus> {
    // A file that cannot be read or written is reported before the load, not after it.
    let read = args.compare.iter().chain(&args.with).map(PathBuf::as_path);
    let inputs = result_file::inputs(session.config, Some(&args.traffic), read);
    result_file::check(&[args.json.as_deref(), args.html.as_deref()], &inputs)?;
    let before: Vec<Measurement> =
        args.compare.iter().map(|file| earlier_result::read(file)).collect::<Result<_>>()?;
    if let Some(file) = &args.with {
        let measurement = earlier_result::read(file)?;
        earlier_result::check_all_comparable(session.console, &before, &measurement.asked, &measurement.url)?;
        return result::show_comparison(session, args, document, &before, &measurement);
    }
    loadgen::reserve_file_descriptors(args.traffic.concurrency)?;
    let connected = session.connect(AccessMode::ReadOnly, document).await?;
    let survey = connected.plan(&Packages::not_compared(), false).await?;
    document.found(&survey.records);
    document.state = Some(StackState::from_records(&survey.records));
    let destination = Destination::new(session, &connected, &survey, &args.traffic, Verb::Load)?;
    document.url = Some(destination.url.clone());
    let plan = destination.plan(&args.traffic);
    earlier_result::check_all_comparable(
        session.console,
        &before,
        &LoadParameters::new(&plan),
        plan.target.url(),
    )?;
    if document.state == Some(StackState::Different) {
        let console = session.console;
        console.advise(Hint::from("The stack is not as declared: ").command(Verb::Plan).text(" shows how."));
    }
    announcement::announce(session, &connected, &plan, args.traffic.cleanup).await?;
    let answers = destination.check_answer(&connected).await;
    document.answers = destination.proof.is_some().then_some(answers.is_ok());
    answers.map_err(|error| {
        let shown = Hint::from(Verb::Status).text(" shows the stack's condition.");
        error.hint("Nothing was sent.").hint(shown)
    })?;
    let measurement = measurement::measure(session, &plan).await?;
    // Before the clean-up, whose invocations are reported too.
    let functions = if measurement.interrupted || measurement.counts.ok == 0 {
        Vec::new()
    } else {
        function_reports::of_all_functions(session, &connected, &plan, &measurement).await
    };
    let cleaned_up = if args.traffic.cleanup {
        Some(cleanup::clean_up(session, &connected, &plan, &measurement).await?)
    } else {
        None
    };
    let cost = function_reports::cost(session, &connected, &plan, &functions);
    let comparison = (!before.is_empty()).then(|| Comparison::new(&before, &measurement, args.threshold));
    let findings = Findings {
        measurement: &measurement,
        functions: &functions,
        cost: cost.as_ref(),
        comparison: comparison.as_ref(),
    };
    let shown = result::show(session, args, document, &findings);
    // Why the run failed matters more than a file that could not be written.
    let status = result::conclude(session, &findings, cleaned_up)?;
    shown.map(|()| status)
}
