//! How many requests took how long.

use super::{Measurement, number};

/// Requests whose latencies were about the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyBucket {
    /// The lower end, inclusive.
    pub from_ms: f64,
    /// The upper end, exclusive.
    pub to_ms: f64,
    /// How many requests there were.
    pub count: u64,
}

impl Measurement {
    /// Counts latencies in steps of 1, 2, 5, 10, … ms, from the first to the last that is not empty.
    #[must_use]
    pub fn histogram(&self) -> Vec<LatencyBucket> {
        self.buckets((-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))))
    }

    /// Counts latencies in finer steps for a chart: each is a tenth wider than the one before.
    #[must_use]
    pub fn distribution(&self) -> Vec<LatencyBucket> {
        self.buckets((-75..400).map(|power| 1.1_f64.powi(power)))
    }

    fn buckets(&self, steps: impl Iterator<Item = f64>) -> Vec<LatencyBucket> {
        let steps: Vec<f64> = steps.collect();
        let mut buckets: Vec<LatencyBucket> = steps
            .windows(2)
            .map(|step| LatencyBucket { from_ms: step[0], to_ms: step[1], count: 0 })
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
