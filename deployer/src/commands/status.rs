//! `status`: shows the condition of each resource, whether the URL answers, and the URL.

use crate::app::session::{Connected, Session};
use crate::app::survey::Survey;
use crate::aws::AccessMode;
use crate::cli::Status;
use crate::engine::{Record, StackState};
use crate::error::{Error, ExitStatus, Flag, Hint, Result, Verb};
use crate::names::Owner;
use crate::output::json::Document;
use crate::packaging::Packages;
use crate::smoke;

pub(crate) async fn run(session: &Session<'_>, args: &Status, document: &mut Document) -> Result<ExitStatus> {
    let at = session.connect(AccessMode::ReadOnly, document).await?;
    // Code is not compared, because building it may take minutes.
    let packages = Packages::not_compared();
    let Survey { records, api, .. } = at.plan(&packages, false).await?;
    document.found(&records);
    let state = StackState::from_records(&records);
    document.state = Some(state);
    document.url = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api));
    if args.url {
        return print_url(session, &at, document.url.as_deref());
    }
    let instead = match (&document.url, at.stack.proof()) {
        (Some(url), Ok(proof)) => {
            let instead =
                smoke::look(&at.aws.http, url, proof).await.filter(|instead| !instead.is_throttled());
            document.answers = Some(instead.is_none());
            instead.map(|instead| instead.said)
        }
        _ => None,
    };
    show(session, &at, &records, document, instead.as_deref());
    let healthy = state == StackState::InSync && document.answers != Some(false);
    Ok(if !healthy && args.exit_code { ExitStatus::Different } else { ExitStatus::Success })
}

fn print_url(session: &Session<'_>, at: &Connected<'_>, url: Option<&str>) -> Result<ExitStatus> {
    let error = || Error::new(format!("{} has no URL: it is not up", at.place())).hint(Hint::run(Verb::Up));
    session.console.data(url.ok_or_else(error)?);
    Ok(ExitStatus::Success)
}

fn show(
    session: &Session<'_>,
    at: &Connected<'_>,
    records: &[Record],
    document: &Document,
    instead: Option<&str>,
) {
    let console = session.console;
    match document.state {
        Some(StackState::Absent) => {
            return console.data(&format!("{} does not exist.", capital(&at.place())));
        }
        Some(state) => {
            console.data(&format!("{}:", capital(&at.place())));
            console.conditions(records);
            let foreign = records.iter().filter_map(|r| r.found.as_ref()).any(|f| f.owner != Owner::Ours);
            console.data(&console.sentence(&summary(state, foreign)));
        }
        None => {}
    }
    if let Some(url) = &document.url {
        console.data(&match instead {
            Some(instead) => format!("The URL does not answer as it should; it says: {instead}"),
            None if document.answers.is_none() => {
                format!("The URL, which was not asked ({}):", at.stack.proof().err().unwrap_or_default())
            }
            None => "The URL answers:".to_owned(),
        });
        console.data(url);
    }
}

/// Sums up the conditions, and says what to run next.
fn summary(state: StackState, foreign: bool) -> Hint {
    if state == StackState::InSync {
        Hint::from("Everything is as declared. The function's code was not compared; ")
            .command(Verb::Plan)
            .text(" does.")
    } else if foreign {
        Hint::from("Not all of it is of this stack: ")
            .command(Verb::Plan.flag(Flag::Adopt))
            .text(" shows what taking it over would change.")
    } else {
        Hint::from("Not as declared: ")
            .command(Verb::Plan)
            .text(" shows the changes, ")
            .command(Verb::Up)
            .text(" makes them.")
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
