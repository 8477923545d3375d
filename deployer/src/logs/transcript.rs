//! The events that a command has read.

use super::events::LogEvent;

/// The events that have been read. Only commands that print a document keep them, because a log may be larger than memory.
pub(crate) struct Transcript {
    keeps_events: bool,
    is_empty: bool,
    events: Vec<LogEvent>,
}

impl Transcript {
    pub(crate) fn new(keeps_events: bool) -> Self {
        Self { keeps_events, is_empty: true, events: Vec::new() }
    }

    pub(crate) fn add(&mut self, event: LogEvent) {
        self.is_empty = false;
        if self.keeps_events {
            self.events.push(event);
        }
    }

    /// Returns whether no event was read, kept or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub(crate) fn events(&self) -> &[LogEvent] {
        &self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_events_only_for_a_document() {
        for (keeps_events, count) in [(false, 0), (true, 2)] {
            let mut transcript = Transcript::new(keeps_events);
            assert!(transcript.is_empty());
            for _ in 0..2 {
                let (id, stream, message) = (String::new(), String::new(), String::new());
                transcript.add(LogEvent { id, stream, time_ms: 0, message });
            }
            assert!(!transcript.is_empty());
            assert_eq!(transcript.events().len(), count, "{keeps_events}");
        }
    }
}
