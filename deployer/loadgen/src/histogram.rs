//! Histograms of latencies. Their size depends on the longest latency, not on the number of latencies.

use crate::error::{Error, Result};
use std::time::Duration;

/// The maximum latency, in microseconds: one hour. It limits the size of a histogram.
const MAX_US: u64 = 3_600_000_000;

/// A distribution of latencies between 1 µs and one hour, in constant memory (an HDR histogram).
///
/// Shorter latencies count as 1 µs and longer ones as an hour.
#[derive(Clone, Debug)]
pub struct LatencyHistogram(hdrhistogram::Histogram<u32>);

impl LatencyHistogram {
    /// Creates an empty histogram with a precision of 0.1 %, for reported figures.
    ///
    /// # Errors
    /// [`Error::System`] if the histogram cannot be created.
    pub fn fine() -> Result<Self> {
        Self::with_digits(3)
    }

    /// Creates an empty histogram with a precision of 1 %, for the seconds of a run. The noise of one second is larger.
    ///
    /// # Errors
    /// [`Error::System`] if the histogram cannot be created.
    pub fn coarse() -> Result<Self> {
        Self::with_digits(2)
    }

    fn with_digits(digits: u8) -> Result<Self> {
        let histogram = hdrhistogram::Histogram::new(digits);
        histogram.map(Self).map_err(|error| Error::System(format!("cannot create a histogram: {error}")))
    }

    /// Adds one latency.
    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(MAX_US).clamp(1, MAX_US);
        self.record_us(us, 1);
    }

    pub(crate) fn record_us(&mut self, us: u64, count: u32) {
        // This cannot fail: the histogram grows as needed, and the value is within its bounds.
        let _ = self.0.record_n(us.min(MAX_US), count);
    }

    /// Adds all latencies of another histogram.
    pub(crate) fn add(&mut self, other: &Self) {
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    /// Returns the number of recorded latencies.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the quantile of a fraction between 0 and 1, in microseconds. An empty histogram returns 0.
    #[must_use]
    pub fn quantile(&self, fraction: f64) -> u64 {
        self.0.value_at_quantile(fraction)
    }

    /// Returns the longest latency in microseconds. An empty histogram returns 0.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    /// Returns the shortest latency in microseconds. An empty histogram returns 0.
    #[must_use]
    pub fn min(&self) -> u64 {
        if self.0.is_empty() { 0 } else { self.0.min() }
    }

    /// Returns the mean in microseconds. An empty histogram returns 0.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.mean()
    }

    /// Returns the memory of the counts in bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.0.distinct_values() * size_of::<u32>()
    }

    /// Iterates over the recorded latencies in microseconds, each with its count.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), u64::from(step.count_at_value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_histogram_returns_zero() {
        let empty = LatencyHistogram::fine().unwrap();
        assert_eq!((empty.count(), empty.min(), empty.quantile(0.99), empty.max()), (0, 0, 0, 0));
    }

    #[test]
    fn limits_latencies_to_between_1_us_and_one_hour() {
        let mut latencies = LatencyHistogram::fine().unwrap();
        latencies.record(Duration::from_hours(24));
        latencies.record(Duration::ZERO);
        assert_eq!(latencies.count(), 2);
        assert!((3_600_000_000..3_604_000_000).contains(&latencies.max()), "{}", latencies.max());
        assert_eq!(latencies.min(), 1);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_the_documented_precision(mut times in proptest::collection::vec(1_u64..10_000_000, 1..500)) {
            let (mut fine, mut coarse) = (LatencyHistogram::fine().unwrap(), LatencyHistogram::coarse().unwrap());
            for us in &times {
                fine.record(Duration::from_micros(*us));
                coarse.record(Duration::from_micros(*us));
            }
            times.sort_unstable();
            for fraction in [0.5, 0.9, 0.99, 1.0] {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small and positive")]
                let rank = ((fraction * times.len() as f64).ceil() as usize).max(1);
                let exact = times[rank - 1];
                let is_close = |value: u64, precision: u64| value.abs_diff(exact) <= exact / precision + 1;
                prop_assert!(is_close(fine.quantile(fraction), 1000), "{} for {exact}", fine.quantile(fraction));
                prop_assert!(is_close(coarse.quantile(fraction), 100), "{} for {exact}", coarse.quantile(fraction));
            }
            prop_assert_eq!(fine.recorded().map(|(_, count)| count).sum::<u64>(), times.len() as u64);
        }
    }
}
