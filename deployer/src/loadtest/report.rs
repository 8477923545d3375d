//! The report of a load test, as text and as a page.

pub(crate) mod comparison_table;
pub(crate) mod page;

use super::function_statistics::FunctionStatistics;
use crate::output::columns::aligned;
use crate::output::cost::sources;
use crate::pricing::{Bill, dollars, grouped};
use loadgen::{Comparison, LatencyBucket, Measurement, Percentiles};

/// Everything that a load test has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Findings<'a> {
    pub(crate) measurement: &'a Measurement,
    /// Of each function that was called, as far as its reports were found.
    pub(crate) functions: &'a [FunctionStatistics],
    /// The cost of a million such requests.
    pub(crate) cost: Option<&'a Bill>,
    pub(crate) comparison: Option<&'a Comparison>,
}

/// The report as lines of text.
pub(crate) fn table(findings: &Findings<'_>) -> Vec<String> {
    let measurement = findings.measurement;
    let mut lines = vec![summary(measurement)];
    lines.extend(remarks(measurement));
    lines.push(String::new());
    lines.extend(aligned(&latency_rows(measurement), &[0]));
    if let Some(histogram) = histogram(measurement) {
        lines.push(String::new());
        lines.extend(histogram);
    }
    for function in findings.functions {
        lines.push(String::new());
        lines.extend(aligned(&function_rows(function, findings.functions.len()), &[0]));
        lines.push(function_remark(function));
    }
    if let Some(bill) = findings.cost {
        lines.push(String::new());
        lines.push(format!(
            "A million such requests cost {} in {}: {}.",
            dollars(bill.usd_per_million),
            bill.region,
            by_service(bill)
        ));
        lines.push(sources(bill));
    }
    if let Some(comparison) = findings.comparison {
        lines.push(String::new());
        lines.extend(comparison_table::table(comparison));
    }
    lines
}

fn summary(measurement: &Measurement) -> String {
    let Measurement { counts, asked, .. } = measurement;
    let count = |count: u64| grouped(&count.to_string());
    format!(
        "{} of {} requests in {:.1} s: {} done, {} throttled (429), {} failed; {} done a second, of {} asked for",
        count(counts.sent),
        count(counts.planned),
        measurement.seconds,
        count(counts.ok),
        count(counts.throttled),
        count(counts.failed()),
        one_digit(measurement.throughput),
        count(u64::from(asked.rate)),
    )
}

/// What else is worth knowing about the run.
fn remarks(measurement: &Measurement) -> Vec<String> {
    let Measurement { counts, statuses, failures, .. } = measurement;
    let mut lines = Vec::new();
    if counts.throttled + counts.failed() > 0 {
        let statuses = statuses.iter().map(|(status, count)| format!("{count} × HTTP {status}"));
        let failures = failures.iter().map(|(why, count)| format!("{count} × {why}"));
        lines.push(format!("answers: {}", statuses.chain(failures).collect::<Vec<_>>().join(", ")));
    }
    if counts.unsent > 0 {
        lines.push(format!(
            "{} requests were never sent: no connection was free until the end; the latencies are without them",
            grouped(&counts.unsent.to_string())
        ));
    }
    // A few late requests do not matter.
    if counts.late * 100 > counts.sent {
        lines.push(format!(
            "{} requests were sent late, by up to {} ms: all {} connections were busy, or this machine was; the wait is part of the latency",
            counts.late, counts.late_by_ms, measurement.connections.most
        ));
    }
    lines
}

