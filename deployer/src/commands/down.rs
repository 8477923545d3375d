//! `down`: list, ask, delete in AWS's order, and look again.

use crate::app::refusals::refuse_blocked;
use crate::app::session::{Connected, Session};
use crate::app::summary::summarise;
use crate::app::survey::{holding, readable};
use crate::cli::Down;
use crate::engine::{Id, Kind, Mode, Outcome, Pauses, Record, StackState, Step};
use crate::error::{Error, ExitStatus, Result};
use crate::output::json::Document;
use crate::stack::orphans::Orphans;
use crate::time::{Cadence, Stop, ms, pause, secs};
use std::collections::BTreeSet;
use std::time::Duration;

/// `down` has deleted everything, and lists of AWS may still show some of it.
static ALL_GONE: Cadence = Cadence {
    reason: "AWS to show that everything is gone",
    first: ms(500),
    longest: secs(4),
    within: secs(15),
};

pub(crate) async fn run(session: &Session<'_>, args: &Down, document: &mut Document) -> Result<ExitStatus> {
    let at = session.connect_to_delete(document).await?;
    let keep_tables = args.keep_table.then_some("as asked");
    let (found, orphans) = survey(&at, keep_tables).await?;
    document.found(&found);
    let going = found.iter().filter(|record| !record.changes.is_empty()).count();
    list(session, &found);
    if going == 0 {
        session.console.talk(&format!("Nothing of {} exists.", at.place()));
        document.state = Some(StackState::Absent);
        return Ok(ExitStatus::Success);
    }
    refuse_blocked(&found, "Nothing was deleted.")?;
    let asked = data(session, &at, &orphans, args, &found).await?;
    if !asked {
        session.console.confirm(&format!("Delete these {going}?"), session.stop).await?;
    }
    let records = destroy(&at, &orphans, keep_tables).await;
    document.done(&records);
    summarise(&records, session.stop, "down")?;
    verify(session, at, keep_tables, &records).await?;
    if records.iter().any(|record| matches!(record.result, Ok(Outcome::Kept { .. }))) {
        session.console.talk("Everything is gone, but for what stays.");
        document.state = Some(StackState::Different);
    } else {
        session.console.talk("Everything of the stack is gone.");
        document.state = Some(StackState::Absent);
    }
    Ok(ExitStatus::Success)
}

/// Everything of ours, declared or not.
async fn survey(at: &Connected<'_>, keep_tables: Option<&str>) -> Result<(Vec<Record>, Orphans)> {
    let go = at.engine(Mode::Plan);
    let ((), orphans) = tokio::join!(at.stack.destroy(&go, keep_tables), at.orphans());
    let orphans = orphans?;
    orphans.destroy(&go, keep_tables).await;
    Ok((readable(go.finish())?, orphans))
}

async fn destroy(at: &Connected<'_>, orphans: &Orphans, keep_tables: Option<&str>) -> Vec<Record> {
    let go = at.engine(Mode::Apply);
    tokio::join!(at.stack.destroy(&go, keep_tables), orphans.destroy(&go, keep_tables));
    go.finish()
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

/// Tables with items go only on an explicit word; true if somebody gave it just now.
async fn data(
    session: &Session<'_>,
    at: &Connected<'_>,
    orphans: &Orphans,
    args: &Down,
    found: &[Record],
) -> Result<bool> {
    let holding = holding(at, at.stack.tables().chain(&orphans.tables), found).await?;
    if args.delete_data {
        for (table, count) in &holding {
            session.console.talk(&format!("  table {} holds {count}", table.name));
        }
    }
    if holding.is_empty() || args.delete_data {
        return Ok(false);
    }
    if !session.console.can_ask() {
        let tables: Vec<String> =
            holding.iter().map(|(table, count)| format!("table {} holds {count}", table.name)).collect();
        return Err(Error::new(tables.join(", ")).hint(
            "Nothing was deleted. Say --delete-data to delete the items too, or --keep-table to leave them.",
        ));
    }
    for (table, count) in holding {
        let question = format!("The table {} holds {count}, and they cannot be brought back.", table.name);
        session.console.confirm_by_name(&question, &table.name, session.stop).await?;
    }
    Ok(true)
}

/// AWS delivers logs for some time after a function is gone; the local one does not.
fn late_logs(session: &Session<'_>, deleted: &BTreeSet<String>) -> Vec<Duration> {
    if deleted.is_empty() || session.config.target.is_local() {
        return vec![Duration::ZERO];
    }
    vec![Duration::ZERO, Duration::from_secs(10)]
}

/// Looks again: nothing of ours may be left. A log line that comes late makes a deleted log group again.
async fn verify(
    session: &Session<'_>,
    at: Connected<'_>,
    keep_tables: Option<&str>,
    records: &[Record],
) -> Result<()> {
    let deleted: BTreeSet<String> = records
        .iter()
        .filter(|record| record.id.kind == Kind::Function && matches!(record.result, Ok(Outcome::Deleted)))
        .map(|record| record.id.name.clone())
        .collect();
    let at = Connected { stack: at.stack.claiming_logs_of(&deleted), ..at };
    let mut left = Vec::new();
    for wait in late_logs(session, &deleted) {
        if !wait.is_zero() {
            session.console.talk("Waiting whether a late log line makes the log group again…");
        }
        pause(session.stop, wait).await?;
        left = remaining(&at, keep_tables, session.stop).await?;
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("these are still there:\n{}", left.join("\n"))).hint("Run deployer down again."))
}

/// What is still there after one more try at it.
async fn remaining(at: &Connected<'_>, keep_tables: Option<&str>, stop: &Stop) -> Result<Vec<String>> {
    let (left, orphans) = survey(at, keep_tables).await?;
    if left.iter().all(|record| record.changes.is_empty()) {
        return Ok(Vec::new());
    }
    summarise(&destroy(at, &orphans, keep_tables).await, stop, "down")?;
    let id = Id::new(Kind::Tags, &at.aws.scope.stack);
    at.engine(Mode::Plan).read(id, async |step| still_there(at, keep_tables, step).await).await
}

/// Looks until nothing is left, for as long as AWS may take to show it: its reads may be some seconds old.
async fn still_there(at: &Connected<'_>, keep_tables: Option<&str>, step: &Step<'_>) -> Result<Vec<String>> {
    let mut pauses = Pauses::new(&ALL_GONE);
    loop {
        let (records, _) = survey(at, keep_tables).await?;
        let left = records.iter().filter(|record| !record.changes.is_empty());
        let left: Vec<String> = left.map(|record| format!("  {}", record.id)).collect();
        if left.is_empty() || !pauses.wait(step, None).await? {
            return Ok(left);
        }
    }
}
