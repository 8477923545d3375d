//! Prompts before something is lost, or before more people get access.

use super::session::Session;
use crate::engine::Record;
use crate::error::{Error, Flag, Hint, Result, Verb};
use crate::resources::dynamodb::table::{ExistingTable, ItemCount};
use std::collections::BTreeSet;

/// Asks about changes that lose something or let more people in. Other changes need no answer.
///
/// # Errors
/// Fails when the answer is no, after Ctrl-C, and without a terminal.
pub(crate) async fn confirm_changes(session: &Session<'_>, planned: &[Record]) -> Result<()> {
    match question(planned) {
        Some(question) => session.console.confirm(&question, session.stop).await,
        None => Ok(()),
    }
}

fn question(planned: &[Record]) -> Option<String> {
    let changes =
        || planned.iter().flat_map(|record| record.changes.iter().map(move |change| (&record.id, change)));
    let losing: Vec<String> = changes().filter_map(|(id, change)| change.loss(id)).collect();
    // A method may be opened by more than one change.
    let opening: BTreeSet<&str> = changes().filter_map(|(_, change)| change.opening()).collect();
    let mut question = String::new();
    if !losing.is_empty() {
        question.push_str(&format!("This deletes or replaces {}. ", losing.join(", ")));
    }
    if !opening.is_empty() {
        let opening: Vec<&str> = opening.into_iter().collect();
        question.push_str(&format!("This lets people in who are kept out now: {}. ", opening.join(", ")));
    }
    (!question.is_empty()).then(|| format!("{question}Go on?"))
}

/// Asks for the name of each table that holds items and is to be deleted, unless `delete_data` is set. Returns whether
/// somebody was asked.
///
/// # Errors
/// Fails for any other answer, after Ctrl-C, and without a terminal.
pub(crate) async fn confirm_items(
    session: &Session<'_>,
    tables: &[(&ExistingTable, ItemCount)],
    delete_data: bool,
) -> Result<bool> {
    let holds = tables.iter().map(|(table, count)| format!("table {} holds {count}", table.name));
    if delete_data {
        for text in holds {
            session.console.talk(&format!("  {text}"));
        }
        return Ok(false);
    }
    if tables.is_empty() {
        return Ok(false);
    }
    if !session.console.can_ask() {
        let down = |flag| Verb::Down.flag(Flag::Yes).flag(flag);
        return Err(Error::new(holds.collect::<Vec<_>>().join(", "))
            .hint("Nothing was deleted.")
            .hint(Hint::from(down(Flag::DeleteData)).text(" deletes the items too."))
            .hint(Hint::from(down(Flag::KeepTable)).text(" leaves the tables and their items.")));
    }
    for (table, count) in tables {
        let question = format!("The table {} holds {count}, and they cannot be brought back.", table.name);
        session.console.confirm_by_name(&question, &table.name, session.stop).await?;
    }
    Ok(true)
}
