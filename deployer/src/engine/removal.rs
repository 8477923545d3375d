//! Deletes resources, or records why they stay.

use super::{Change, Engine, Event, Existing, Found, Mode, Outcome, Record, Step, is_interruption};
use crate::error::Result;

impl Engine<'_> {
    /// Deletes one resource once `before` is done, and returns whether it is gone. A plan only observes.
    ///
    /// A resource of somebody else stays. So does this one when `before` returns false, because AWS would refuse the order.
    pub(crate) async fn remove<E: Existing>(&self, existing: &E, before: impl Future<Output = bool>) -> bool {
        let id = existing.id();
        let step = self.at(id.clone());
        let mut record = Record { id, found: None, changes: Vec::new(), result: Ok(Outcome::Absent) };
        step.started();
        record.result = self.try_remove(existing, before, &step, &mut record).await;
        let gone = matches!(record.result, Ok(Outcome::Deleted | Outcome::Absent | Outcome::Kept { .. }));
        self.close(&step, record);
        gone
    }

    async fn try_remove<E: Existing>(
        &self,
        existing: &E,
        before: impl Future<Output = bool>,
        step: &Step<'_>,
        record: &mut Record,
    ) -> Result<Outcome> {
        let (may_start, seen) = tokio::join!(before, self.look::<E>(step, Box::pin(existing.observe(step))));
        let seen = match seen {
            Err(error) if is_interruption(&error) => return Ok(Outcome::Skipped),
            seen => seen?,
        };
        let Some(seen) = seen else {
            self.remember::<E>(&record.id, None);
            return Ok(Outcome::Absent);
        };
        let owner = existing.owner(&seen);
        record.found = Some(Found {
            owner: owner.clone(),
            state: existing.state(&seen),
            blockers: existing.blockers(&seen),
            takes_along: existing.takes_along(&seen),
        });
        if let Some(why) = owner.objection() {
            return Ok(Outcome::Kept { why: format!("not of this stack: it {why}") });
        }
        record.changes = vec![Change::Delete];
        if self.mode == Mode::Plan {
            self.remember::<E>(&record.id, Some(seen));
            return Ok(Outcome::Unchanged);
        }
        if !may_start || self.stop.is_set() {
            return Ok(Outcome::Skipped);
        }
        self.may_make(&record.id, &record.changes)?;
        self.report.event(Event::Applying { id: record.id.clone(), changes: record.changes.clone() });
        Box::pin(existing.delete(step, seen)).await?;
        Ok(Outcome::Deleted)
    }

    /// Leaves one resource in place, and records why.
    pub(crate) async fn keep<E: Existing>(&self, existing: &E, why: &str) -> bool {
        let step = self.at(existing.id());
        let mut record =
            Record { id: existing.id(), found: None, changes: Vec::new(), result: Ok(Outcome::Absent) };
        match Box::pin(existing.observe(&step)).await {
            Ok(None) => {}
            Ok(Some(seen)) => {
                let (owner, state) = (existing.owner(&seen), existing.state(&seen));
                record.found = Some(Found { owner, state, blockers: Vec::new(), takes_along: Vec::new() });
                record.result = Ok(Outcome::Kept { why: why.to_owned() });
            }
            Err(error) => record.result = Err(error),
        }
        self.close(&step, record);
        true
    }
}
