//! What happens during a walk, told as it happens.

use super::{Change, Id};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Something that a person, or a program that watches, may want to know while it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A step has begun: it looks, or waits for what it needs.
    Started {
        /// Whose step.
        id: Id,
    },
    /// What a plan found.
    Planned {
        /// Whose step.
        id: Id,
        /// Empty when there is nothing to do.
        changes: Vec<Change>,
    },
    /// Changes are being made.
    Applying {
        /// Whose step.
        id: Id,
        /// All of them.
        changes: Vec<Change>,
    },
    /// AWS, or something on this machine, is not ready yet.
    Waiting {
        /// Whose step.
        id: Id,
        /// To follow "waiting for".
        reason: &'static str,
        /// How long it has waited so far.
        #[serde(rename = "waited_ms", serialize_with = "as_millis")]
        waited: Duration,
        /// When it is tried again.
        #[serde(rename = "next_ms", serialize_with = "as_millis")]
        next: Duration,
    },
    /// Something that nobody expected, and that was dealt with.
    Noted {
        /// Whose step.
        id: Id,
        /// What, and what becomes of it.
        what: String,
    },
    /// Work goes on that takes its time: a build, a measurement.
    Measuring {
        /// Whose step.
        id: Id,
        /// How far it is, in words.
        what: String,
    },
    /// The step is done.
    Finished {
        /// Whose step.
        id: Id,
        /// How it ended.
        outcome: Outcome,
        /// Since it started.
        #[serde(rename = "elapsed_ms", serialize_with = "as_millis")]
        elapsed: Duration,
    },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It did not exist and does now.
    Created,
    /// Some of its properties were changed.
    Updated,
    /// It was as declared.
    Unchanged,
    /// It is gone.
    Deleted,
    /// There was none.
    Absent,
    /// Something was made on this machine.
    Built,
    /// A check went well.
    Passed,
    /// Something that leaves nothing behind went to its end.
    Done,
    /// It was stopped by Ctrl-C before its end.
    Interrupted,
    /// It stays, for this reason.
    Kept {
        /// Why.
        why: String,
    },
    /// Something that it needs failed, or the command was interrupted.
    Skipped,
    /// It failed.
    Failed {
        /// In words.
        error: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
            Self::Built => "built",
            Self::Passed => "passed",
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Kept { why } => return write!(f, "kept, {why}"),
            Self::Skipped => "skipped",
            // The error itself is said once, at the end.
            Self::Failed { .. } => "failed",
        })
    }
}

/// Takes events, in the order they happen. Must not block for long: steps run while it draws.
pub(crate) trait Reporter {
    /// One more event.
    fn event(&self, event: Event);
    /// Text comes next on the same terminal: what was drawn stays above it, and is not drawn again.
    fn rest(&self) {}
}

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
