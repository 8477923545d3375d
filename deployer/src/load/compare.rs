//! A run beside earlier ones, with a verdict that noise alone does not bring about.
//!
//! A run is a number of blocks, and what differs between the blocks of one run is noise. So each run is drawn anew many
//! times from its own blocks (a block bootstrap), and what comes out differently is how well a figure is known. A
//! verdict takes that the whole 95 % interval of the difference lies beyond the threshold.
//!
//! No run can know what differs between runs by chance: other hosts, other neighbours. Several earlier runs do: each draw
//! then begins with the mean of them, and the new run is off by as much as two of them, drawn by lot, are off each other.
//! That is more than a single run is off on average, which makes up for how few they are.

mod file;

pub(crate) use file::read;

use super::result::{Block, Measurement, number, rounded};
use crate::error::{Error, Result};
use fastrand::Rng;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// Of each interval: it says nothing about one in twenty.
const LOW: f64 = 0.025;
const HIGH: f64 = 0.975;

/// How often each run is drawn anew: enough for the ends of the interval.
const DRAWS: usize = 1_000;

/// Always the same draws, so that the same two runs have the same verdict.
const SEED: u64 = 0x0dd_ba11;

/// Fewer blocks say nothing about how much they differ.
const FEWEST_BLOCKS: usize = 5;

/// Blocks are a second long at least.
const SHORTEST_S: f64 = 5.0;

/// A percentile says something if so many requests lie beyond it.
const FEWEST_BEYOND: f64 = 10.0;

/// Errors are worse from this many percent points on, whatever the threshold of the latencies is.
const ERROR_POINTS: f64 = 1.0;

/// What a difference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Clearly worse, by more than the threshold.
    Regression,
    /// Clearly better, by more than the threshold.
    Improvement,
    /// Clearly within the threshold.
    Same,
    /// The noise is too large to say.
    Unclear,
    /// There are too few requests to say anything.
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

/// One figure of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    /// `p50`, `p90`, `p99`, `throughput`, `failed`, `throttled`, or `never sent` where that happened.
    pub(crate) figure: &'static str,
    /// `ms`, `1/s` or `%`.
    pub(crate) unit: &'static str,
    pub(crate) before: Option<f64>,
    pub(crate) after: Option<f64>,
    /// By how much it changed, in percent; in percent points for what is a percentage itself.
    pub(crate) change: Option<f64>,
    /// The 95 % interval of the change.
    pub(crate) from: Option<f64>,
    pub(crate) to: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// All figures of a run and of those before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// When the runs began.
    pub(crate) before: Vec<String>,
    pub(crate) after: String,
    /// In percent.
    pub(crate) threshold: f64,
    pub(crate) verdict: Verdict,
    pub(crate) lines: Vec<Line>,
}

/// Whether a run that is asked for like this can be compared with an earlier one.
///
/// # Errors
/// What differs, all of it.
pub(crate) fn check(before: &Measurement, asked: &super::result::Asked) -> Result<()> {
    let then = &before.asked;
    let mut differences = Vec::new();
    if then.rate != asked.rate {
        differences.push(format!("the rate was {}, and is {}", then.rate, asked.rate));
    }
    if then.mix_fingerprint != asked.mix_fingerprint {
        let shares = |asked: &super::result::Asked| {
            let all: Vec<String> =
                asked.mix.iter().map(|request| format!("{}={}", request.name, request.share)).collect();
            all.join(",")
        };
        let (old, new) = (shares(then), shares(asked));
        differences.push(if old == new {
            "the requests of the mix were others".to_owned()
        } else {
            format!("the mix was {old}, and is {new}")
        });
    }
    if then.concurrency != asked.concurrency {
        differences.push(format!("the concurrency was {}, and is {}", then.concurrency, asked.concurrency));
    }
    if asked.duration_s < SHORTEST_S {
        differences.push(format!("one that takes less than {SHORTEST_S} s knows nothing of its noise"));
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("the two runs cannot be compared: {}", differences.join("; ")))
        .hint("Ask for the same as then, or make a new result to compare with."))
}

