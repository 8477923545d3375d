//! The measurements beside the promised values, as a Markdown table.

use std::time::Duration;

use crate::{package::Package, subject::Samples};

/// The promised values: ratios to the original for times, and limits for sizes.
const COLD_CREATE: f64 = 20.0;
const WARM_CREATE: f64 = 50.0;
const THROUGHPUT: f64 = 50.0;
const MEMORY_MB: f64 = 9.0;
const BOOTSTRAP_MB: f64 = 5.0;
const ZIP_MB: f64 = 2.3;
/// The glibc of Lambda's `provided.al2023`.
const GLIBC: (u32, u32) = (2, 34);

type Row = [String; 5];

pub(crate) fn markdown(rust: &Samples, original: &Samples, package: &Package) -> String {
    let rows = [
        ["", "function", "original", "ratio", "promised"].map(str::to_owned),
        times("cold ping, ms", &rust.cold_ping, &original.cold_ping, None),
        times("cold create, ms", &rust.cold_create, &original.cold_create, Some(COLD_CREATE)),
        times("warm create, ms", &rust.warm_create, &original.warm_create, Some(WARM_CREATE)),
        times("cold create, CPU ms", &rust.cold_cpu, &original.cold_cpu, None),
        times("warm create, CPU ms", &[rust.warm_cpu], &[original.warm_cpu], None),
        compared(
            "creates a second",
            [rust.throughput, original.throughput].map(|rate| format!("{rate:.0}")),
            rust.throughput / original.throughput,
            Some(THROUGHPUT),
        ),
        memory(rust.peak_memory, original.peak_memory),
        limited("bootstrap, MB", megabytes(package.bootstrap_size), BOOTSTRAP_MB, 2),
        limited("zip, MB", megabytes(package.zip_size), ZIP_MB, 2),
        glibc(package.glibc),
    ];
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        if at == 0 {
            let rules = widths.iter().enumerate().map(|(column, width)| {
                if column == 0 { "-".repeat(width + 2) } else { format!("{}:", "-".repeat(width + 1)) }
            });
            text.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
        }
    }
    text
}

/// A row of two medians, and how many times faster the function is.
fn times(what: &str, rust: &[Duration], original: &[Duration], promised: Option<f64>) -> Row {
    let medians = [rust, original].map(|samples| median(samples).as_secs_f64() * 1000.0);
    compared(what, medians.map(|ms| format!("{ms:.2}")), medians[1] / medians[0], promised)
}

fn compared(what: &str, [rust, original]: [String; 2], ratio: f64, promised: Option<f64>) -> Row {
    let promised = promised.map(|least| kept(&format!("≥ {least} times"), ratio >= least));
    [what.to_owned(), rust, original, format!("{ratio:.1}"), promised.unwrap_or_default()]
}

fn memory(rust: u64, original: u64) -> Row {
    let [ours, theirs] = [rust, original].map(|kilobytes| megabytes(kilobytes * 1024));
    let mut row = limited("peak memory, MB", ours, MEMORY_MB, 1);
    row[2] = format!("{theirs:.1}");
    row[3] = format!("{:.1}", theirs / ours);
    row
}

fn limited(what: &str, amount: f64, most: f64, decimals: usize) -> Row {
    let promised = kept(&format!("≤ {most}"), amount <= most);
    [what.to_owned(), format!("{amount:.decimals$}"), String::new(), String::new(), promised]
}

fn glibc(needed: Option<(u32, u32)>) -> Row {
    let shown = needed.map_or("none".to_owned(), |(major, minor)| format!("{major}.{minor}"));
    let promised = kept(&format!("≤ {}.{}", GLIBC.0, GLIBC.1), needed <= Some(GLIBC));
    ["glibc needed".to_owned(), shown, String::new(), String::new(), promised]
}

fn kept(promise: &str, kept: bool) -> String {
    format!("{promise}: {}", if kept { "kept" } else { "MISSED" })
}

fn median(samples: &[Duration]) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// In units of a million bytes, in which AWS counts the sizes of functions.
fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 bytes")]
    let bytes = bytes as f64;
    bytes / 1e6
}
