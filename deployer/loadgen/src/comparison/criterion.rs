//! Judges the change of one figure.

use super::bootstrap::{RESAMPLES, ResampledFigure};
use super::{ComparedFigure, Unit, Verdict};
use crate::measurement::{number, rounded};
use fastrand::Rng;

/// The ends of the 95 % interval, as quantiles.
const LOW: f64 = 0.025;
const HIGH: f64 = 0.975;

/// How the change of one figure is judged.
#[derive(Clone, Copy)]
pub(super) struct Criterion {
    /// In percent, or percentage points.
    pub(super) threshold: f64,
    /// Whether a change is relative to the earlier value.
    pub(super) relative: bool,
    pub(super) higher_is_worse: bool,
}

impl Criterion {
    /// Compares the values of one figure. `enough` says whether there are enough requests to tell.
    pub(super) fn compare(
        self,
        figure: &'static str,
        unit: Unit,
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
