//! Compares a run with earlier ones, so that noise alone does not change the verdict.
//!
//! A run consists of blocks, and the difference between the blocks of one run is noise. So each run is resampled 1,000
//! times from its own blocks (block bootstrap), which gives each figure a distribution. A verdict needs the whole 95 %
//! interval of the difference to lie beyond the threshold.
//!
//! One run does not show how much runs differ from each other, on other hosts and beside other neighbours. Several earlier
//! runs do: each sample then compares with their mean, and shifts the new run by the difference of two earlier runs that
//! are drawn at random. That is more than one run deviates on average, which makes up for how few runs there are.

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

/// A fixed seed, so that the same two runs always have the same verdict.
const SEED: u64 = 0x0dd_ba11;

/// A percentile is meaningful if at least this many requests lie beyond it.
const FEWEST_BEYOND: f64 = 10.0;

/// The percentiles that are compared.
const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

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

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Requests a second.
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

/// One figure of the runs that are compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// `p50`, `p90`, `p99`, `throughput`, `failed`, `throttled`, or `never sent` where that happened.
    pub figure: &'static str,
    /// What it is measured in.
    pub unit: Unit,
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
                compare(criterion, figure, Unit::Milliseconds, &|run| &run.percentiles[n], enough)
            })
            .collect();
        let rate = Criterion { threshold, relative: true, higher_is_worse: false };
        lines.push(compare(rate, "throughput", Unit::PerSecond, &|run| &run.throughput, true));
        let share = Criterion { threshold: ERROR_POINTS, relative: false, higher_is_worse: true };
        lines.push(compare(share, "failed", Unit::Percent, &|run| &run.failed, true));
        lines.push(compare(share, "throttled", Unit::Percent, &|run| &run.throttled, true));
        if before.iter().chain([after]).any(|run| run.counts.unsent > 0) {
            lines.push(compare(share, "never sent", Unit::Percent, &|run| &run.unsent, true));
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

#[cfg(test)]
mod tests;
