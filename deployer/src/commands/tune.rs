//! `tune`: the same load at several settings of a function, and which of them to take.

mod announce;
mod setting;

use super::load::after::server;
use super::load::aim::{self, Aim};
use super::load::{clean_up, measure};
use crate::app::result_file;
use crate::app::session::{Connected, Session};
use crate::aws::Access;
use crate::cli::{Traffic, Tune};
use crate::engine::{Record, StackState};
use crate::error::{Error, ErrorKind, ExitStatus, Result};
use crate::load::{Asked, Measurement, reserve_descriptors};
use crate::output;
use crate::output::json::Document;
use crate::packaging::Packages;
use crate::pricing::{Meter, Prices};
use crate::stack::Stack;
use crate::time::interrupted;
use crate::tuning::{Choice, Setting, Trial};
use serde::Serialize;
use setting::Tuned;

/// What the document has.
#[derive(Debug, Serialize)]
struct Own<'a> {
    function: &'a str,
    /// What is declared, and what the function has again.
    declared: Setting,
    /// When the first load began, in UTC, and what each was.
    began: Option<&'a str>,
    asked: Option<&'a Asked>,
    trials: &'a [Trial],
    /// Of Lambda's prices: AWS's page, and the day when it said so.
    prices: Option<&'a str>,
    choice: Option<Choice>,
}

/// What was measured.
#[derive(Debug, Default)]
struct Tried {
    trials: Vec<Trial>,
    first: Option<Measurement>,
}

pub(crate) async fn run(session: &Session<'_>, args: &Tune, document: &mut Document) -> Result<ExitStatus> {
    let config = session.config;
    let function = session.function(args.traffic.function.as_deref())?;
    let declared = setting::declared(config, function)?;
    let settings = settings(session, args, function, declared)?;
    result_file::check(&[args.html.as_deref()], &result_file::inputs(config, Some(&args.traffic), []))?;
    reserve_descriptors(args.traffic.concurrency)?;
    let at = session.connect(Access::ReadWrite, document).await?;
    // Code is compared only where it is going to be exchanged.
    let others = settings.iter().any(|setting| setting.architecture != declared.architecture);
    let packages = if others { Stack::packages(config)? } else { Packages::not_compared() };
    let survey = at.plan(&packages, false).await?;
    document.found(&survey.records);
    document.state = Some(StackState::found(&survey.records));
    let aim = aim::at(session, &at, &survey, &args.traffic)?;
    if !aim.plan(&args.traffic).mix.functions().contains(&function) {
        return Err(Error::usage(format!("no request of the mix {} gets to {function}", args.traffic.mix))
            .hint("Choose the function that it gets to with --function."));
    }
    require_in_sync(&at, &survey.records)?;
    let Some(api) = &survey.api else { return Err(Error::new("the stack has no API")) };
    document.url = Some(aim.url.clone());
    let tuned = Tuned::new(session, &at, api, function, &settings).await?;
    announce::run(session, &at, &aim.plan(&args.traffic), args.traffic.cleanup, function, &settings).await?;
    let looked = aim::look(&at, &aim).await;
    looked
        .map_err(|error| error.hint("Nothing was changed. deployer status shows the stack's condition."))?;
    let prices = Prices::of(&at.aws.scope.region).ok();
    let mut tried = Tried::default();
    session.stop.last_words(Some(session.console.advice(&tuned.last_words())));
    let went = try_all(&tuned, &aim, &args.traffic, &settings, prices.as_ref(), &mut tried).await;
    let restored = tuned.restore().await;
    session.stop.last_words(None);
    if restored.is_ok() {
        session.console.talk(&format!("{} has {} again.", config.named(function), declared.text()));
    } else {
        document.state = Some(StackState::Different);
    }
    let choice = Choice::of(&tried.trials.iter().filter_map(Trial::point).collect::<Vec<_>>());
    let source = prices.as_ref().and_then(|prices| prices.tariff(Meter::LambdaRequests));
    let source = source.map(|tariff| output::cost::source(&tariff.page, &tariff.as_of));
    let own = Own {
        function: &config.named(function),
        declared,
        began: tried.first.as_ref().map(|first| first.began.as_str()),
        asked: tried.first.as_ref().map(|first| &first.asked),
        trials: &tried.trials,
        prices: source.as_deref(),
        choice,
    };
    document.own(&own);
    let shown = show(session, args, function, &tried, &own);
    restored?;
    went?;
    shown.map(|()| ExitStatus::Success)
}

