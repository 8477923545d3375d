//! What happens during a walk, reported as it happens.

use super::{Change, Id};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Something that people or a watching program may want to know while it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A step has begun: it observes, or waits for what it needs.
    Started { id: Id },
    /// What a plan found.
    Planned {
        id: Id,
        /// Empty when there is nothing to do.
        changes: Vec<Change>,
    },
    /// Changes are being made.
    Applying { id: Id, changes: Vec<Change> },
    /// AWS, or something on this machine, is not ready yet.
    Waiting {
        id: Id,
        /// A phrase that follows "waiting for".
        reason: &'static str,
        /// How long the step has waited so far.
        #[serde(rename = "waited_ms", serialize_with = "as_millis")]
        waited: Duration,
        /// How long until the next attempt.
        #[serde(rename = "next_ms", serialize_with = "as_millis")]
        next: Duration,
    },
    /// Something unexpected that was dealt with.
    Noted {
        id: Id,
        /// What happened, and what was done about it.
        what: String,
    },
    /// Progress of long work: a build, a measurement.
    Measuring {
        id: Id,
        /// The progress, in words.
        what: String,
    },
    /// The step is done.
    Finished {
        id: Id,
        /// How it ended.
        outcome: Outcome,
        /// Time since the step began.
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
    /// Work that leaves nothing behind has finished.
    Done,
    /// It was stopped by Ctrl-C before its end.
    Interrupted,
    /// It stays.
    Kept {
        /// The reason.
        why: String,
    },
    /// Something that it needs failed, or the command was interrupted.
    Skipped,
    /// It failed.
    Failed {
        /// The message.
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
            // The error itself is shown once, at the end.
            Self::Failed { .. } => "failed",
        })
    }
}

/// Receives events in the order in which they happen. An implementation must not block: steps run meanwhile.
pub(crate) trait Reporter {
    /// Handles one event.
    fn event(&self, event: Event);
    /// Finishes the drawing, because text follows on the same terminal.
    fn rest(&self) {}
}

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