impl Comparison {
    /// Compares with at least one run; `threshold` in percent.
    pub(crate) fn of(before: &[Measurement], after: &Measurement, threshold: f64) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let then: Vec<Drawn> = before.iter().map(|run| Drawn::of(run, &mut rng)).collect();
        let now = Drawn::of(after, &mut rng);
        let mut compare = |change: Change, figure, unit, of: &dyn Fn(&Drawn) -> &Figure, enough: bool| {
            let then: Vec<&Figure> = then.iter().map(of).collect();
            change.line(figure, unit, &then, of(&now), enough, &mut rng)
        };
        let mut lines: Vec<Line> = PERCENTILES
            .iter()
            .enumerate()
            .map(|(n, (figure, part))| {
                let enough = |run: &Measurement| number(run.counts.ok) * (1.0 - part) >= FEWEST_BEYOND;
                let change = Change { threshold, ratio: true, higher_is_worse: true };
                let enough = before.iter().chain([after]).all(enough);
                compare(change, figure, "ms", &|drawn| &drawn.percentiles[n], enough)
            })
            .collect();
        let rate = Change { threshold, ratio: true, higher_is_worse: false };
        lines.push(compare(rate, "throughput", "1/s", &|drawn| &drawn.throughput, true));
        let share = Change { threshold: ERROR_POINTS, ratio: false, higher_is_worse: true };
        lines.push(compare(share, "failed", "%", &|drawn| &drawn.failed, true));
        lines.push(compare(share, "throttled", "%", &|drawn| &drawn.throttled, true));
        if before.iter().chain([after]).any(|run| run.counts.unsent > 0) {
            lines.push(compare(share, "never sent", "%", &|drawn| &drawn.unsent, true));
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

/// A figure of one run: as it was measured, and as it might have been.
#[derive(Clone, Debug)]
struct Figure {
    measured: Option<f64>,
    drawn: Vec<f64>,
}

/// A run's figures.
struct Drawn {
    percentiles: [Figure; 3],
    throughput: Figure,
    failed: Figure,
    throttled: Figure,
    /// The same in each draw: it belongs to the end of the run, and to none of its blocks.
    unsent: Figure,
}

impl Drawn {
    fn of(run: &Measurement, rng: &mut Rng) -> Self {
        let latencies = |ms: fn(&super::Percentiles) -> f64| run.latency_ms.as_ref().map(ms);
        let share = |count: u64, all: u64| (all > 0).then(|| number(count) * 100.0 / number(all));
        let mut drawn = Self {
            percentiles: [latencies(|p| p.p50), latencies(|p| p.p90), latencies(|p| p.p99)].map(Figure::of),
            throughput: Figure::of((run.seconds > 0.0).then_some(run.throughput)),
            failed: Figure::of(share(run.counts.failed(), run.counts.sent)),
            throttled: Figure::of(share(run.counts.throttled, run.counts.sent)),
            unsent: Figure::of(share(run.counts.unsent, run.counts.sent + run.counts.unsent)),
        };
        let whole: Vec<&Block> = run.blocks.iter().filter(|block| block.answered() > 0).collect();
        if whole.len() < FEWEST_BLOCKS {
            return drawn;
        }
        let blocks = Blocks::of(&whole);
        for _ in 0..DRAWS {
            let mut sum = blocks.nothing();
            for _ in 0..whole.len() {
                sum.add(&blocks.0[rng.usize(..whole.len())]);
            }
            drawn.note(&sum, &blocks, run.seconds);
        }
        drawn
    }

    fn note(&mut self, sum: &Sum, blocks: &Blocks, seconds: f64) {
        for (figure, (_, part)) in self.percentiles.iter_mut().zip(PERCENTILES) {
            figure.drawn.extend(blocks.percentile(sum, part));
        }
        let [ok, throttled, failed] = sum.counts.map(number);
        let answered = (ok + throttled + failed).max(1.0);
        self.throughput.drawn.push(ok / seconds);
        self.failed.drawn.push(failed * 100.0 / answered);
        self.throttled.drawn.push(throttled * 100.0 / answered);
        self.unsent.drawn.extend(self.unsent.measured);
    }
}

impl Figure {
    fn of(measured: Option<f64>) -> Self {
        Self { measured, drawn: Vec::new() }
    }
}

/// The blocks of one run, and the latencies that occur in any of them, in microseconds. To add two is to add lists of
/// numbers: it is done some ten thousand times.
struct Blocks(Vec<Sum>, Vec<u64>);

/// One or more blocks together.
struct Sum {
    /// Done, throttled, failed.
    counts: [u64; 3],
    /// How many took how long, in the order of the latencies that occur.
    latencies: Vec<u64>,
}

impl Blocks {
    fn of(blocks: &[&Block]) -> Self {
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
            Sum { counts: [block.ok, block.throttled, block.failed], latencies }
        });
        Self(sums.collect(), all)
    }

    fn nothing(&self) -> Sum {
        Sum { counts: [0; 3], latencies: vec![0; self.1.len()] }
    }

    /// In milliseconds.
    fn percentile(&self, sum: &Sum, part: f64) -> Option<f64> {
        let rank = number(sum.latencies.iter().sum()) * part;
        let mut below = 0;
        let place = sum.latencies.iter().position(|count| {
            below += count;
            below > 0 && number(below) >= rank
        });
        place.map(|place| number(self.1[place]) / 1000.0)
    }
}

impl Sum {
    fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
        for (sum, count) in self.latencies.iter_mut().zip(&other.latencies) {
            *sum += count;
        }
    }
}

/// How a change of one figure is judged.
#[derive(Clone, Copy)]
struct Change {
    /// In percent, or percent points.
    threshold: f64,
    /// Whether a change is relative to what was.
    ratio: bool,
    higher_is_worse: bool,
}

impl Change {
    fn line(
        self,
        figure: &'static str,
        unit: &'static str,
        then: &[&Figure],
        now: &Figure,
        enough: bool,
        rng: &mut Rng,
    ) -> Line {
        let measured: Vec<f64> = then.iter().filter_map(|figure| figure.measured).collect();
        let before = mean(&measured).filter(|_| measured.len() == then.len());
        let change = before.zip(now.measured).map(|(before, now)| self.change(before, now));
        // All were drawn independently of each other, so that any of them go together.
        let mut changes: Vec<f64> = (0..DRAWS)
            .filter_map(|n| {
                let drawn: Option<Vec<f64>> =
                    then.iter().map(|figure| figure.drawn.get(n).copied()).collect();
                let now = self.off(*now.drawn.get(n)?, &measured, rng);
                Some(self.change(mean(&drawn?)?, now))
            })
            .collect();
        changes.sort_by(f64::total_cmp);
        let interval = quantile(&changes, LOW).zip(quantile(&changes, HIGH)).filter(|_| enough);
        Line {
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

    /// As the same run might have come out another time: as far off as two of the earlier ones are off each other.
    fn off(self, now: f64, earlier: &[f64], rng: &mut Rng) -> f64 {
        if earlier.len() < 2 {
            return now;
        }
        let one = rng.usize(..earlier.len());
        let other = (one + rng.usize(1..earlier.len())) % earlier.len();
        let (one, other) = (earlier[one], earlier[other]);
        if !self.ratio {
            now + one - other
        } else if other > 0.0 {
            now * one / other
        } else {
            now
        }
    }

    fn change(self, then: f64, now: f64) -> f64 {
        if !self.ratio {
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

/// Of sorted values.
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
