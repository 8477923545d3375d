//! Compares a run with earlier ones, so that noise alone does not change the verdict.
//!
//! A run consists of blocks, and the difference between the blocks of one run is noise. So each run is resampled 1,000
//! times from its own blocks (block bootstrap), which gives each figure a distribution. A verdict needs the whole 95 %
//! interval of the difference to lie beyond the threshold.
//!
//! One run does not show how much runs differ from each other, on other hosts and beside other neighbours. Several earlier
//! runs do: each sample then compares with their mean, and shifts the new run by the difference of two earlier runs that
//! are drawn at random. That is more than one run deviates on average, which makes up for how few runs there are.

use crate::measurement::{Block, LoadParameters, Measurement, Percentiles, number, rounded};
use fastrand::Rng;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// The ends of the 95 % interval, as quantiles.
const LOW: f64 = 0.025;
const HIGH: f64 = 0.975;

/// How often each run is resampled: enough for stable ends of the interval.
const RESAMPLES: usize = 1_000;

/// A fixed seed, so that the same two runs always have the same verdict.
const SEED: u64 = 0x0dd_ba11;

/// Fewer blocks do not show how much they differ.
const FEWEST_BLOCKS: usize = 5;

/// A shorter run has too few blocks, which are at least a second long.
const SHORTEST_S: f64 = 5.0;

/// A percentile is meaningful if at least this many requests lie beyond it.
const FEWEST_BEYOND: f64 = 10.0;

/// The threshold of errors in percentage points, whatever the threshold of the latencies is.
const ERROR_POINTS: f64 = 1.0;

/// How a figure, or a whole run, compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Clearly worse, by more than the threshold.
    Regression,
    /// Clearly better, by more than the threshold.
    Improvement,
    /// Clearly within the threshold.
    Same,
    /// The noise is too large to tell.
    Unclear,
    /// There are too few requests to tell.
    TooFew,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Regression => "worse",
            Self::Improvement => "better",
            Self::Same => "the same",
            Self::Unclear => "no clear difference",
            Self::TooFew => "too few requests",
        })
    }
}

/// One figure of the runs that are compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// `p50`, `p90`, `p99`, `throughput`, `failed`, `throttled`, or `never sent` where that happened.
    pub figure: &'static str,
    /// `ms`, `1/s` or `%`.
    pub unit: &'static str,
    /// The mean of the earlier runs; `None` where one of them lacks it.
    pub before: Option<f64>,
    /// The new run's; `None` where it was not measured.
    pub after: Option<f64>,
    /// By how much it changed, in percent; in percentage points for what is a percentage itself.
    pub change: Option<f64>,
    /// The lower end of the change's 95 % interval; `None` where there are too few requests.
    pub from: Option<f64>,
    /// The upper end.
    pub to: Option<f64>,
    /// What the interval means.
    pub verdict: Verdict,
}

/// A run compared with earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// When the earlier runs began.
    pub before: Vec<String>,
    /// When the new run began.
    pub after: String,
    /// From which change on a figure is better or worse, in percent.
    pub threshold: f64,
    /// What all figures together mean.
    pub verdict: Verdict,
    /// Each figure, in the order in which it is shown.
    pub lines: Vec<ComparedFigure>,
}

/// Returns why a run with these parameters cannot be compared with an earlier one; empty when it can.
///
/// Each reason is a clause in words, such as `the rate was 20, and is 50`.
#[must_use]
pub fn differences(before: &Measurement, parameters: &LoadParameters) -> Vec<String> {
    let then = &before.asked;
    let mut differences = Vec::new();
    if then.rate != parameters.rate {
        differences.push(format!("the rate was {}, and is {}", then.rate, parameters.rate));
    }
    if then.mix_fingerprint != parameters.mix_fingerprint {
        let (old, new) = (shares(then), shares(parameters));
        differences.push(if old == new {
            "the requests of the mix were others".to_owned()
        } else {
            format!("the mix was {old}, and is {new}")
        });
    }
    if then.concurrency != parameters.concurrency {
        let (old, new) = (then.concurrency, parameters.concurrency);
        differences.push(format!("the concurrency was {old}, and is {new}"));
    }
    if parameters.duration_s < SHORTEST_S {
        differences.push(format!("one that takes less than {SHORTEST_S} s knows nothing of its noise"));
    }
    differences
}

fn shares(parameters: &LoadParameters) -> String {
    let mix = parameters.mix.iter();
    mix.map(|request| format!("{}={}", request.name, request.share)).collect::<Vec<_>>().join(",")
}

