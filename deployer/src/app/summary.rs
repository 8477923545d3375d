//! The outcome of a walk that changed something.

use crate::engine::{Outcome, Record};
use crate::error::{Error, ErrorKind, Hint, Result, Verb};
use crate::time::Stop;

/// Turns the records of a walk into a result: what failed, what exists now, and what to do next.
pub(crate) fn summarise(records: &[Record], stop: &Stop, command: Verb) -> Result<()> {
    let failed: Vec<(&Record, &Error)> =
        records.iter().filter_map(|record| Some((record, record.result.as_ref().err()?))).collect();
    let mut skipped =
        records.iter().filter(|record| matches!(record.result, Ok(Outcome::Skipped))).peekable();
    if failed.is_empty() && skipped.peek().is_none() {
        return Ok(());
    }
    let skipped: Vec<String> = skipped.map(|record| record.id.to_string()).collect();
    let mut message = match (stop.is_set(), &failed[..]) {
        (true, _) => "interrupted".to_owned(),
        (false, []) => format!("not done, because what it needs is not known: {}", skipped.join(", ")),
        (false, failed) => {
            let failed = failed.iter().map(|(record, error)| format!("{}: {error}", record.id));
            failed.collect::<Vec<_>>().join("\n")
        }
    };
    message.push_str("\nwhat stands now:");
    for record in records {
        let how = match &record.result {
            Ok(Outcome::Absent) if command == Verb::Up => continue,
            Ok(outcome) => outcome.to_string(),
            Err(_) => "failed; it may be half-done".to_owned(),
        };
        message.push_str(&format!("\n  {}: {how}", record.id));
    }
    let mut error = Error::of(ErrorKind::Partial, message);
    for (_, failure) in &failed {
        for hint in failure.hints() {
            error = error.hint(hint);
        }
    }
    Err(error.hint(Hint::from("Run ").command(command).text(" again: it goes on from here.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Id, Kind};

    /// A step may be left out although nothing failed: that is a mistake of ours, and still has to be said.
    #[test]
    fn what_was_left_out_is_named_also_where_nothing_failed() {
        let skipped = Record {
            id: Id::new(Kind::RestApi, "shop"),
            found: None,
            changes: Vec::new(),
            result: Ok(Outcome::Skipped),
        };
        let error = summarise(&[skipped], &Stop::default(), Verb::Up).unwrap_err();
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        assert_eq!(first, "not done, because what it needs is not known: REST API shop");
    }
}
