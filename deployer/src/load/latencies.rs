//! How long things took: an HDR histogram of microseconds. It grows with the longest of them, not with how many.

use crate::error::{Error, Result};
use hdrhistogram::Histogram;
use std::time::Duration;

/// Longer is counted as this: an hour, in microseconds. It bounds the size.
const LONGEST_US: u64 = 3_600_000_000;

/// A distribution of times.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u32>);

impl Latencies {
    /// Exact to 0.1 %: what is reported.
    pub(super) fn fine() -> Result<Self> {
        Self::of(3)
    }

    /// Exact to 1 %, which is less than one second's noise: what is kept of each second.
    pub(super) fn coarse() -> Result<Self> {
        Self::of(2)
    }

    fn of(digits: u8) -> Result<Self> {
        Histogram::new(digits).map(Self).map_err(|e| Error::new(format!("cannot make a histogram: {e}")))
    }

    pub(super) fn record(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US).clamp(1, LONGEST_US);
        self.record_us(us, 1);
    }

    pub(super) fn record_us(&mut self, us: u64, count: u32) {
        // It grows as needed, up to a value that was bounded above.
        let _ = self.0.record_n(us.min(LONGEST_US), count);
    }

    pub(super) fn add(&mut self, other: &Self) {
        let _ = self.0.add(&other.0);
    }

    pub(super) fn clear(&mut self) {
        self.0.reset();
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// What this part of all took at the most, in microseconds; 0 when there are none.
    pub(super) fn at(&self, part: f64) -> u64 {
        self.0.value_at_quantile(part)
    }

    pub(super) fn max(&self) -> u64 {
        self.0.max()
    }

    pub(super) fn min(&self) -> u64 {
        if self.0.is_empty() { 0 } else { self.0.min() }
    }

    pub(super) fn mean(&self) -> f64 {
        self.0.mean()
    }

    /// In bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.0.distinct_values() * size_of::<u32>()
    }

    /// Each time that occurred, in microseconds, with how often it did.
    pub(super) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), u64::from(step.count_at_value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_recorded_is_nothing() {
        let none = Latencies::fine().unwrap();
        assert_eq!((none.count(), none.min(), none.at(0.99), none.max()), (0, 0, 0, 0));
    }

    #[test]
    fn what_is_longer_than_an_hour_counts_as_an_hour() {
        let mut latencies = Latencies::fine().unwrap();
        latencies.record(Duration::from_hours(24));
        latencies.record(Duration::ZERO);
        assert_eq!(latencies.count(), 2);
        assert!((3_600_000_000..3_604_000_000).contains(&latencies.max()), "{}", latencies.max());
        assert_eq!(latencies.min(), 1);
    }

    proptest! {
        /// Percentiles are those of the sorted times, within the precision that is promised.
        #[test]
        fn percentiles_are_exact_to_their_digits(mut times in proptest::collection::vec(1_u64..10_000_000, 1..500)) {
            let (mut fine, mut coarse) = (Latencies::fine().unwrap(), Latencies::coarse().unwrap());
            for us in &times {
                fine.record(Duration::from_micros(*us));
                coarse.record(Duration::from_micros(*us));
            }
            times.sort_unstable();
            for part in [0.5, 0.9, 0.99, 1.0] {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small and positive")]
                let rank = ((part * times.len() as f64).ceil() as usize).max(1);
                let exact = times[rank - 1];
                let near = |found: u64, digits: u64| found.abs_diff(exact) <= exact / digits + 1;
                prop_assert!(near(fine.at(part), 1000), "{} for {exact}", fine.at(part));
                prop_assert!(near(coarse.at(part), 100), "{} for {exact}", coarse.at(part));
            }
            prop_assert_eq!(fine.recorded().map(|(_, count)| count).sum::<u64>(), times.len() as u64);
        }
    }
}
