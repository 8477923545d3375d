//! Resamples a run from its own blocks (block bootstrap).

use super::PERCENTILES;
use crate::measurement::{Block, Measurement, Percentiles, number};
use fastrand::Rng;
use std::collections::BTreeSet;

/// How often each run is resampled: enough for stable ends of the interval.
pub(super) const RESAMPLES: usize = 1_000;

/// Fewer blocks do not show how much they differ.
const FEWEST_BLOCKS: usize = 5;

/// A figure of one run: as it was measured, and in each resample.
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
    /// The same in each resample: it belongs to the end of the run, and to none of its blocks.
    pub(super) unsent: ResampledFigure,
}

impl ResampledRun {
    pub(super) fn new(run: &Measurement, rng: &mut Rng) -> Self {
        let latencies = |ms: fn(&Percentiles) -> f64| run.latency_ms.as_ref().map(ms);
        let share = |count: u64, all: u64| (all > 0).then(|| number(count) * 100.0 / number(all));
        let mut resampled = Self {
            percentiles: [latencies(|p| p.p50), latencies(|p| p.p90), latencies(|p| p.p99)]
                .map(ResampledFigure::new),
            throughput: ResampledFigure::new((run.seconds > 0.0).then_some(run.throughput)),
            failed: ResampledFigure::new(share(run.counts.failed(), run.counts.sent)),
            throttled: ResampledFigure::new(share(run.counts.throttled, run.counts.sent)),
            unsent: ResampledFigure::new(share(run.counts.unsent, run.counts.sent + run.counts.unsent)),
        };
        let whole: Vec<&Block> = run.blocks.iter().filter(|block| block.answered() > 0).collect();
        if whole.len() < FEWEST_BLOCKS {
            return resampled;
        }
        let blocks = BlockPool::new(&whole);
        for _ in 0..RESAMPLES {
            let mut sum = blocks.empty_sum();
            for _ in 0..whole.len() {
                sum.add(&blocks.0[rng.usize(..whole.len())]);
            }
            resampled.add_sample(&sum, &blocks, run.seconds);
        }
        resampled
    }

    fn add_sample(&mut self, sum: &BlockSum, blocks: &BlockPool, seconds: f64) {
        for (figure, (_, part)) in self.percentiles.iter_mut().zip(PERCENTILES) {
            figure.resampled.extend(blocks.percentile(sum, part));
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

/// The blocks of one run, and the latencies that occur in any of them, in microseconds. Adding two blocks is adding two
/// lists of numbers, because it is done some ten thousand times.
struct BlockPool(Vec<BlockSum>, Vec<u64>);

/// One or more blocks added up.
struct BlockSum {
    /// Answered below 400, throttled, failed.
    counts: [u64; 3],
    /// How often each latency occurred, in the order of [`BlockPool`]'s latencies.
    latencies: Vec<u64>,
}

impl BlockPool {
    fn new(blocks: &[&Block]) -> Self {
        let all: BTreeSet<u64> =
            blocks.iter().flat_map(|block| &block.latency_us).map(|(us, _)| *us).collect();
        let all: Vec<u64> = all.into_iter().collect();
        let sums = blocks.iter().map(|block| {
            let mut latencies = vec![0; all.len()];
            for (us, count) in &block.latency_us {
                if let Ok(place) = all.binary_search(us) {
                    latencies[place] += count;
                }
            }
            BlockSum { counts: [block.ok, block.throttled, block.failed], latencies }
        });
        Self(sums.collect(), all)
    }

    fn empty_sum(&self) -> BlockSum {
        BlockSum { counts: [0; 3], latencies: vec![0; self.1.len()] }
    }

    /// In milliseconds.
    fn percentile(&self, sum: &BlockSum, part: f64) -> Option<f64> {
        let rank = number(sum.latencies.iter().sum()) * part;
        let mut below = 0;
        let place = sum.latencies.iter().position(|count| {
            below += count;
            below > 0 && number(below) >= rank
        });
        place.map(|place| number(self.1[place]) / 1000.0)
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
