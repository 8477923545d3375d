//! One plain line for each thing that happened: for logs, pipes and CI. No escape codes.

use super::text::{doing, outcome, seconds, talk};
use super::{Event, Outcome, Reporter};
use crate::resource::Id;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Prints lines to stderr.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// The reason that each step last said it waits for: said once, not at every look.
    waiting: Mutex<BTreeMap<Id, &'static str>>,
}

impl Reporter for Plain {
    fn event(&self, event: Event) {
        match event {
            Event::Started { .. } | Event::Planned { .. } => {}
            Event::Applying { id, changes } => {
                talk(&format!("{id}: {}", doing(&changes)));
            }
            Event::Waiting { id, reason, next, .. } => {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.insert(id.clone(), reason) != Some(reason) {
                    // A short wait ends before it is read; a long one should say when.
                    let until =
                        if next.as_secs() >= 2 { format!(", {} s", next.as_secs()) } else { String::new() };
                    talk(&format!("{id}: waiting for {reason}{until}"));
                }
            }
            Event::Noted { id, what } => talk(&format!("{id}: {what}")),
            Event::Finished { outcome: Outcome::Unchanged | Outcome::Absent, .. } => {}
            Event::Finished { id, outcome: how, elapsed } => {
                talk(&format!("{id}: {} ({})", outcome(&how), seconds(elapsed)));
            }
        }
    }
}