/// Ends at the first setting that cannot be had, and at Ctrl-C.
async fn try_all(
    tuned: &Tuned<'_>,
    aim: &Aim,
    traffic: &Traffic,
    settings: &[Setting],
    prices: Option<&Prices>,
    tried: &mut Tried,
) -> Result<()> {
    let Tuned { session, at, function, .. } = tuned;
    for setting in settings {
        if session.stop.is_set() {
            return Err(interrupted());
        }
        session.console.talk(&format!("{}:", setting.text()));
        tuned.apply(*setting).await?;
        let plan = aim.plan(traffic);
        let measurement = measure(session, &plan).await?;
        let setting_of = (*function, Some(setting.memory_mb));
        // Before the clean-up, whose invocations are reported too.
        let server = if measurement.interrupted {
            None
        } else {
            server(session, at, &plan, &measurement, setting_of).await
        };
        if traffic.cleanup {
            let left = clean_up(session, at, &plan, &measurement).await?.left;
            if left > 0 {
                let why = format!(
                    "{left} items of this run may be left: their deletions were not answered as they should be"
                );
                let ids = format!("Their ids begin with {}-.", measurement.run);
                return Err(Error::of(ErrorKind::Partial, why).hint(ids));
            }
        }
        if measurement.interrupted {
            return Err(interrupted());
        }
        tried.trials.push(Trial::of(*setting, &measurement, server.as_ref(), prices));
        tried.first.get_or_insert(measurement);
    }
    Ok(())
}

fn settings(session: &Session<'_>, args: &Tune, function: &str, declared: Setting) -> Result<Vec<Setting>> {
    let mut architectures = args.architectures.clone();
    if architectures.is_empty() {
        architectures.push(declared.architecture);
    }
    let all = Setting::all(&args.memory, &architectures);
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

/// What is put back in the end is what is declared: so that has to be what there is.
fn require_in_sync(at: &Connected<'_>, records: &[Record]) -> Result<()> {
    match StackState::found(records) {
        StackState::InSync => Ok(()),
        StackState::Absent => Err(Error::new(format!("{} is not up", at.place())).hint("Run deployer up.")),
        StackState::Different => {
            Err(Error::new(format!("{} is not as declared, and tune ends with what is declared", at.place()))
                .hint("Nothing was changed. deployer plan shows the difference, deployer up makes it so."))
        }
    }
}

fn show(session: &Session<'_>, args: &Tune, function: &str, tried: &Tried, own: &Own<'_>) -> Result<()> {
    let Some(first) = &tried.first else { return Ok(()) };
    for line in output::tune::table(own.trials, own.choice) {
        session.console.data(&line);
    }
    let prices = own.prices.map(|prices| format!("Lambda's list prices are from {prices}."));
    if let Some(prices) = &prices {
        session.console.data(prices);
    }
    let mut advice = output::tune::advice(function, own.declared, own.trials, own.choice);
    for line in &advice {
        session.console.talk(line);
    }
    let Some(file) = &args.html else { return Ok(()) };
    advice.extend(prices);
    let asked = output::load::page::asked(first);
    result_file::write(file, &output::tune::page(own.function, &asked, own.trials, own.choice, &advice))?;
    session.console.talk(&format!("The page is in {}.", file.display()));
    Ok(())
}
