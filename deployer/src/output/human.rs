//! Progress as a tree on the terminal: one line for each resource, with its state and elapsed time.

use super::columns::{cut, padded};
use super::palette::{BAD, GOOD, WARNING};
use super::text::{doing, seconds};
use crate::engine::{Event, Outcome, Reporter};
use crate::engine::{Id, Kind};
use crate::printable::{Printable, one_line};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// Draws on stderr.
#[derive(Debug)]
pub(crate) struct Tree {
    drawn: Mutex<Drawn>,
    has_colours: bool,
    /// The width of the names, in columns.
    name_width: usize,
}

/// The bars that are shown now.
#[derive(Debug)]
struct Drawn {
    all: MultiProgress,
    lines: BTreeMap<Id, ProgressBar>,
}

impl Drawn {
    fn new() -> Self {
        Self { all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), lines: BTreeMap::new() }
    }
}

impl Tree {
    /// Creates an empty tree.
    pub(crate) fn new(has_colours: bool) -> Self {
        Self { drawn: Mutex::new(Drawn::new()), has_colours, name_width: name_width(columns()) }
    }

    fn line(&self, id: &Id) -> ProgressBar {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let Drawn { all, lines } = &mut *drawn;
        let new = || {
            let line = all.add(ProgressBar::new_spinner());
            // A load's progress is longer than that of a resource.
            let prefix = self.name(id, id.kind != Kind::Load);
            line.set_style(style("  {spinner} {prefix} {wide_msg} {elapsed:>4}"));
            line.set_prefix(prefix);
            line.enable_steady_tick(TICK);
            line
        };
        lines.entry(id.clone()).or_insert_with(new).clone()
    }

    /// The resource, cut so that its state fits on the line.
    fn name(&self, id: &Id, is_padded: bool) -> String {
        let (name, width) = (one_line(&id.to_string()), self.name_width);
        let name = cut(&name, width);
        if is_padded { padded(&name, width) } else { name }
    }

    fn mark(&self, outcome: &Outcome) -> Printable {
        let (mark, style) = match outcome {
            Outcome::Failed { .. } => ("✗", BAD),
            Outcome::Skipped | Outcome::Interrupted | Outcome::Kept { .. } => ("–", WARNING),
            _ => ("✓", GOOD),
        };
        // The progress display does not leave colours out by itself.
        if self.has_colours { Printable::painted(mark, style) } else { mark.into() }
    }
}

impl Reporter for Tree {
    fn rest(&self) {
        *self.drawn.lock().unwrap_or_else(PoisonError::into_inner) = Drawn::new();
    }

    fn event(&self, event: Event) {
        match event {
            Event::Planned { .. } => {}
            Event::Started { id } => self.line(&id).set_message(match id.kind {
                Kind::Package => "building",
                Kind::SmokeTest => "asking",
                Kind::Load => "warming up",
                Kind::CleanUp => "deleting",
                _ => "looking",
            }),
            Event::Applying { id, changes } => {
                self.line(&id).set_message(one_line(&doing(&changes)));
            }
            Event::Waiting { id, reason, waited, next } => {
                let until = (waited + next).as_secs();
                self.line(&id)
                    .set_message(format!("waiting for {reason}, {} of {until} s", waited.as_secs()));
            }
            Event::Noted { id, what } => {
                // Above the bars, where it stays.
                let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = drawn.all.println(Printable::from(&format!("{id}: {what}")).as_str());
            }
            Event::Measuring { id, what } => self.line(&id).set_message(one_line(&what)),
            Event::Finished { id, outcome: how, elapsed } => {
                let line = self.line(&id);
                line.set_style(style("  {prefix} {wide_msg}"));
                if how == Outcome::Absent {
                    line.finish_and_clear();
                    return;
                }
                line.set_prefix(format!("{} {}", self.mark(&how).as_str(), self.name(&id, true)));
                line.finish_with_message(one_line(&format!("{} ({})", how, seconds(elapsed))));
            }
        }
    }
}

/// The terminal's.
fn columns() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| size.ws_col.into()).filter(|n| *n > 0)
}

/// On a narrow terminal, names and times are cut before the outcome, such as `interrupted`.
fn name_width(columns: Option<usize>) -> usize {
    const WIDEST: usize = 52;
    const MARK: usize = 5;
    const WORDS: usize = 12;
    columns.map_or(WIDEST, |columns| columns.saturating_sub(MARK + WORDS).clamp(4, WIDEST))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_room_for_how_it_went() {
        assert_eq!(name_width(None), 52);
        assert_eq!(name_width(Some(200)), 52);
        let narrow = Tree { name_width: name_width(Some(30)), ..Tree::new(false) };
        let shown = narrow.name(&Id::new(Kind::Function, "LambdaFunctionOverHttps"), true);
        assert_eq!(shown, "function Lam…");
        let line = format!("  {} {shown} {}", narrow.mark(&Outcome::Unchanged).as_str(), "interrupted");
        assert!(line.chars().count() <= 30, "{line}");
    }
}
