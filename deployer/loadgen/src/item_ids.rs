//! The ids of the items that a run creates. They are unique to the run, so that its reads find these items, and that only
//! these items are deleted.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of latest items from which reads choose.
const CAPACITY: usize = 1024;

/// The numbers of the latest requests whose items exist. All threads share it. If two threads write the same slot at once,
/// either may win.
#[derive(Debug)]
pub(crate) struct CreatedItems {
    latest: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl CreatedItems {
    pub(crate) fn new() -> Self {
        Self { latest: (0..CAPACITY).map(|_| AtomicU64::new(0)).collect(), count: AtomicU64::new(0) }
    }

    /// Records that the item of this request exists.
    pub(crate) fn add(&self, number: u64) {
        let slot = self.count.fetch_add(1, Ordering::Relaxed) % self.latest.len() as u64;
        if let Some(slot) = usize::try_from(slot).ok().and_then(|index| self.latest.get(index)) {
            // 0 marks an empty slot.
            slot.store(number + 1, Ordering::Relaxed);
        }
    }

    /// Returns the number of a randomly chosen item among the latest.
    pub(crate) fn choose(&self) -> Option<u64> {
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

    /// Creates the id with this number, so that a run is reproducible.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Returns the prefix of the run's item ids, such as `load-0000beef`. In each id, a hyphen and a number follow.
    #[must_use]
    pub fn text(&self) -> String {
        format!("load-{:08x}", self.0)
    }

    /// Returns the id of a request's item as text.
    pub(crate) fn item_id(&self, number: u64) -> String {
        format!("load-{:08x}-{number}", self.0)
    }

    /// Returns the id of a request's item as a number of 22 digits, for tables with numeric keys.
    pub(crate) fn item_number(&self, number: u64) -> String {
        format!("{}{number:012}", 1_000_000_000 + u64::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_contain_the_run() {
        let run = RunId::from_number(0xbeef);
        assert_eq!(run.item_id(7), "load-0000beef-7");
        assert_eq!(run.item_number(7), "1000048879000000000007");
        let ids: BTreeSet<String> = (0..1000).flat_map(|n| [run.item_id(n), run.item_number(n)]).collect();
        assert_eq!(ids.len(), 2000);
        assert!(run.item_number(u64::from(u32::MAX)).len() == 22);
        assert!(run.text().starts_with("load-0000beef"));
    }

    #[test]
    fn chooses_only_created_items() {
        let created = CreatedItems::new();
        assert_eq!(created.choose(), None);
        created.add(5);
        assert_eq!(created.choose(), Some(5));
        for number in 0..5000 {
            created.add(number);
        }
        for _ in 0..100 {
            let number = created.choose().unwrap();
            assert!((5000 - CAPACITY as u64..5000).contains(&number), "{number} is not one of the latest");
        }
    }
}
