//! `tune`: runs the same load at several settings of a function and recommends one.

use crate::app::result_file;
use crate::app::session::Session;
use crate::aws::AccessMode;
use crate::cli::Tune;
use crate::engine::StackState;
use crate::error::{Error, ExitStatus, Hint, Result, Verb};
use crate::loadtest::destination::Destination;
use crate::output::json::Document;
use crate::packaging::Packages;
use crate::pricing::Prices;
use crate::stack::Stack;
use crate::tuning::result::{self, Trials};
use crate::tuning::tuned_function::{TunedFunction, declared};
use crate::tuning::{announcement, trials};

pub(crate) async fn run(session: &Session<'_>, args: &Tune, document: &mut Document) -> Result<ExitStatus> {
    let (config, traffic) = (session.config, &args.traffic);
    let function = session.function(traffic.function.as_deref())?;
    let declared = declared(config, function)?;
    let settings = trials::settings(session, args, function, declared)?;
    result_file::check(&[args.html.as_deref()], &result_file::inputs(config, Some(traffic), []))?;
    loadgen::reserve_file_descriptors(traffic.concurrency)?;
    let connected = session.connect(AccessMode::ReadWrite, document).await?;
    // Code is compared only where it will be replaced.
    let compares_code = settings.iter().any(|setting| setting.architecture != declared.architecture);
    let packages = if compares_code { Stack::packages(config)? } else { Packages::not_compared() };
    let survey = connected.plan(&packages, false).await?;
    document.found(&survey.records);
    document.state = Some(StackState::from_records(&survey.records));
    let destination = Destination::new(session, &connected, &survey, traffic, Verb::Tune)?;
    let plan = destination.plan(traffic);
    if !plan.mix.handlers().contains(&function) {
        return Err(Error::usage(format!("no request of the mix {} gets to {function}", traffic.mix))
            .hint("Choose the function that it gets to with --function."));
    }
    trials::require_in_sync(&connected, &survey.records)?;
    let Some(api) = &survey.api else { return Err(Error::new("the stack has no API")) };
    document.url = Some(destination.url.clone());
    let tuned = TunedFunction::new(session, &connected, api, function, &settings).await?;
    announcement::announce(session, &connected, &plan, traffic.cleanup, function, &settings).await?;
    let answers = destination.check_answer(&connected).await;
    answers.map_err(|error| {
        let shown = Hint::from(Verb::Status).text(" shows the stack's condition.");
        error.hint("Nothing was changed.").hint(shown)
    })?;
    let prices = Prices::for_region(&connected.aws.scope.region).ok();
    let mut tried = Trials::default();
    session.stop.set_exit_message(Some(session.console.sentence(&tuned.restore_hint())));
    let finished = trials::run(&tuned, &destination, traffic, &settings, prices.as_ref(), &mut tried).await;
    let restored = tuned.restore().await;
    session.stop.set_exit_message(None);
    if restored.is_ok() {
        session.console.talk(&format!("{} has {} again.", config.named(function), declared.text()));
    } else {
        document.state = Some(StackState::Different);
    }
    let html = args.html.as_deref();
    let shown = result::show(session, (function, declared), &tried, prices.as_ref(), document, html);
    restored?;
    finished?;
    shown.map(|()| ExitStatus::Success)
}
