//! Work within a walk that is not about one resource: packaging, the smoke test, a further read.

use super::{Engine, Event, Id, Outcome, Record, Step};
use crate::error::Result;

impl Engine<'_> {
    /// Takes something that is not a resource through the walk: packaging, the smoke test.
    pub(crate) async fn task<T>(
        &self,
        id: Id,
        work: impl AsyncFnOnce(&Step<'_>) -> Result<(Outcome, T)>,
    ) -> Option<T> {
        let step = self.at(id.clone());
        self.report.event(Event::Started { id: id.clone() });
        let (result, value) = match work(&step).await {
            Ok((outcome, value)) => (Ok(outcome), Some(value)),
            Err(error) => (Err(error), None),
        };
        // A plan is silent about what it looks at, but work on this machine may take minutes.
        self.finished(&step, &result);
        self.keep_record(Record { id, found: None, changes: Vec::new(), result });
        value
    }

    /// Reads something more about one resource, outside the walk.
    pub(crate) async fn read<T>(&self, id: Id, work: impl AsyncFnOnce(&Step<'_>) -> Result<T>) -> Result<T> {
        work(&self.at(id)).await
    }
}
