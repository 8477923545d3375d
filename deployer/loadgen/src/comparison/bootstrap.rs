//! Resamples a run from its own blocks (block bootstrap).

use super::PERCENTILES;
use crate::measurement::{Block, Measurement, Percentiles, number};
use fastrand::Rng;
use std::collections::BTreeSet;

/// The number of resamples of each run. It is large enough for a stable interval.
pub(super) const RESAMPLES: usize = 1_000;

/// The minimum number of blocks for an estimate of the noise.
const MIN_BLOCKS: usize = 5;

/// A figure of one run: the measured value and the value in each resample.
#[derive(Clone, Debug)]
pub(super) struct ResampledFigure {
    pub(super) measured: Option<f64>,
    pub(super) resampled: Vec<f64>,
}

/// The figures of one run.
pub(super) struct ResampledRun {
    pub(super) percentiles: [ResampledFigure; 3],
    pub(super) throughput: ResampledFigure,
    pub(super) failed: ResampledFigure,
    pub(super) throttled: ResampledFigure,
    /// The same value in each resample, because no block contains unsent requests.
    pub(super) unsent: ResampledFigure,
}

impl ResampledRun {
    pub(super) fn new(run: &Measurement, rng: &mut Rng) -> Self {
        let latencies = |ms: fn(&Percentiles) -> f64| run.latency_ms.as_ref().map(ms);
        let percentage = |count: u64, total: u64| (total > 0).then(|| number(count) * 100.0 / number(total));
        let mut resampled = Self {
            percentiles: [latencies(|p| p.p50), latencies(|p| p.p90), latencies(|p| p.p99)]
                .map(ResampledFigure::new),
            throughput: ResampledFigure::new((run.seconds > 0.0).then_some(run.throughput)),
            failed: ResampledFigure::new(percentage(run.counts.failed(), run.counts.sent)),
            throttled: ResampledFigure::new(percentage(run.counts.throttled, run.counts.sent)),
            unsent: ResampledFigure::new(percentage(run.counts.unsent, run.counts.sent + run.counts.unsent)),
        };
        let nonempty: Vec<&Block> = run.blocks.iter().filter(|block| block.answered() > 0).collect();
        if nonempty.len() < MIN_BLOCKS {
            return resampled;
        }
        let blocks = BlockPool::new(&nonempty);
        for _ in 0..RESAMPLES {
            let mut sum = blocks.empty_sum();
            for _ in 0..nonempty.len() {
                sum.add(&blocks.blocks[rng.usize(..nonempty.len())]);
            }
            resampled.add_sample(&sum, &blocks, run.seconds);
        }
        resampled
    }

    fn add_sample(&mut self, sum: &BlockSum, blocks: &BlockPool, seconds: f64) {
        for (figure, (_, fraction)) in self.percentiles.iter_mut().zip(PERCENTILES) {
            figure.resampled.extend(blocks.percentile(sum, fraction));
        }
        let [ok, throttled, failed] = sum.counts.map(number);
        let answered = (ok + throttled + failed).max(1.0);
        self.throughput.resampled.push(ok / seconds);
        self.failed.resampled.push(failed * 100.0 / answered);
        self.throttled.resampled.push(throttled * 100.0 / answered);
        self.unsent.resampled.extend(self.unsent.measured);
    }
}

impl ResampledFigure {
    fn new(measured: Option<f64>) -> Self {
        Self { measured, resampled: Vec::new() }
    }
}

/// The blocks of one run. Their latencies are lists of counts, so that they can be summed up quickly: a comparison does this
/// some ten thousand times.
struct BlockPool {
    blocks: Vec<BlockSum>,
    /// The latencies that occur in any block, in microseconds and sorted.
    latencies_us: Vec<u64>,
}

/// The sum of one or more blocks.
struct BlockSum {
    /// The numbers of requests: ok, throttled, failed.
    counts: [u64; 3],
    /// The count of each latency, in the order of [`BlockPool::latencies_us`].
    latencies: Vec<u64>,
}

impl BlockPool {
    fn new(blocks: &[&Block]) -> Self {
        let latencies_us: BTreeSet<u64> =
            blocks.iter().flat_map(|block| &block.latency_us).map(|(us, _)| *us).collect();
        let latencies_us: Vec<u64> = latencies_us.into_iter().collect();
        let sums = blocks.iter().map(|block| {
            let mut latencies = vec![0; latencies_us.len()];
            for (us, count) in &block.latency_us {
                if let Ok(index) = latencies_us.binary_search(us) {
                    latencies[index] += count;
                }
            }
            BlockSum { counts: [block.ok, block.throttled, block.failed], latencies }
        });
        Self { blocks: sums.collect(), latencies_us }
    }

    fn empty_sum(&self) -> BlockSum {
        BlockSum { counts: [0; 3], latencies: vec![0; self.latencies_us.len()] }
    }

    /// Returns a percentile in milliseconds.
    fn percentile(&self, sum: &BlockSum, fraction: f64) -> Option<f64> {
        let rank = number(sum.latencies.iter().sum()) * fraction;
        let mut below = 0;
        let index = sum.latencies.iter().position(|count| {
            below += count;
            below > 0 && number(below) >= rank
        });
        index.map(|index| number(self.latencies_us[index]) / 1000.0)
    }
}

impl BlockSum {
    fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
        for (sum, count) in self.latencies.iter_mut().zip(&other.latencies) {
            *sum += count;
        }
    }
}
