//! What one walk found and did at one resource.

use super::{Change, Id, Kind, Outcome};
use crate::error::Result;
use crate::names::Owner;

/// What one walk found or did at one resource.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: Id,
    /// `None` when AWS has none, or it could not be read.
    pub(crate) found: Option<Found>,
    pub(crate) changes: Vec<Change>,
    pub(crate) result: Result<Outcome>,
}

impl Record {
    /// Whether it is about a resource that exists, is declared or failed. Tasks and absent resources are not.
    pub(crate) fn is_of_the_stack(&self) -> bool {
        let is_task = matches!(self.id.kind, Kind::Package | Kind::SmokeTest | Kind::Tags);
        !is_task && (self.found.is_some() || !self.changes.is_empty() || self.result.is_err())
    }

    /// Adds the record of a second step for the same resource. A failed or skipped first step stays failed or skipped.
    pub(super) fn merge(&mut self, second: Self) {
        self.changes.extend(second.changes);
        let over = matches!(self.result, Err(_) | Ok(Outcome::Skipped));
        let did_nothing = matches!(second.result, Ok(Outcome::Unchanged | Outcome::Absent));
        if !over && (!did_nothing || matches!(self.result, Ok(Outcome::Absent))) {
            self.result = second.result;
        }
    }
}

/// What AWS had before this walk changed anything.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) owner: Owner,
    pub(crate) state: String,
    /// Why it cannot be deleted. Empty unless it is to be deleted.
    pub(crate) blockers: Vec<String>,
    /// What is deleted with it, in words. Empty unless it is to be deleted.
    pub(crate) takes_along: Vec<String>,
}
