//! What a plan showed before it was approved. Nothing else is lost or opened.

use super::{Change, Id, Record};
use crate::error::{Error, Hint, Result, Verb};
use std::collections::BTreeMap;

/// The losses and openings that a plan showed, by resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approval(BTreeMap<Id, Consequences>);

#[derive(Clone, Debug, Default)]
struct Consequences {
    losses: Vec<String>,
    openings: Vec<String>,
}

impl Consequences {
    fn of(id: &Id, changes: &[Change]) -> Self {
        Self {
            losses: changes.iter().filter_map(|change| change.loss(id)).collect(),
            openings: changes.iter().filter_map(Change::opening).map(str::to_owned).collect(),
        }
    }

    /// Removes what is among the others.
    fn remove(&mut self, others: &Self) {
        self.losses.retain(|loss| !others.losses.contains(loss));
        self.openings.retain(|opening| !others.openings.contains(opening));
    }
}

impl Approval {
    /// Approves what these records of a plan show.
    pub(crate) fn of(planned: &[Record]) -> Self {
        let shown = |record: &Record| (record.id.clone(), Consequences::of(&record.id, &record.changes));
        Self(planned.iter().map(shown).collect())
    }

    /// # Errors
    /// Fails when a change would lose or open something that was not shown.
    pub(super) fn check(&self, id: &Id, changes: &[Change]) -> Result<()> {
        let mut unapproved = Consequences::of(id, changes);
        if let Some(shown) = self.0.get(id) {
            unapproved.remove(shown);
        }
        let Consequences { losses, openings } = unapproved;
        let mut also = Vec::new();
        if !losses.is_empty() {
            also.push(format!("delete or replace {}", losses.join(", ")));
        }
        if !openings.is_empty() {
            also.push(format!("let people in who are kept out now: {}", openings.join(", ")));
        }
        if also.is_empty() {
            return Ok(());
        }
        let also = also.join(", and ");
        Err(Error::new(format!("it has changed since the plan: this run would now also {also}"))
            .hint(Hint::from(Verb::Up).text(" shows that in its plan, and asks first.")))
    }
}
