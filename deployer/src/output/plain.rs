//! Progress as plain lines, for logs, pipes and CI. There are no escape codes.

use super::text::{doing, seconds, talk};
use crate::engine::{Event, Outcome, Reporter};
use crate::engine::{Id, Kind};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Prints lines to stderr.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// The last wait that each step reported. A wait is reported once.
    waiting: Mutex<BTreeMap<Id, &'static str>>,
    /// When each step last reported its progress.
    measuring: Mutex<BTreeMap<Id, Instant>>,
}

/// How often progress is reported.
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
                    // Short waits are not worth a line; long ones name the next attempt.
                    let until =
                        if next.as_secs() >= 2 { format!(", {} s", next.as_secs()) } else { String::new() };
                    talk(&format!("{id}: waiting for {reason}{until}"));
                }
            }
            Event::Noted { id, what } => talk(&format!("{id}: {what}")),
            Event::Measuring { id, what } => {
                let mut measuring = self.measuring.lock().unwrap_or_else(PoisonError::into_inner);
                // Most builds are so quick that they are not worth a line.
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
