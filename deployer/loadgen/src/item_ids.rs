//! The ids of the items that a run's requests create. No other run has them, so exactly the run's own items can be
//! deleted, and its reads find what it created.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many of the latest items reads choose from.
const REMEMBERED: usize = 1024;

/// The numbers of the latest requests whose items exist, shared by all threads. When two threads write the same place at
/// once, either may win.
#[derive(Debug)]
pub(crate) struct CreatedItems {
    latest: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl CreatedItems {
    pub(crate) fn new() -> Self {
        Self { latest: (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect(), count: AtomicU64::new(0) }
    }

    /// Notes that the item of this request exists.
    pub(crate) fn add(&self, number: u64) {
        let place = self.count.fetch_add(1, Ordering::Relaxed) % self.latest.len() as u64;
        if let Some(place) = usize::try_from(place).ok().and_then(|place| self.latest.get(place)) {
            // 0 marks an empty place.
            place.store(number + 1, Ordering::Relaxed);
        }
    }

    /// Returns the number of a random one of the latest items.
    pub(crate) fn any(&self) -> Option<u64> {
        let count = usize::try_from(self.count.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let filled = count.min(self.latest.len());
        if filled == 0 {
            return None;
        }
        self.latest[fastrand::usize(..filled)].load(Ordering::Relaxed).checked_sub(1)
    }
}

/// Identifies a run. The ids of all its items begin with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(u32);

impl RunId {
    /// Creates a random id.
    #[must_use]
    pub fn random() -> Self {
        Self(fastrand::u32(..))
    }

    /// Creates the id with this number, so that a run can be repeated exactly.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Returns the prefix of the run's item ids, like `load-0000beef`. A hyphen and a number follow it in each id.
    #[must_use]
    pub fn text(&self) -> String {
        format!("load-{:08x}", self.0)
    }

    /// Returns the id of one request's item as text.
    pub(crate) fn item_id(&self, number: u64) -> String {
        format!("load-{:08x}-{number}", self.0)
    }

    /// Returns the id of one request's item as a number of 22 digits, for keys that are numbers.
    pub(crate) fn item_number(&self, number: u64) -> String {
        format!("{}{number:012}", 1_000_000_000 + u64::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_differ_and_carry_their_run() {
        let run = RunId::from_number(0xbeef);
        assert_eq!(run.item_id(7), "load-0000beef-7");
        assert_eq!(run.item_number(7), "1000048879000000000007");
        let ids: BTreeSet<String> = (0..1000).flat_map(|n| [run.item_id(n), run.item_number(n)]).collect();
        assert_eq!(ids.len(), 2000);
        assert!(run.item_number(u64::from(u32::MAX)).len() == 22);
        assert!(run.text().starts_with("load-0000beef"));
    }

    #[test]
    fn what_is_read_was_created() {
        let created = CreatedItems::new();
        assert_eq!(created.any(), None);
        created.add(5);
        assert_eq!(created.any(), Some(5));
        for number in 0..5000 {
            created.add(number);
        }
        for _ in 0..100 {
            let any = created.any().unwrap();
            assert!((5000 - REMEMBERED as u64..5000).contains(&any), "{any} is one of the latest");
        }
    }
}
