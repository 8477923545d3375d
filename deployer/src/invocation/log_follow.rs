//! Which events of a log are new: those that follow it read the same span of time again and again. Pure.

use super::log_events::LogEvent;
use std::collections::BTreeSet;

/// Events come out of order: one is found some seconds after it was written, and another environment's later one may
/// be found before it. So far back is looked again, in milliseconds.
const OVERLAP_MS: i64 = 60_000;

/// What was seen of a log so far.
#[derive(Debug)]
pub(crate) struct Follow {
    start_ms: i64,
    latest_ms: Option<i64>,
    /// What may be found again.
    seen: BTreeSet<(i64, String)>,
}

impl Follow {
    /// From this moment on, in milliseconds since 1970.
    pub(crate) fn from(start_ms: i64) -> Self {
        Self { start_ms, latest_ms: None, seen: BTreeSet::new() }
    }

    /// Where to look from the next time. It goes by the events' own clock, whatever this machine's says.
    pub(crate) fn next_ms(&self) -> i64 {
        self.latest_ms.map_or(self.start_ms, |latest| self.start_ms.max(latest - OVERLAP_MS))
    }

    /// Whether this event was not seen before.
    pub(crate) fn is_new(&mut self, event: &LogEvent) -> bool {
        self.latest_ms = self.latest_ms.max(Some(event.time_ms));
        self.seen.insert((event.time_ms, event.id.clone()))
    }

    /// Forgets what is not looked at again.
    pub(crate) fn forget(&mut self) {
        self.seen = self.seen.split_off(&(self.next_ms(), String::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time_ms: i64, id: &str) -> LogEvent {
        LogEvent { id: id.to_owned(), stream: String::new(), time_ms, message: String::new() }
    }

    #[test]
    fn an_event_is_new_once_and_a_late_one_too() {
        let mut follow = Follow::from(1_000);
        assert_eq!(follow.next_ms(), 1_000);
        assert!(follow.is_new(&event(100_000, "a")));
        assert!(follow.is_new(&event(100_000, "b")), "at the same time");
        follow.forget();
        assert_eq!(follow.next_ms(), 40_000);
        assert!(!follow.is_new(&event(100_000, "a")));
        assert!(follow.is_new(&event(40_000, "late")));
        assert_eq!(follow.next_ms(), 40_000, "it does not go back");
        follow.forget();
        assert!(!follow.is_new(&event(40_000, "late")), "it is looked at again");
    }

    #[test]
    fn nothing_is_looked_at_from_before_the_start() {
        let mut follow = Follow::from(1_000);
        assert!(follow.is_new(&event(2_000, "a")));
        assert_eq!(follow.next_ms(), 1_000);
    }

    #[test]
    fn what_cannot_come_again_is_forgotten() {
        let mut follow = Follow::from(0);
        for time in 0..1_000 {
            assert!(follow.is_new(&event(time * 1_000, "a")));
            follow.forget();
        }
        assert_eq!(follow.seen.len(), 61);
    }
}
