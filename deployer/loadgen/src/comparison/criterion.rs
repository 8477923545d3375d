//! Decides whether the change of one figure is better, worse or noise.

use super::bootstrap::{RESAMPLES, ResampledFigure};
use super::{ComparedFigure, Unit, Verdict};
use crate::measurement::{number, rounded};
use fastrand::Rng;

/// The lower end of the 95 % interval, as a quantile.
const LOWER_QUANTILE: f64 = 0.025;
/// The upper end of the 95 % interval, as a quantile.
const UPPER_QUANTILE: f64 = 0.975;

/// The criterion for the verdict on one figure.
#[derive(Clone, Copy)]
pub(super) struct Criterion {
    /// The threshold in percent, or in percentage points.
    pub(super) threshold: f64,
    /// Whether the change is relative to the earlier value.
    pub(super) relative: bool,
    pub(super) higher_is_worse: bool,
}

impl Criterion {
    /// Compares the values of one figure. `has_enough` tells whether there are enough requests for a verdict.
    pub(super) fn compare(
        self,
        figure: &'static str,
        unit: Unit,
        earlier: &[&ResampledFigure],
        new: &ResampledFigure,
        has_enough: bool,
        rng: &mut Rng,
    ) -> ComparedFigure {
        let measured: Vec<f64> = earlier.iter().filter_map(|figure| figure.measured).collect();
        let before = mean(&measured).filter(|_| measured.len() == earlier.len());
        let change = before.zip(new.measured).map(|(before, after)| self.change(before, after));
        // Runs are resampled independently, so their samples can be combined in any order.
        let mut changes: Vec<f64> = (0..RESAMPLES)
            .filter_map(|n| {
                let samples: Option<Vec<f64>> =
                    earlier.iter().map(|figure| figure.resampled.get(n).copied()).collect();
                let after = self.shift(*new.resampled.get(n)?, &measured, rng);
                Some(self.change(mean(&samples?)?, after))
            })
            .collect();
        changes.sort_by(f64::total_cmp);
        let interval =
            quantile(&changes, LOWER_QUANTILE).zip(quantile(&changes, UPPER_QUANTILE)).filter(|_| has_enough);
        ComparedFigure {
            figure,
            unit,
            before: before.map(rounded),
            after: new.measured.map(rounded),
            change: change.map(rounded),
            from: interval.map(|(from, _)| rounded(from)),
            to: interval.map(|(_, to)| rounded(to)),
            verdict: interval.map_or(Verdict::TooFew, |interval| self.verdict(interval)),
        }
    }

    /// Shifts a value by the difference between two random earlier runs, to simulate the variation between runs.
    fn shift(self, value: f64, earlier: &[f64], rng: &mut Rng) -> f64 {
        if earlier.len() < 2 {
            return value;
        }
        let first = rng.usize(..earlier.len());
        let second = (first + rng.usize(1..earlier.len())) % earlier.len();
        let (first, second) = (earlier[first], earlier[second]);
        if !self.relative {
            value + first - second
        } else if second > 0.0 {
            value * first / second
        } else {
            value
        }
    }

    fn change(self, before: f64, after: f64) -> f64 {
        if !self.relative {
            after - before
        } else if before > 0.0 {
            (after / before - 1.0) * 100.0
        } else if after > 0.0 {
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
fn quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index below some thousand"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * fraction).round() as usize;
    sorted.get(index).copied()
}
