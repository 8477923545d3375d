//! `up`: makes AWS match the manifest, proves it, and prints the URL.

use crate::app::confirmation::confirm_changes;
use crate::app::proof::prove;
use crate::app::refusals::refuse;
use crate::app::session::{Connected, Session};
use crate::app::summary::summarise;
use crate::app::survey::{Survey, holding, undeclared_tables};
use crate::aws::AccessMode;
use crate::cli::Up;
use crate::engine::{Approval, Mode, StackState};
use crate::error::{Error, ExitStatus, Result, Verb};
use crate::output::console::Stream;
use crate::output::json::Document;
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::stack::Stack;

pub(crate) async fn run(session: &Session<'_>, args: &Up, document: &mut Document) -> Result<ExitStatus> {
    let packages = Stack::packages(session.config)?;
    let at = session.connect(AccessMode::ReadWrite, document).await?.adopting(&args.adopt);
    let survey = at.plan_while_building(&packages, args.delete_data).await?;
    let planned = &survey.records;
    document.found(planned);
    refuse(planned, args.adopt.any())?;
    let changed = planned.iter().any(|record| !record.changes.is_empty());
    let api = if changed {
        session.console.plan(planned, Stream::Talk);
        for (table, count) in holding(&at, &survey.orphans.tables, planned).await? {
            session.console.talk(&format!("  table {} holds {count}", table.name));
        }
        confirm_changes(session, planned).await?;
        apply(&at, &packages, args, &survey, document).await?
    } else {
        session.console.talk("Everything is as declared.");
        survey.api
    };
    let Some(url) = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api)) else {
        return Err(Error::new("the stack has no API"));
    };
    document.url = Some(url.clone());
    match at.stack.proof() {
        Err(why) => session.console.talk(&format!("The URL was not asked: {why}.")),
        Ok(proof) => {
            prove(&at, &url, proof, changed).await?;
            document.answers = Some(true);
            session.console.talk(&format!("Try: {}", proof.curl(&url)));
        }
    }
    document.state = Some(StackState::InSync);
    session.console.data(&url);
    Ok(ExitStatus::Success)
}

async fn apply(
    at: &Connected<'_>,
    packages: &Packages,
    args: &Up,
    survey: &Survey,
    document: &mut Document,
) -> Result<Option<rest_api::Output>> {
    let go = at.engine(Mode::Apply).approved(Approval::of(&survey.records));
    let api = at.stack.walk(&go, packages, survey.api.as_ref()).await;
    // What is no longer declared goes last, after its successors exist.
    if go.is_well() {
        survey.orphans.destroy(&go, undeclared_tables(at.session.console, args.delete_data).as_deref()).await;
    }
    let records = go.finish();
    document.done(&records);
    summarise(&records, at.session.stop, Verb::Up)?;
    Ok(api)
}
