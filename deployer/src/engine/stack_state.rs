//! The condition of a whole stack.

use super::Record;
use serde::Serialize;

/// The condition of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StackState {
    /// Nothing of it exists.
    Absent,
    /// Everything is as declared.
    InSync,
    /// Something is not as declared, or was kept.
    Different,
}

impl StackState {
    /// Derives the condition from the records of a walk.
    pub(crate) fn from_records(records: &[Record]) -> Self {
        if records.iter().all(|record| record.found.is_none()) {
            Self::Absent
        } else if records.iter().all(|record| record.changes.is_empty()) {
            Self::InSync
        } else {
            Self::Different
        }
    }
}
