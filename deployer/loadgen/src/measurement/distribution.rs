//! The distribution of latencies in buckets.

use super::{Measurement, number};

/// The number of requests with a latency in a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyBucket {
    /// The lower bound, inclusive.
    pub from_ms: f64,
    /// The upper bound, exclusive.
    pub to_ms: f64,
    /// The number of requests.
    pub count: u64,
}

impl Measurement {
    /// Returns latency buckets with bounds of 1, 2, 5, 10, … ms, without empty buckets at either end.
    #[must_use]
    pub fn histogram(&self) -> Vec<LatencyBucket> {
        self.buckets((-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))))
    }

    /// Returns finer latency buckets for a chart. Each bucket is a tenth wider than the one before.
    #[must_use]
    pub fn distribution(&self) -> Vec<LatencyBucket> {
        self.buckets((-75..400).map(|power| 1.1_f64.powi(power)))
    }

    fn buckets(&self, bounds: impl Iterator<Item = f64>) -> Vec<LatencyBucket> {
        let bounds: Vec<f64> = bounds.collect();
        let mut buckets: Vec<LatencyBucket> = bounds
            .windows(2)
            .map(|pair| LatencyBucket { from_ms: pair[0], to_ms: pair[1], count: 0 })
            .collect();
        for (us, count) in self.blocks.iter().flat_map(|block| &block.latency_us) {
            let ms = number(*us) / 1000.0;
            if let Some(bucket) = buckets.iter_mut().find(|bucket| ms < bucket.to_ms) {
                bucket.count += count;
            }
        }
        let first = buckets.iter().position(|bucket| bucket.count > 0).unwrap_or(buckets.len());
        let last = buckets.iter().rposition(|bucket| bucket.count > 0).map_or(first, |last| last + 1);
        buckets[first..last].to_vec()
    }
}
