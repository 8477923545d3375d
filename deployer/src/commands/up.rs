//! `up`: as declared, proven, and its URL.

use crate::app::refusals::refuse;
use crate::app::session::{Connected, Session};
use crate::app::summary::summarise;
use crate::app::survey::{Survey, holding, undeclared_tables};
use crate::aws::Access;
use crate::cli::Up;
use crate::engine::{Change, Id, Kind, Mode, Outcome, Record, StackState};
use crate::error::{Error, ErrorKind, ExitStatus, Result};
use crate::output::console::Stream;
use crate::output::json::Document;
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::smoke;
use crate::stack::Stack;
use crate::stack::orphans::Orphans;
use std::collections::BTreeSet;

pub(crate) async fn run(session: &Session<'_>, args: &Up, document: &mut Document) -> Result<ExitStatus> {
    let packages = Stack::packages(session.config)?;
    let at = session.connect(Access::ReadWrite, document).await?.adopting(&args.adopt);
    let Survey { records: planned, api, orphans } = survey(&at, &packages, args).await?;
    document.found(&planned);
    refuse(&planned, args.adopt.any())?;
    let changed = planned.iter().any(|record| !record.changes.is_empty());
    let api = if changed {
        session.console.plan(&planned, Stream::Talk);
        for (table, count) in holding(&at, &orphans.tables, &planned).await? {
            session.console.talk(&format!("  table {} holds {count}", table.name));
        }
        confirm(session, &planned).await?;
        apply(&at, &packages, args, api.as_ref(), &orphans, document).await?
    } else {
        session.console.talk("Everything is as declared.");
        api
    };
    let Some(url) = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api)) else {
        return Err(Error::new("the stack has no API"));
    };
    document.url = Some(url.clone());
    if let Some(why) = at.stack.not_asked() {
        session.console.talk(&format!("The URL was not asked: {why}."));
    } else {
        prove(&at, &url, changed).await?;
        document.answers = Some(true);
        let ping = smoke::PING;
        let curl = format!("Try: curl -X POST '{url}' -H 'content-type: application/json' -d '{ping}'");
        session.console.talk(&curl);
    }
    document.state = Some(StackState::InSync);
    session.console.data(&url);
    Ok(ExitStatus::Success)
}

/// Looks at everything while Cargo builds, and waits for the build unless all there is to do is to create: then what needs no
/// code is made meanwhile. IAM alone may take 15 seconds to let Lambda use a new role.
async fn survey(at: &Connected<'_>, packages: &Packages, args: &Up) -> Result<Survey> {
    let no_code = Packages::not_compared();
    let (survey, begun) = tokio::join!(at.plan(&no_code, args.delete_data), packages.begun());
    let survey = survey?;
    refuse(&survey.records, args.adopt.any())?;
    begun?;
    if only_creates(&survey.records) {
        return Ok(survey);
    }
    at.comparing_code(survey, packages, args.delete_data).await
}

/// Whether nothing that exists is touched. Of a function that exists the code may differ.
fn only_creates(planned: &[Record]) -> bool {
    planned.iter().all(|record| {
        let exists = record.id.kind == Kind::Function && record.found.is_some();
        !exists && record.changes.iter().all(|change| *change == Change::Create)
    })
}

/// Only what loses something, or lets more people in, is asked about.
async fn confirm(session: &Session<'_>, planned: &[Record]) -> Result<()> {
    let changes =
        || planned.iter().flat_map(|record| record.changes.iter().map(move |one| (&record.id, one)));
    let losing: Vec<String> = changes().filter_map(|(id, change)| change.loss(id)).collect();
    // A method may open by more than one change.
    let opening: BTreeSet<&str> = changes().filter_map(|(_, change)| change.opening()).collect();
    let mut question = String::new();
    if !losing.is_empty() {
        question.push_str(&format!("This deletes or replaces {}. ", losing.join(", ")));
    }
    if !opening.is_empty() {
        let opening: Vec<&str> = opening.into_iter().collect();
        question.push_str(&format!("This lets people in who are kept out now: {}. ", opening.join(", ")));
    }
    if question.is_empty() {
        return Ok(());
    }
    session.console.confirm(&format!("{question}Go on?"), session.stop).await
}

async fn apply(
    at: &Connected<'_>,
    packages: &Packages,
    args: &Up,
    standing: Option<&rest_api::Output>,
    orphans: &Orphans,
    document: &mut Document,
) -> Result<Option<rest_api::Output>> {
    let go = at.engine(Mode::Apply);
    let api = at.stack.walk(&go, packages, standing).await;
    // What is no longer declared goes last: only when its successors stand.
    if go.is_well() {
        orphans.destroy(&go, undeclared_tables(args.delete_data)).await;
    }
    let records = go.finish();
    document.done(&records);
    summarise(&records, at.session.stop, "up")?;
    Ok(api)
}

async fn prove(at: &Connected<'_>, url: &str, changed: bool) -> Result<()> {
    let go = at.engine(Mode::Apply);
    go.task(Id::new(Kind::SmokeTest, "ping"), async |step| {
        smoke::test(step, url, changed).await?;
        Ok((Outcome::Passed, ()))
    })
    .await;
    match go.finish().pop().map(|record| record.result) {
        Some(Err(error)) if error.kind() == ErrorKind::Partial => Err(error),
        Some(Err(error)) => {
            Err(error
                .hint("Everything stands as declared; only the proof failed. deployer up tries it again."))
        }
        Some(Ok(_)) => Ok(()),
        None => Err(Error::new("the smoke test did not run")),
    }
}
