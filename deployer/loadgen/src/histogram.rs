//! A histogram of latencies in microseconds. Its size depends on the longest latency, not on how many there are.

use crate::error::{Error, Result};
use std::time::Duration;

/// Longer latencies count as this, which bounds the size: an hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// A distribution of latencies between 1 µs and one hour, in constant memory (an HDR histogram).
///
/// Shorter latencies count as 1 µs and longer ones as an hour.
#[derive(Clone, Debug)]
pub struct LatencyHistogram(hdrhistogram::Histogram<u32>);

impl LatencyHistogram {
    /// Creates an empty histogram that is exact to 0.1 %: for figures that are reported.
    ///
    /// # Errors
    /// [`Error::System`] when the histogram cannot be created.
    pub fn fine() -> Result<Self> {
        Self::with_digits(3)
    }

    /// Creates an empty histogram that is exact to 1 %, which is less than the noise of one second: for each second of a
    /// run.
    ///
    /// # Errors
    /// [`Error::System`] when the histogram cannot be created.
    pub fn coarse() -> Result<Self> {
        Self::with_digits(2)
    }

    fn with_digits(digits: u8) -> Result<Self> {
        let histogram = hdrhistogram::Histogram::new(digits);
        histogram.map(Self).map_err(|error| Error::System(format!("cannot make a histogram: {error}")))
    }

    /// Adds one latency.
    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US).clamp(1, LONGEST_US);
        self.record_us(us, 1);
    }

    pub(crate) fn record_us(&mut self, us: u64, count: u32) {
        // The histogram grows as needed, and the value is within its bounds.
        let _ = self.0.record_n(us.min(LONGEST_US), count);
    }

    /// Adds all latencies of another histogram.
    pub(crate) fn add(&mut self, other: &Self) {
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    /// Returns how many latencies were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the latency in microseconds that this part of all (0 to 1) did not exceed; 0 when there are none.
    #[must_use]
    pub fn quantile(&self, part: f64) -> u64 {
        self.0.value_at_quantile(part)
    }

    /// Returns the longest latency in microseconds; 0 when there are none.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    /// Returns the shortest latency in microseconds; 0 when there are none.
    #[must_use]
    pub fn min(&self) -> u64 {
        if self.0.is_empty() { 0 } else { self.0.min() }
    }

    /// Returns the mean in microseconds; 0 when there are none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.mean()
    }

    /// The size of the counts in bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.0.distinct_values() * size_of::<u32>()
    }

    /// Iterates over the latencies that occurred, in microseconds, each with how often it did.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), u64::from(step.count_at_value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_recorded_is_nothing() {
        let none = LatencyHistogram::fine().unwrap();
        assert_eq!((none.count(), none.min(), none.quantile(0.99), none.max()), (0, 0, 0, 0));
    }

    #[test]
    fn what_is_longer_than_an_hour_counts_as_an_hour() {
        let mut latencies = LatencyHistogram::fine().unwrap();
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
            let (mut fine, mut coarse) = (LatencyHistogram::fine().unwrap(), LatencyHistogram::coarse().unwrap());
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
                prop_assert!(near(fine.quantile(part), 1000), "{} for {exact}", fine.quantile(part));
                prop_assert!(near(coarse.quantile(part), 100), "{} for {exact}", coarse.quantile(part));
            }
            prop_assert_eq!(fine.recorded().map(|(_, count)| count).sum::<u64>(), times.len() as u64);
        }
    }
}
