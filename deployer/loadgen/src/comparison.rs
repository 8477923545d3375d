//! Compares a run with earlier ones, so that noise alone is never a regression.
//!
//! A run consists of blocks, and the differences between the blocks of one run are noise. Each run is resampled 1,000 times
//! from its own blocks (block bootstrap), which gives each figure a distribution. A figure is better or worse only if the
//! whole 95 % interval of its change is beyond the threshold.
//!
//! One earlier run does not show how much runs differ from each other, because of other hosts and other load on them. With
//! several earlier runs, each sample is compared with their mean, and the new run is shifted by the difference between two
//! random earlier runs. This difference is larger than the average deviation of one run, which compensates for the small
//! number of runs.

mod bootstrap;
mod comparability;
mod criterion;

pub use comparability::differences;

use crate::measurement::{Measurement, number};
use bootstrap::{ResampledFigure, ResampledRun};
use criterion::Criterion;
use fastrand::Rng;
use serde::Serialize;
use std::fmt;

/// The fixed seed of the random numbers, so that the same runs always have the same verdict.
const SEED: u64 = 0x0dd_ba11;

/// The minimum number of requests above a percentile that make it meaningful.
const MIN_REQUESTS_ABOVE: f64 = 10.0;

/// The percentiles that are compared.
const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// The threshold of error rates, in percentage points. It is independent of the threshold for latencies.
const ERROR_RATE_THRESHOLD: f64 = 1.0;

/// The verdict on a figure or on a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Worse by more than the threshold.
    Regression,
    /// Better by more than the threshold.
    Improvement,
    /// Changed by less than the threshold.
    Same,
    /// The noise is too large for a verdict.
    Unclear,
    /// There are too few requests for a verdict.
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

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Requests per second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Percent of all requests.
    #[serde(rename = "%")]
    Percent,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milliseconds => "ms",
            Self::PerSecond => "1/s",
            Self::Percent => "%",
        })
    }
}

/// The comparison of one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// The name: `p50`, `p90`, `p99`, `throughput`, `failed` or `throttled`, and `never sent` if that happened.
    pub figure: &'static str,
    /// The unit of the figure.
    pub unit: Unit,
    /// The mean of the earlier runs, or `None` if one of them lacks the figure.
    pub before: Option<f64>,
    /// The figure of the new run, or `None` if it was not measured.
    pub after: Option<f64>,
    /// The change in percent, or in percentage points if the unit is `%`.
    pub change: Option<f64>,
    /// The lower end of the 95 % interval of the change, or `None` if there are too few requests.
    pub from: Option<f64>,
    /// The upper end of the 95 % interval of the change.
    pub to: Option<f64>,
    /// The verdict on the figure.
    pub verdict: Verdict,
}

/// The comparison of a run with earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The start times of the earlier runs.
    pub before: Vec<String>,
    /// The start time of the new run.
    pub after: String,
    /// The change from which on a figure is better or worse, in percent.
    pub threshold: f64,
    /// The verdict on all figures together.
    pub verdict: Verdict,
    /// The figures in their order of presentation.
    pub lines: Vec<ComparedFigure>,
}

impl Comparison {
    /// Compares a run with one or more earlier runs. `threshold` is in percent.
    ///
    /// The result is deterministic. The runs have to be comparable ([`differences`]) and plausible
    /// ([`Measurement::is_plausible`]).
    #[must_use]
    pub fn new(before: &[Measurement], after: &Measurement, threshold: f64) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let earlier: Vec<ResampledRun> = before.iter().map(|run| ResampledRun::new(run, &mut rng)).collect();
        let new = ResampledRun::new(after, &mut rng);
        let mut compare = |criterion: Criterion,
                           figure,
                           unit,
                           select: &dyn Fn(&ResampledRun) -> &ResampledFigure,
                           has_enough: bool| {
            let earlier: Vec<&ResampledFigure> = earlier.iter().map(select).collect();
            criterion.compare(figure, unit, &earlier, select(&new), has_enough, &mut rng)
        };
        let mut lines: Vec<ComparedFigure> = PERCENTILES
            .iter()
            .enumerate()
            .map(|(n, (figure, fraction))| {
                let run_has_enough =
                    |run: &Measurement| number(run.counts.ok) * (1.0 - fraction) >= MIN_REQUESTS_ABOVE;
                let criterion = Criterion { threshold, relative: true, higher_is_worse: true };
                let has_enough = before.iter().chain([after]).all(run_has_enough);
                compare(criterion, figure, Unit::Milliseconds, &|run| &run.percentiles[n], has_enough)
            })
            .collect();
        let throughput = Criterion { threshold, relative: true, higher_is_worse: false };
        lines.push(compare(throughput, "throughput", Unit::PerSecond, &|run| &run.throughput, true));
        let error_rate =
            Criterion { threshold: ERROR_RATE_THRESHOLD, relative: false, higher_is_worse: true };
        lines.push(compare(error_rate, "failed", Unit::Percent, &|run| &run.failed, true));
        lines.push(compare(error_rate, "throttled", Unit::Percent, &|run| &run.throttled, true));
        if before.iter().chain([after]).any(|run| run.counts.unsent > 0) {
            lines.push(compare(error_rate, "never sent", Unit::Percent, &|run| &run.unsent, true));
        }
        let no_percentiles = lines.iter().take(PERCENTILES.len()).all(|line| line.verdict == Verdict::TooFew);
        let any = |verdict: Verdict| lines.iter().any(|line| line.verdict == verdict);
        let verdict = if any(Verdict::Regression) {
            Verdict::Regression
        } else if no_percentiles {
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

#[cfg(test)]
mod tests;
