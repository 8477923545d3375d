//! `down`: lists, asks, deletes in AWS's order, and checks.

use crate::app::confirmation::confirm_items;
use crate::app::refusals::refuse_blocked;
use crate::app::session::Session;
use crate::app::summary::summarise;
use crate::app::survey::holding;
use crate::app::teardown::Teardown;
use crate::cli::Down;
use crate::engine::{Outcome, Record, StackState};
use crate::error::{ExitStatus, Result, Verb};
use crate::output::json::Document;

pub(crate) async fn run(session: &Session<'_>, args: &Down, document: &mut Document) -> Result<ExitStatus> {
    let console = session.console;
    let connected = session.connect_to_delete(document).await?;
    let teardown = Teardown::new(connected, args.keep_table);
    let (found, orphans) = teardown.survey().await?;
    document.found(&found);
    let going = found.iter().filter(|record| !record.changes.is_empty()).count();
    list(session, &found);
    if going == 0 {
        console.talk(&format!("Nothing of {} exists.", teardown.connected.place()));
        document.state = Some(StackState::Absent);
        return Ok(ExitStatus::Success);
    }
    refuse_blocked(&found, "Nothing was deleted.")?;
    let tables = teardown.connected.stack.tables().chain(&orphans.tables);
    let holding = holding(&teardown.connected, tables, &found).await?;
    let asked = confirm_items(session, &holding, args.delete_data).await?;
    if !asked {
        console.confirm(&format!("Delete these {going}?"), session.stop).await?;
    }
    let records = teardown.delete(&orphans).await;
    document.done(&records);
    summarise(&records, session.stop, Verb::Down)?;
    teardown.verify(&records).await?;
    if records.iter().any(|record| matches!(record.result, Ok(Outcome::Kept { .. }))) {
        console.talk("Everything is gone, but for what stays.");
        document.state = Some(StackState::Different);
    } else {
        console.talk("Everything of the stack is gone.");
        document.state = Some(StackState::Absent);
    }
    Ok(ExitStatus::Success)
}

fn list(session: &Session<'_>, found: &[Record]) {
    for record in found {
        if !record.changes.is_empty() {
            session.console.talk(&format!("- {}", record.id));
            for more in record.found.iter().flat_map(|found| &found.takes_along) {
                session.console.talk(&format!("  with {more}"));
            }
        } else if let Ok(Outcome::Kept { why }) = &record.result {
            session.console.talk(&format!("  {} stays: {why}", record.id));
        }
    }
}
