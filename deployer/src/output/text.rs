//! Words for events, and the two channels: stdout has data, stderr has messages for people.

use crate::cli::Colour;
use crate::engine::Change;
use crate::printable::{Printable, one_line};
use anstream::{AutoStream, ColorChoice};
use std::io::Write as _;
use std::time::Duration;

/// Writes data unchanged: JSON documents, and answers that do not go to a terminal.
///
/// # Errors
/// Fails with the system's error, which the console handles.
pub(crate) fn data(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Sets when stdout and stderr show colours. Each decides for itself in the automatic setting.
pub(crate) fn set_colours(when: Colour) {
    let choice = match when {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    };
    choice.write_global();
}

/// Returns whether stderr shows colours.
pub(crate) fn stderr_has_colours() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}

/// Writes a line of data for people to stdout.
///
/// # Errors
/// Fails with the system's error, which the console handles.
pub(crate) fn data_line(line: &Printable) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(format!("{}\n", line.as_str()).as_bytes())?;
    stdout.flush()
}

/// Writes a line for people. A failure is ignored, because nobody could be told.
pub(crate) fn talk(line: impl Into<Printable>) {
    let _ = writeln!(anstream::stderr().lock(), "{}", line.into().as_str());
}

/// Writes a question without a line end.
pub(crate) fn ask(question: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{}", one_line(question));
    let _ = stderr.flush();
}

/// Writes seconds with one decimal.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Writes a duration in its largest whole unit: `10 minutes`.
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

/// Describes what is being done to a resource in a few words. The plan has the details.
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
