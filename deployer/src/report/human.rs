//! A tree on the terminal: one line for each resource, with what it does and for how long.

use super::text::{doing, outcome, seconds};
use super::{Event, Outcome, Reporter};
use crate::resource::{Id, Kind};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// Draws on stderr.
#[derive(Debug)]
pub(crate) struct Tree {
    drawn: Mutex<Drawn>,
    colour: bool,
}

/// What moves on the terminal now.
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
    /// An empty tree.
    pub(crate) fn new(colour: bool) -> Self {
        Self { drawn: Mutex::new(Drawn::new()), colour }
    }

    fn line(&self, id: &Id) -> ProgressBar {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let Drawn { all, lines } = &mut *drawn;
        let new = || {
            let line = all.add(ProgressBar::new_spinner());
            // What a load tells is longer than what any resource waits for.
            let prefix = if id.kind == Kind::Load { "{prefix}" } else { "{prefix:<52}" };
            line.set_style(style(&format!("  {{spinner}} {prefix} {{wide_msg}} {{elapsed:>4}}")));
            line.set_prefix(id.to_string());
            line.enable_steady_tick(TICK);
            line
        };
        lines.entry(id.clone()).or_insert_with(new).clone()
    }

    fn mark(&self, outcome: &Outcome) -> String {
        let (mark, code) = match outcome {
            Outcome::Failed { .. } => ("✗", 31),
            Outcome::Skipped | Outcome::Interrupted | Outcome::Kept { .. } => ("–", 33),
            _ => ("✓", 32),
        };
        if self.colour { format!("\u{1b}[{code}m{mark}\u{1b}[0m") } else { mark.to_owned() }
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
                self.line(&id).set_message(doing(&changes));
            }
            Event::Waiting { id, reason, waited, next } => {
                let until = (waited + next).as_secs();
                self.line(&id)
                    .set_message(format!("waiting for {reason}, {} of {until} s", waited.as_secs()));
            }
            Event::Noted { id, what } => {
                // Above the lines that move, where it stays.
                let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = drawn.all.println(format!("{id}: {what}"));
            }
            Event::Measuring { id, what } => self.line(&id).set_message(what),
            Event::Finished { id, outcome: how, elapsed } => {
                let line = self.line(&id);
                line.set_style(style("  {prefix} {wide_msg}"));
                line.set_prefix(format!("{} {:<52}", self.mark(&how), id.to_string()));
                line.finish_with_message(format!("{} ({})", outcome(&how), seconds(elapsed)));
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
