//! What a plan has seen, for the walk that makes it so. Looking at everything a second time would cost a round trip.

use super::{Existing, Id};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Older than this, AWS is asked again: somebody was asked a question meanwhile, or a build took its time.
const FRESH: Duration = Duration::from_secs(3);

/// When something was seen, and what.
type Sight = (Instant, Box<dyn Any>);

/// Observations of a walk that only looks, each good for one use.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<BTreeMap<Id, Sight>>);

impl Seen {
    pub(crate) fn put<E: Existing>(&self, id: Id, seen: Option<E::Observed>) {
        self.all().insert(id, (Instant::now(), Box::new(seen)));
    }

    /// `None` when nothing fresh is known; `Some(None)` when it is known that there is none.
    #[expect(clippy::option_option, reason = "knowing nothing and knowing that there is none are two things")]
    pub(crate) fn take<E: Existing>(&self, id: &Id) -> Option<Option<E::Observed>> {
        let (at, seen) = self.all().remove(id)?;
        (at.elapsed() < FRESH).then(|| seen.downcast().ok().map(|seen| *seen))?
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<Id, Sight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
