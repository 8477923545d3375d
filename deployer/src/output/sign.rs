//! The signs of a plan, and its summary line.

use super::palette::{BAD, GOOD, WARNING};
use crate::engine::{Change, Record};
use anstyle::Style;

/// What happens to a resource: the sign of its line in a plan, and its count in the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Create,
    Change,
    Replace,
    Delete,
    Refused,
}

impl Sign {
    /// All signs in the order of the summary.
    const ALL: [Self; 5] = [Self::Create, Self::Change, Self::Replace, Self::Delete, Self::Refused];

    /// Returns the sign of a resource that is to change.
    pub(super) fn of(record: &Record) -> Self {
        let any = |test: fn(&Change) -> bool| record.changes.iter().any(test);
        if any(|c| matches!(c, Change::Refused { .. })) {
            Self::Refused
        } else if any(|c| matches!(c, Change::Replace { .. })) {
            Self::Replace
        } else if any(|c| matches!(c, Change::Delete)) {
            Self::Delete
        } else if any(|c| matches!(c, Change::Create)) {
            Self::Create
        } else {
            Self::Change
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Change => "~",
            Self::Replace => "±",
            Self::Delete => "-",
            Self::Refused => "!",
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Create => GOOD,
            Self::Change => WARNING,
            Self::Replace | Self::Delete | Self::Refused => BAD,
        }
    }

    /// Returns the word that follows a number of resources.
    fn counted(self) -> &'static str {
        match self {
            Self::Create => "to create",
            Self::Change => "to change",
            Self::Replace => "to replace",
            Self::Delete => "to delete",
            Self::Refused => "that cannot be changed",
        }
    }
}

/// Counts the resources by sign.
pub(super) fn summary(records: &[Record]) -> String {
    let signs: Vec<Sign> = records.iter().filter(|r| !r.changes.is_empty()).map(Sign::of).collect();
    let parts: Vec<String> = Sign::ALL
        .into_iter()
        .map(|sign| (sign, signs.iter().filter(|one| **one == sign).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(sign, count)| format!("{count} {}", sign.counted()))
        .collect();
    if parts.is_empty() { "Nothing to change.".to_owned() } else { format!("Plan: {}.", parts.join(", ")) }
}
