//! A comparison with earlier runs as text.

use super::one_digit;
use crate::output::columns::aligned;
use loadgen::{ComparedFigure, Comparison, Unit, Verdict};

/// The comparison as lines of text.
pub(crate) fn table(comparison: &Comparison) -> Vec<String> {
    let (last, others) = match &comparison.before[..] {
        [] => return Vec::new(),
        [only] => (only, String::new()),
        [others @ .., last] => (last, format!(" and {} before it", others.len())),
    };
    let mut lines = vec![format!("compared with the run of {last}{others}:")];
    lines.extend(aligned(&rows(comparison), &[0]));
    lines.push(verdict(comparison));
    lines
}

/// A table whose first row is its head.
pub(super) fn rows(comparison: &Comparison) -> Vec<Vec<String>> {
    let head = ["", "before", "now", "change", "95 % of it", "verdict"].map(str::to_owned).to_vec();
    std::iter::once(head).chain(comparison.lines.iter().map(row)).collect()
}

fn row(line: &ComparedFigure) -> Vec<String> {
    let value = |value: Option<f64>| match value {
        Some(value) if line.unit == Unit::Milliseconds => super::ms(value),
        Some(value) => format!("{} {}", one_digit(value), line.unit),
        None => "–".to_owned(),
    };
    // Percent of what was, and percent points of what is a percentage itself.
    let unit = if line.unit == Unit::Percent { "points" } else { "%" };
    let signed = |change: f64| if change.abs() > 1e6 { "∞".to_owned() } else { format!("{change:+.1}") };
    let interval = match line.from.zip(line.to) {
        Some((from, to)) => format!("{} … {}", signed(from), signed(to)),
        None => "–".to_owned(),
    };
    vec![
        line.figure.to_owned(),
        value(line.before),
        value(line.after),
        line.change.map_or("–".to_owned(), |change| format!("{} {unit}", signed(change))),
        interval,
        line.verdict.to_string(),
    ]
}

/// The verdict in one sentence.
pub(crate) fn verdict(comparison: &Comparison) -> String {
    let worse: Vec<&str> = comparison
        .lines
        .iter()
        .filter(|line| line.verdict == comparison.verdict)
        .map(|line| line.figure)
        .collect();
    let beyond = format!("by clearly more than {} %", comparison.threshold);
    match comparison.verdict {
        Verdict::Regression if comparison.before.len() == 1 => format!(
            "Worse {beyond}: {}. How much runs differ by chance is not in this: several earlier ones, each with --compare, would tell.",
            worse.join(", ")
        ),
        Verdict::Regression => format!("Worse {beyond}: {}.", worse.join(", ")),
        Verdict::Improvement => format!("Better {beyond}: {}.", worse.join(", ")),
        Verdict::Same => format!("The same within {} %.", comparison.threshold),
        Verdict::Unclear => "No clear difference: a longer run, or more of the same, would tell.".to_owned(),
        Verdict::TooFew => "Too few requests to tell.".to_owned(),
    }
}
