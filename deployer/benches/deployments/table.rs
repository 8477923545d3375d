//! Samples as a table in Markdown, which terminals show as well.

use crate::stack::Operation;
use crate::trace::Sample;
use std::time::Duration;

/// All samples of one operation.
pub(crate) struct Row<'a> {
    pub(crate) operation: Operation,
    pub(crate) deployer: &'a [Sample],
    pub(crate) floor: &'a [Sample],
    pub(crate) terraform: &'a [Sample],
}

const HEADS: [&str; 13] = [
    "",
    "s",
    "min–max",
    "floor s",
    "ratio",
    "calls",
    "mutating",
    "pings",
    "in flight",
    "chain",
    "floor chain",
    "MB",
    "Terraform s",
];

pub(crate) fn markdown(rows: &[Row<'_>]) -> String {
    let compared = rows.iter().any(|row| !row.terraform.is_empty());
    let columns = if compared { HEADS.len() } else { HEADS.len() - 1 };
    let mut lines: Vec<Vec<String>> = vec![HEADS[..columns].iter().map(|head| (*head).to_owned()).collect()];
    lines.extend(rows.iter().filter_map(cells).map(|mut cells| {
        cells.truncate(columns);
        cells
    }));
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        if index == 0 {
            let rules = widths.iter().enumerate().map(|(column, width)| {
                if column == 0 { "-".repeat(width + 2) } else { format!("{}:", "-".repeat(width + 1)) }
            });
            text.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
        }
    }
    text
}

fn cells(row: &Row<'_>) -> Option<Vec<String>> {
    let (took, floor) = (times(row.deployer), times(row.floor));
    let (least, median, most) = (*took.first()?, middle(&took)?, *took.last()?);
    let floor = middle(&floor);
    let count = |of: fn(&Sample) -> usize| middle_count(row.deployer, of).to_string();
    let memory = row.deployer.iter().filter_map(|sample| sample.memory).max();
    Some(vec![
        row.operation.to_string(),
        seconds(median),
        format!("{}–{}", seconds(least), seconds(most)),
        floor.map(seconds).unwrap_or_default(),
        floor.map(|floor| format!("{:.1}", median.as_secs_f64() / floor.as_secs_f64())).unwrap_or_default(),
        count(|sample| sample.calls),
        count(|sample| sample.mutating),
        count(|sample| sample.pings),
        count(|sample| sample.in_flight),
        count(|sample| sample.chain.len()),
        if floor.is_some() { middle_count(row.floor, |s| s.chain.len()).to_string() } else { String::new() },
        memory.map(|kilobytes| format!("{}", kilobytes.div_ceil(1024))).unwrap_or_default(),
        middle(&times(row.terraform)).map(seconds).unwrap_or_default(),
    ])
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

fn times(samples: &[Sample]) -> Vec<Duration> {
    let mut times: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
    times.sort();
    times
}

fn middle(sorted: &[Duration]) -> Option<Duration> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some((lower + upper) / 2)
}

fn middle_count(samples: &[Sample], of: fn(&Sample) -> usize) -> usize {
    let mut counts: Vec<usize> = samples.iter().map(of).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or_default()
}
