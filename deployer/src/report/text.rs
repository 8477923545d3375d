//! Words for events, and the two channels: stdout is data, stderr is talk.

use super::Outcome;
use crate::resource::Change;
use std::io::Write as _;
use std::time::Duration;

/// Writes bytes of data, and nothing else.
///
/// # Errors
/// Those of the machine; what to make of them is the console's business.
pub(crate) fn data(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes a line for people. Nobody can be told when that fails.
pub(crate) fn talk(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Text that others wrote, without what could steer a terminal: control characters and changes of direction are made
/// visible. New lines and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// How a step ended, in words.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created => "created".to_owned(),
        Outcome::Updated => "updated".to_owned(),
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Deleted => "deleted".to_owned(),
        Outcome::Absent => "absent".to_owned(),
        Outcome::Built => "built".to_owned(),
        Outcome::Passed => "passed".to_owned(),
        Outcome::Done => "done".to_owned(),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::Kept { why } => format!("kept, {why}"),
        Outcome::Skipped => "skipped".to_owned(),
        // The error itself is said once, at the end.
        Outcome::Failed { .. } => "failed".to_owned(),
    }
}

/// One change on one line.
pub(crate) fn change(change: &Change) -> String {
    match change {
        Change::Create => "create".to_owned(),
        Change::Delete => "delete".to_owned(),
        Change::Update { field, from, to } => format!("{field}: {from} → {to}"),
        Change::Replace { field, from, to, why } => {
            format!("replace, because {field}: {from} → {to} ({why})")
        }
        Change::Refused { field, from, to, why } => format!("cannot change {field}: {from} → {to} ({why})"),
    }
}

/// With one decimal, as people say it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// A span of whole units, as people say it: `10 minutes`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) =
        units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    match seconds / length {
        1 => unit.to_owned(),
        number => format!("{number} {unit}s"),
    }
}

/// What is being done to a resource, in a few words: the plan has said the rest.
pub(crate) fn doing(changes: &[Change]) -> String {
    let about = |change: &Change| match change {
        Change::Create => "creating".to_owned(),
        Change::Delete => "deleting".to_owned(),
        Change::Update { field, .. } | Change::Refused { field, .. } => field.clone(),
        Change::Replace { .. } => "replacing".to_owned(),
    };
    match changes {
        [one @ (Change::Create | Change::Delete | Change::Replace { .. })] => about(one),
        many => {
            let mut fields: Vec<String> = many.iter().map(about).collect();
            let more = fields.split_off(fields.len().min(4)).len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("changing {}{more}", fields.join(", "))
        }
    }
}