impl Comparison {
    /// Compares a run with at least one earlier run; `threshold` is in percent.
    ///
    /// The result is the same for the same input. Call it with runs that [`differences`] finds comparable, and that are
    /// plausible ([`Measurement::is_plausible`]).
    #[must_use]
    pub fn new(before: &[Measurement], after: &Measurement, threshold: f64) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let then: Vec<ResampledRun> = before.iter().map(|run| ResampledRun::new(run, &mut rng)).collect();
        let now = ResampledRun::new(after, &mut rng);
        let mut compare = |criterion: Criterion,
                           figure,
                           unit,
                           of: &dyn Fn(&ResampledRun) -> &ResampledFigure,
                           enough: bool| {
            let then: Vec<&ResampledFigure> = then.iter().map(of).collect();
            criterion.compare(figure, unit, &then, of(&now), enough, &mut rng)
        };
        let mut lines: Vec<ComparedFigure> = PERCENTILES
            .iter()
            .enumerate()
            .map(|(n, (figure, part))| {
                let enough = |run: &Measurement| number(run.counts.ok) * (1.0 - part) >= FEWEST_BEYOND;
                let criterion = Criterion { threshold, relative: true, higher_is_worse: true };
                let enough = before.iter().chain([after]).all(enough);
                compare(criterion, figure, "ms", &|run| &run.percentiles[n], enough)
            })
            .collect();
        let rate = Criterion { threshold, relative: true, higher_is_worse: false };
        lines.push(compare(rate, "throughput", "1/s", &|run| &run.throughput, true));
        let share = Criterion { threshold: ERROR_POINTS, relative: false, higher_is_worse: true };
        lines.push(compare(share, "failed", "%", &|run| &run.failed, true));
        lines.push(compare(share, "throttled", "%", &|run| &run.throttled, true));
        if before.iter().chain([after]).any(|run| run.counts.unsent > 0) {
            lines.push(compare(share, "never sent", "%", &|run| &run.unsent, true));
        }
        let nothing_known = lines.iter().take(PERCENTILES.len()).all(|line| line.verdict == Verdict::TooFew);
        let any = |verdict: Verdict| lines.iter().any(|line| line.verdict == verdict);
        let verdict = if any(Verdict::Regression) {
            Verdict::Regression
        } else if nothing_known {
            Verdict::TooFew
        } else if any(Verdict::Improvement) {
            Verdict::Improvement
        } else if any(Verdict::Same) && !any(Verdict::Unclear) {
            Verdict::Same
        } else {
            Verdict::Unclear
        };
        let before = before.iter().map(|run| run.began.clone()).collect();
        Self { before, after: after.began.clone(), threshold, verdict, lines }
    }
}

const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// A figure of one run: as it was measured, and in each resample.
#[derive(Clone, Debug)]
struct ResampledFigure {
    measured: Option<f64>,
    resampled: Vec<f64>,
}

/// The figures of one run.
struct ResampledRun {
    percentiles: [ResampledFigure; 3],
    throughput: ResampledFigure,
    failed: ResampledFigure,
    throttled: ResampledFigure,
    /// The same in each resample: it belongs to the end of the run, and to none of its blocks.
    unsent: ResampledFigure,
}

impl ResampledRun {
    fn new(run: &Measurement, rng: &mut Rng) -> Self {
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

/// How the change of one figure is judged.
#[derive(Clone, Copy)]
struct Criterion {
    /// In percent, or percentage points.
    threshold: f64,
    /// Whether a change is relative to the earlier value.
    relative: bool,
    higher_is_worse: bool,
}

impl Criterion {
    fn compare(
        self,
        figure: &'static str,
        unit: &'static str,
        then: &[&ResampledFigure],
        now: &ResampledFigure,
        enough: bool,
        rng: &mut Rng,
    ) -> ComparedFigure {
        let measured: Vec<f64> = then.iter().filter_map(|figure| figure.measured).collect();
        let before = mean(&measured).filter(|_| measured.len() == then.len());
        let change = before.zip(now.measured).map(|(before, now)| self.change(before, now));
        // Runs are resampled independently, so any of their samples go together.
        let mut changes: Vec<f64> = (0..RESAMPLES)
            .filter_map(|n| {
                let earlier: Option<Vec<f64>> =
                    then.iter().map(|figure| figure.resampled.get(n).copied()).collect();
                let now = self.shifted(*now.resampled.get(n)?, &measured, rng);
                Some(self.change(mean(&earlier?)?, now))
            })
            .collect();
        changes.sort_by(f64::total_cmp);
        let interval = quantile(&changes, LOW).zip(quantile(&changes, HIGH)).filter(|_| enough);
        ComparedFigure {
            figure,
            unit,
            before: before.map(rounded),
            after: now.measured.map(rounded),
            change: change.map(rounded),
            from: interval.map(|(from, _)| rounded(from)),
            to: interval.map(|(_, to)| rounded(to)),
            verdict: interval.map_or(Verdict::TooFew, |interval| self.verdict(interval)),
        }
    }

    /// Shifts a value by the difference of two earlier runs, as the same run might have come out another time.
    fn shifted(self, now: f64, earlier: &[f64], rng: &mut Rng) -> f64 {
        if earlier.len() < 2 {
            return now;
        }
        let one = rng.usize(..earlier.len());
        let other = (one + rng.usize(1..earlier.len())) % earlier.len();
        let (one, other) = (earlier[one], earlier[other]);
        if !self.relative {
            now + one - other
        } else if other > 0.0 {
            now * one / other
        } else {
            now
        }
    }

    fn change(self, then: f64, now: f64) -> f64 {
        if !self.relative {
            now - then
        } else if then > 0.0 {
            (now / then - 1.0) * 100.0
        } else if now > 0.0 {
            f64::MAX
        } else {
            0.0
        }
    }

    fn verdict(self, (from, to): (f64, f64)) -> Verdict {
        let (above, below) = if self.higher_is_worse {
            (Verdict::Regression, Verdict::Improvement)
        } else {
            (Verdict::Improvement, Verdict::Regression)
        };
        if from > self.threshold {
            above
        } else if to < -self.threshold {
            below
        } else if from >= -self.threshold && to <= self.threshold {
            Verdict::Same
        } else {
            Verdict::Unclear
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / number(values.len() as u64))
}

/// Returns a quantile of sorted values.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among some thousand"
    )]
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests;
