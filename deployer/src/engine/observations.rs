//! Observations that a planning walk passes on to the walk that applies. Observing everything again would cost a round trip.

use super::{Existing, Id};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an observation may be reused. A prompt or a build in between takes longer, and then AWS is read again.
const FRESH: Duration = Duration::from_secs(3);

/// When a resource was observed, and what was found.
type Entry = (Instant, Box<dyn Any>);

/// Observations of one planning walk. Each can be taken once.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<BTreeMap<Id, Entry>>);

impl Seen {
    pub(crate) fn put<E: Existing>(&self, id: Id, seen: Option<E::Observed>) {
        self.all().insert(id, (Instant::now(), Box::new(seen)));
    }

    /// Returns a recent observation. `None` means that there is none; `Some(None)` means that the resource was absent.
    #[expect(clippy::option_option, reason = "no observation and an observed absence are different")]
    pub(crate) fn take<E: Existing>(&self, id: &Id) -> Option<Option<E::Observed>> {
        let (at, seen) = self.all().remove(id)?;
        (at.elapsed() < FRESH).then(|| seen.downcast().ok().map(|seen| *seen))?
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<Id, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
