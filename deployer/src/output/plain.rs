//! One plain line for each thing that happened: for logs, pipes and CI. No escape codes.

use super::text::{doing, seconds, talk};
use crate::engine::{Event, Outcome, Reporter};
use crate::engine::{Id, Kind};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Prints lines to stderr.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// The reason that each step last said it waits for: said once, not at every look.
    waiting: Mutex<BTreeMap<Id, &'static str>>,
    /// When each step last said how far it is.
    measuring: Mutex<BTreeMap<Id, Instant>>,
}

/// Often enough to see that it goes on, and seldom enough for a log.
const MEASURING_EVERY: Duration = Duration::from_secs(10);

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
            Event::Measuring { id, what } => {
                let mut measuring = self.measuring.lock().unwrap_or_else(PoisonError::into_inner);
                // Most builds end within a moment, and then this is not worth a line.
                if id.kind == Kind::Package && !measuring.contains_key(&id) {
                    measuring.insert(id, Instant::now());
                    return;
                }
                if measuring.get(&id).is_none_or(|last| last.elapsed() >= MEASURING_EVERY) {
                    talk(&format!("{id}: {what}"));
                    measuring.insert(id, Instant::now());
                }
            }
            Event::Finished { outcome: Outcome::Unchanged | Outcome::Absent, .. } => {}
            Event::Finished { id, outcome: how, elapsed } => {
                talk(&format!("{id}: {} ({})", how, seconds(elapsed)));
            }
        }
    }
}
