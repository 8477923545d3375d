//! Reasons why a command does not start. All are reported at once, before anything is changed.

use crate::engine::{Change, Record};
use crate::error::{Error, Flag, Hint, Result, Verb};
use crate::names::Owner;

/// Fails where something belongs to somebody else or cannot be changed, with all reasons in one message.
pub(crate) fn refuse(records: &[Record], adopt: bool) -> Result<()> {
    let foreign: Vec<String> = records
        .iter()
        .filter_map(|record| Some((record, record.found.as_ref()?)))
        .filter(|(_, found)| !(adopt && found.owner == Owner::Unclaimed))
        .filter_map(|(record, found)| Some(format!("  {}: it {}", record.id, found.owner.objection()?)))
        .collect();
    if !foreign.is_empty() {
        return Err(Error::new(format!(
            "these exist already and are not of this stack:\n{}",
            foreign.join("\n")
        ))
        .hint("Nothing was changed.")
        .hint(
            Hint::from(Verb::Up.flag(Flag::Adopt))
                .text(" takes over what carries no tag, after showing what it would change."),
        )
        .hint("Or use other names in the manifest, or an independent copy with --env NAME."));
    }
    refuse_blocked(records, "Nothing was changed.")?;
    let refused: Vec<String> = records
        .iter()
        .flat_map(|record| record.changes.iter().map(move |change| (record, change)))
        .filter(|(_, change)| matches!(change, Change::Refused { .. }))
        .map(|(record, change)| format!("  {}: {}", record.id, change))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("the manifest asks for what cannot be done:\n{}", refused.join("\n")))
        .hint("Nothing was changed."))
}

/// Fails where something cannot be deleted, so that a deletion does not stop halfway.
pub(crate) fn refuse_blocked(records: &[Record], nothing: &str) -> Result<()> {
    let blocked: Vec<String> = records
        .iter()
        .filter(|record| !record.changes.is_empty())
        .flat_map(|record| {
            record.found.iter().flat_map(|found| &found.blockers).map(move |why| (record, why))
        })
        .map(|(record, why)| format!("  {}: it {why}", record.id))
        .collect();
    if blocked.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("these cannot be deleted:\n{}", blocked.join("\n"))).hint(nothing))
}
