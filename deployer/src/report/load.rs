//! A measurement as a table.

use crate::cost::grouped;
use crate::load::{Measurement, Percentiles};

/// The lines of it.
pub(crate) fn table(measurement: &Measurement) -> Vec<String> {
    let mut lines = vec![summary(measurement)];
    lines.extend(remarks(measurement));
    lines.push(String::new());
    lines.extend(latencies(measurement));
    if let Some(histogram) = histogram(measurement) {
        lines.push(String::new());
        lines.extend(histogram);
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

/// What is worth knowing, where there is something.
fn remarks(measurement: &Measurement) -> Vec<String> {
    let Measurement { counts, statuses, failures, .. } = measurement;
    let mut lines = Vec::new();
    if counts.throttled + counts.failed() > 0 {
        let statuses = statuses.iter().map(|(status, count)| format!("{count} × HTTP {status}"));
        let failures = failures.iter().map(|(why, count)| format!("{count} × {why}"));
        lines.push(format!("answers: {}", statuses.chain(failures).collect::<Vec<_>>().join(", ")));
    }
    let unsent = counts.planned - counts.sent;
    if unsent > 0 && !measurement.interrupted {
        lines.push(format!("{unsent} requests were never sent: no connection was free until the end"));
    }
    // Of a few, nothing can be said.
    if counts.late * 100 > counts.sent {
        lines.push(format!(
            "{} requests were sent late, by up to {} ms: all {} connections were busy, or this machine was; the wait is part of the latency",
            counts.late, counts.late_by_ms, measurement.connections.most
        ));
    }
    lines
}

fn latencies(measurement: &Measurement) -> Vec<String> {
    let mut rows =
        vec![["latency", "requests", "p50", "p90", "p99", "p99.9", "max"].map(str::to_owned).to_vec()];
    let mut row = |name: &str, requests: u64, percentiles: Option<Percentiles>| {
        let mut cells = vec![name.to_owned(), grouped(&requests.to_string())];
        match percentiles {
            Some(p) => cells.extend([p.p50, p.p90, p.p99, p.p999, p.max].map(ms)),
            None => cells.extend(std::iter::repeat_n("–".to_owned(), 5)),
        }
        rows.push(cells);
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
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(
                |(n, (cell, width))| {
                    if n == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            );
            cells.collect::<Vec<_>>().join("  ")
        })
        .collect()
}

/// Columns of the longest bar.
const BAR: u64 = 40;

fn histogram(measurement: &Measurement) -> Option<Vec<String>> {
    let buckets = measurement.histogram();
    let most = buckets.iter().map(|bucket| bucket.count).max()?;
    let label = |bucket: &crate::load::Bucket| format!("{} – {}", short(bucket.from_ms), ms(bucket.to_ms));
    let width = buckets.iter().map(|bucket| label(bucket).chars().count()).max()?;
    Some(
        buckets
            .iter()
            .map(|bucket| {
                let bar = if bucket.count == 0 { 0 } else { (bucket.count * BAR / most).max(1) };
                let bar = "█".repeat(usize::try_from(bar).unwrap_or_default());
                format!("{:>width$}  {bar} {}", label(bucket), grouped(&bucket.count.to_string()))
                    .trim_end()
                    .to_owned()
            })
            .collect(),
    )
}

/// Three digits that say something.
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
