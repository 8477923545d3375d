//! Which items the requests of a run are about: ids that no other run has, so that exactly what was made can be
//! deleted, and reads find what was made.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many of the latest items can be read.
const KNOWN: usize = 1024;

/// Numbers of requests whose items exist. Written by all threads, and read by all: it does not matter which of two
/// stays when they write at once.
#[derive(Debug)]
pub(super) struct Created {
    latest: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl Created {
    pub(super) fn new() -> Self {
        Self { latest: (0..KNOWN).map(|_| AtomicU64::new(0)).collect(), count: AtomicU64::new(0) }
    }

    /// The item of this request exists now.
    pub(super) fn add(&self, number: u64) {
        let place = self.count.fetch_add(1, Ordering::Relaxed) % self.latest.len() as u64;
        if let Some(place) = usize::try_from(place).ok().and_then(|place| self.latest.get(place)) {
            // 0 says that the place is empty.
            place.store(number + 1, Ordering::Relaxed);
        }
    }

    /// Any of the latest items.
    pub(super) fn any(&self) -> Option<u64> {
        let count = usize::try_from(self.count.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let filled = count.min(self.latest.len());
        if filled == 0 {
            return None;
        }
        self.latest[fastrand::usize(..filled)].load(Ordering::Relaxed).checked_sub(1)
    }
}

/// What all ids of a run begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId(u32);

impl RunId {
    /// Another one each time.
    pub(crate) fn new() -> Self {
        Self(fastrand::u32(..))
    }

    /// The same each time, for tests.
    #[cfg(test)]
    pub(crate) fn of(number: u32) -> Self {
        Self(number)
    }

    /// As people see it: the ids are this, a hyphen and a number.
    pub(crate) fn text(&self) -> String {
        format!("load-{:08x}", self.0)
    }

    /// The id of one request's item, as text.
    pub(super) fn id(&self, number: u64) -> String {
        format!("load-{:08x}-{number}", self.0)
    }

    /// The same for keys that are numbers: 22 digits, of which DynamoDB takes 38.
    pub(super) fn number(&self, number: u64) -> String {
        format!("{}{number:012}", 1_000_000_000 + u64::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_differ_and_carry_their_run() {
        let run = RunId::of(0xbeef);
        assert_eq!(run.id(7), "load-0000beef-7");
        assert_eq!(run.number(7), "1000048879000000000007");
        let ids: BTreeSet<String> = (0..1000).flat_map(|n| [run.id(n), run.number(n)]).collect();
        assert_eq!(ids.len(), 2000);
        assert!(run.number(u64::from(u32::MAX)).len() == 22);
        assert!(run.text().starts_with("load-0000beef"));
    }

    #[test]
    fn what_is_read_was_created() {
        let created = Created::new();
        assert_eq!(created.any(), None);
        created.add(5);
        assert_eq!(created.any(), Some(5));
        for number in 0..5000 {
            created.add(number);
        }
        for _ in 0..100 {
            let any = created.any().unwrap();
            assert!((5000 - KNOWN as u64..5000).contains(&any), "{any} is one of the latest");
        }
    }
}
