//! Formats the measurements and their targets as a Markdown table.

use std::time::Duration;

use crate::{package::Package, subject::Samples};

// The targets: the least ratios to the original for times, and upper limits for sizes.
const MIN_COLD_CREATE_RATIO: f64 = 20.0;
const MIN_WARM_CREATE_RATIO: f64 = 50.0;
const MIN_THROUGHPUT_RATIO: f64 = 50.0;
const MAX_MEMORY_MB: f64 = 9.0;
const MAX_BOOTSTRAP_MB: f64 = 5.0;
const MAX_ZIP_MB: f64 = 2.3;
/// The glibc of Lambda's `provided.al2023`.
const MAX_GLIBC: (u32, u32) = (2, 34);

type Row = [String; 5];

pub(crate) fn markdown(rust: &Samples, original: &Samples, package: &Package) -> String {
    let rows = [
        ["", "function", "original", "ratio", "target"].map(str::to_owned),
        times_row("cold ping, ms", &rust.cold_ping, &original.cold_ping, None),
        times_row("cold create, ms", &rust.cold_create, &original.cold_create, Some(MIN_COLD_CREATE_RATIO)),
        times_row("warm create, ms", &rust.warm_create, &original.warm_create, Some(MIN_WARM_CREATE_RATIO)),
        times_row("cold create, CPU ms", &rust.cold_cpu, &original.cold_cpu, None),
        times_row("warm create, CPU ms", &[rust.warm_cpu], &[original.warm_cpu], None),
        ratio_row(
            "creates a second",
            [rust.throughput, original.throughput].map(|rate| format!("{rate:.0}")),
            rust.throughput / original.throughput,
            Some(MIN_THROUGHPUT_RATIO),
        ),
        memory_row(rust.peak_memory, original.peak_memory),
        limit_row("bootstrap, MB", megabytes(package.bootstrap_size), MAX_BOOTSTRAP_MB, 2),
        limit_row("zip, MB", megabytes(package.zip_size), MAX_ZIP_MB, 2),
        glibc_row(package.glibc),
    ];
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
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

/// Returns a row of two medians and their ratio.
fn times_row(what: &str, rust: &[Duration], original: &[Duration], target: Option<f64>) -> Row {
    let medians = [rust, original].map(|samples| median(samples).as_secs_f64() * 1000.0);
    ratio_row(what, medians.map(|ms| format!("{ms:.2}")), medians[1] / medians[0], target)
}

fn ratio_row(what: &str, [rust, original]: [String; 2], ratio: f64, target: Option<f64>) -> Row {
    let target = target.map(|least| verdict(&format!("≥ {least} times"), ratio >= least));
    [what.to_owned(), rust, original, format!("{ratio:.1}"), target.unwrap_or_default()]
}

fn memory_row(rust: u64, original: u64) -> Row {
    let [ours, theirs] = [rust, original].map(|kilobytes| megabytes(kilobytes * 1024));
    let mut row = limit_row("peak memory, MB", ours, MAX_MEMORY_MB, 1);
    row[2] = format!("{theirs:.1}");
    row[3] = format!("{:.1}", theirs / ours);
    row
}

fn limit_row(what: &str, amount: f64, most: f64, decimals: usize) -> Row {
    let target = verdict(&format!("≤ {most}"), amount <= most);
    [what.to_owned(), format!("{amount:.decimals$}"), String::new(), String::new(), target]
}

fn glibc_row(needed: Option<(u32, u32)>) -> Row {
    let shown = needed.map_or("none".to_owned(), |(major, minor)| format!("{major}.{minor}"));
    let target = verdict(&format!("≤ {}.{}", MAX_GLIBC.0, MAX_GLIBC.1), needed <= Some(MAX_GLIBC));
    ["glibc needed".to_owned(), shown, String::new(), String::new(), target]
}

fn verdict(target: &str, met: bool) -> String {
    format!("{target}: {}", if met { "met" } else { "MISSED" })
}

fn median(samples: &[Duration]) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Converts bytes to megabytes of a million bytes, the unit of AWS's limits for functions.
fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 bytes")]
    let bytes = bytes as f64;
    bytes / 1e6
}