/// A table whose first row is its head.
fn latency_rows(measurement: &Measurement) -> Vec<Vec<String>> {
    let head = ["latency", "requests", "p50", "p90", "p99", "p99.9", "max"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut row = |name: &str, requests: u64, percentiles: Option<Percentiles>| {
        rows.push(percentile_row(name, requests, percentiles));
    };
    row("all", measurement.counts.ok, measurement.latency_ms);
    if measurement.requests.len() > 1 {
        for request in &measurement.requests {
            row(&request.name, request.ok, request.latency_ms);
        }
    }
    if measurement.error_latency_ms.is_some() {
        row("errors", measurement.counts.errors, measurement.error_latency_ms);
    }
    rows
}

fn percentile_row(name: &str, requests: u64, percentiles: Option<Percentiles>) -> Vec<String> {
    let mut cells = vec![name.to_owned(), grouped(&requests.to_string())];
    match percentiles {
        Some(p) => cells.extend([p.p50, p.p90, p.p99, p.p999, p.max].map(ms)),
        None => cells.extend(std::iter::repeat_n("–".to_owned(), 5)),
    }
    cells
}

/// What Lambda's reports say, as a table whose first row is its head. It has the function's name if there are several.
fn function_rows(function: &FunctionStatistics, functions: usize) -> Vec<Vec<String>> {
    let place =
        if functions > 1 { format!("in {}", function.function) } else { "in the function".to_owned() };
    let head = ["reports", "p50", "p90", "p99", "p99.9", "max"].map(str::to_owned);
    let mut rows = vec![
        std::iter::once(place).chain(head).collect(),
        percentile_row("duration", function.invocations, function.duration_ms),
    ];
    if function.cold > 0 {
        rows.push(percentile_row("cold starts", function.cold, function.init_ms));
    }
    rows
}

/// The rest of the statistics, in one sentence.
fn function_remark(function: &FunctionStatistics) -> String {
    let FunctionStatistics {
        billed_ms, memory_mb, max_memory_used_mb, invocations, expected, failures, ..
    } = function;
    let mut text =
        format!("billed {billed_ms:.1} ms on average, {max_memory_used_mb} of {memory_mb} MB used");
    if *failures > 0 {
        text.push_str(&format!(", {failures} invocations broke off"));
    }
    if !function.is_complete() {
        text.push_str(&format!(
            "; {} of {expected} reports were in the log by now",
            grouped(&invocations.to_string())
        ));
    }
    text
}

fn by_service(bill: &Bill) -> String {
    let mut services: Vec<(&str, f64)> = Vec::new();
    for line in &bill.lines {
        match services.iter_mut().find(|(service, _)| *service == line.service) {
            Some((_, usd)) => *usd += line.usd_per_million,
            None => services.push((&line.service, line.usd_per_million)),
        }
    }
    let parts: Vec<String> =
        services.iter().map(|(service, usd)| format!("{service} {}", dollars(*usd))).collect();
    parts.join(", ")
}

/// Columns of the longest bar.
const BAR: u64 = 40;

fn histogram(measurement: &Measurement) -> Option<Vec<String>> {
    let buckets = measurement.histogram();
    let most = buckets.iter().map(|bucket| bucket.count).max()?;
    let label = |bucket: &LatencyBucket| format!("{} – {}", short(bucket.from_ms), ms(bucket.to_ms));
    let width = buckets.iter().map(|bucket| label(bucket).chars().count()).max()?;
    let line = |bucket: &LatencyBucket| {
        let bar = if bucket.count == 0 { 0 } else { (bucket.count * BAR / most).max(1) };
        let bar = "█".repeat(usize::try_from(bar).unwrap_or_default());
        let gap = if bar.is_empty() { "" } else { " " };
        format!("{:>width$}  {bar}{gap}{}", label(bucket), grouped(&bucket.count.to_string()))
    };
    Some(buckets.iter().map(line).collect())
}

/// Three significant digits.
pub(crate) fn ms(ms: f64) -> String {
    format!("{} ms", short(ms))
}

fn short(ms: f64) -> String {
    match ms {
        100.0.. => grouped(&format!("{ms:.0}")),
        10.0.. => format!("{ms:.1}"),
        _ => format!("{ms:.2}"),
    }
}

fn one_digit(number: f64) -> String {
    let text = format!("{number:.1}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    format!("{}.{fraction}", grouped(whole))
}
