//! The report of a load test as a page for a browser.

use super::{
    Findings, comparison_table, function_remark, function_rows, latency_rows, ms, one_digit, remarks,
};
use crate::output::chart::{Axis, Chart};
use crate::output::cost::sources;
use crate::output::html::Page;
use crate::pricing::{Bill, dollars, grouped};
use loadgen::{Comparison, Measurement, Percentiles, SeriesEntry, Verdict};

/// The page as HTML.
pub(crate) fn page(stack: &str, findings: &Findings<'_>) -> String {
    let measurement = findings.measurement;
    let heading = format!("Load on {stack}");
    let mut page = Page::new(&heading, &parameters(measurement));
    page.tiles(&tiles(measurement));
    for remark in remarks(measurement) {
        page.text(&remark);
    }
    if let Some(comparison) = findings.comparison {
        compared(&mut page, comparison);
    }
    let seconds = f64::from(measurement.series_seconds);
    let length = number(measurement.series.len()) * seconds;
    over_time(&mut page, measurement, seconds, length);
    distribution(&mut page, measurement);
    throughput(&mut page, measurement, seconds, length);
    page.heading("By request");
    page.table(&latency_rows(measurement));
    for function in findings.functions {
        page.heading(&format!("What {} says itself", function.function));
        page.table(&function_rows(function, 1));
        page.text(&format!("{}.", function_remark(function)));
    }
    if let Some(bill) = findings.cost {
        cost(&mut page, bill);
    }
    page.heading("How it was measured");
    page.text("Requests were sent at a fixed rate, whatever became of the ones before. Latency counts from the moment when a request was to be sent to the end of its answer, so that the wait behind a slow answer is part of it. Only answers with a status below 400 have a latency; 429 and other errors are counted apart.");
    page.finish(&heading)
}

/// When and where the run was, and its parameters.
pub(crate) fn parameters(measurement: &Measurement) -> Vec<String> {
    let Measurement { asked, began, url, .. } = measurement;
    let mix: Vec<String> =
        asked.mix.iter().map(|request| format!("{} {}", request.name, request.share)).collect();
    let began = began.split('.').next().unwrap_or(began).trim_end_matches('Z').replace('T', " ");
    vec![
        format!("{began} UTC · {url}"),
        format!(
            "{} requests a second for {} s after {} s of warm-up · at most {} at once · {}",
            grouped(&asked.rate.to_string()),
            asked.duration_s,
            asked.warmup_s,
            grouped(&asked.concurrency.to_string()),
            mix.join(", ")
        ),
    ]
}

fn tiles(measurement: &Measurement) -> Vec<(&'static str, String, &'static str)> {
    let Measurement { counts, asked, .. } = measurement;
    let latency = measurement.latency_ms;
    let shown = |of: fn(&Percentiles) -> f64| latency.as_ref().map_or("–".to_owned(), |p| ms(of(p)));
    let kept_up = measurement.throughput >= f64::from(asked.rate) * 0.99;
    let none = |count: u64| if count == 0 { "good" } else { "bad" };
    let count = |count: u64| grouped(&count.to_string());
    let mut tiles = vec![
        ("done a second", one_digit(measurement.throughput), if kept_up { "good" } else { "bad" }),
        ("p50", shown(|p| p.p50), ""),
        ("p99", shown(|p| p.p99), ""),
        ("max", shown(|p| p.max), ""),
        ("throttled (429)", count(counts.throttled), none(counts.throttled)),
        ("failed", count(counts.failed()), none(counts.failed())),
    ];
    if counts.unsent > 0 {
        tiles.push(("never sent", count(counts.unsent), "bad"));
    }
    tiles
}

/// The longest, as a multiple of the shortest median: beyond it an axis from zero shows nothing of the latter.
const FAR_OUT: f64 = 20.0;

fn over_time(page: &mut Page, measurement: &Measurement, seconds: f64, length: f64) {
    let largest = measurement.series.iter().filter_map(|entry| entry.max_ms).fold(0.0, f64::max);
    let least = measurement.series.iter().filter_map(|entry| entry.p50_ms).fold(f64::INFINITY, f64::min);
    // One slow answer would press all others flat.
    let y = if least > 0.0 && largest > FAR_OUT * least {
        Axis::logarithmic("ms", least / 2.0, largest * 1.2)
    } else {
        Axis::from_zero("ms", largest)
    };
    let mut chart = Chart::new("Latency over time", Axis::up_to("seconds", length), y);
    // In the middle of what it is about.
    let line = |of: fn(&SeriesEntry) -> Option<f64>| -> Vec<(f64, Option<f64>)> {
        let all = measurement.series.iter().enumerate();
        all.map(|(n, entry)| ((number(n) + 0.5) * seconds, of(entry))).collect()
    };
    chart.line("max", line(|entry| entry.max_ms));
    chart.line("p99", line(|entry| entry.p99_ms));
    chart.line("p50", line(|entry| entry.p50_ms));
    for (n, entry) in measurement.series.iter().enumerate() {
        let from = number(n) * seconds;
        let shown = |value: Option<f64>| value.map_or("–".to_owned(), ms);
        let [p50, p99, max] = [entry.p50_ms, entry.p99_ms, entry.max_ms].map(shown);
        chart.hint((from, from + seconds), &format!("from {from} s: p50 {p50}, p99 {p99}, max {max}"));
    }
    page.chart("Latency over time", &[("p50", "p50"), ("p99", "p99"), ("max", "max")], &chart.svg());
}

fn distribution(page: &mut Page, measurement: &Measurement) {
    let buckets = measurement.distribution();
    let (Some(first), Some(last), Some(latency)) = (buckets.first(), buckets.last(), measurement.latency_ms)
    else {
        return;
    };
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or_default();
    let mut chart = Chart::new(
        "How many took how long",
        Axis::logarithmic("ms", first.from_ms, last.to_ms),
        Axis::from_zero("requests", count(most)),
    );
    for bucket in &buckets {
        chart.bar("all", (bucket.from_ms, bucket.to_ms), (0.0, count(bucket.count)));
    }
    for (row, (name, at)) in
        [("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999)]
            .into_iter()
            .enumerate()
    {
        chart.mark(at, &format!("{name} {}", ms(at)), u8::try_from(row).unwrap_or_default());
    }
    for bucket in &buckets {
        let text =
            format!("{} – {}: {}", ms(bucket.from_ms), ms(bucket.to_ms), grouped(&bucket.count.to_string()));
        chart.hint((bucket.from_ms, bucket.to_ms), &text);
    }
    page.chart("How many took how long", &[], &chart.svg());
}

fn throughput(page: &mut Page, measurement: &Measurement, seconds: f64, length: f64) {
    let per_second =
        |entry: &SeriesEntry| [entry.ok, entry.throttled, entry.failed].map(|n| count(n) / seconds);
    let rate = f64::from(measurement.asked.rate);
    let largest = measurement.series.iter().map(|entry| per_second(entry).iter().sum()).fold(rate, f64::max);
    let mut chart = Chart::new(
        "Answers a second",
        Axis::up_to("seconds", length),
        // Room for the name of the level.
        Axis::from_zero("answers a second", largest * 1.08),
    );
    for (n, entry) in measurement.series.iter().enumerate() {
        let x = (number(n) * seconds, (number(n) + 1.0) * seconds);
        let mut below = 0.0;
        for (class, height) in ["ok", "throttled", "failed"].into_iter().zip(per_second(entry)) {
            chart.bar(class, x, (below, below + height));
            below += height;
        }
    }
    chart.level(rate, &format!("{} asked for", grouped(&measurement.asked.rate.to_string())));
    for (n, entry) in measurement.series.iter().enumerate() {
        let from = number(n) * seconds;
        let [ok, throttled, failed] = per_second(entry).map(one_digit);
        let text = format!("from {from} s: {ok} done, {throttled} throttled, {failed} failed a second");
        chart.hint((from, from + seconds), &text);
    }
    let legend = [("ok", "done"), ("throttled", "throttled (429)"), ("failed", "failed")];
    page.chart("Answers a second", &legend, &chart.svg());
}

fn compared(page: &mut Page, comparison: &Comparison) {
    page.heading(match comparison.verdict {
        Verdict::Regression => "Worse than the earlier run",
        Verdict::Improvement => "Better than the earlier run",
        Verdict::Same => "The same as the earlier run",
        Verdict::Unclear => "No clear difference from the earlier run",
        Verdict::TooFew => "Too few requests to compare with the earlier run",
    });
    page.table(&comparison_table::rows(comparison));
}

fn cost(page: &mut Page, bill: &Bill) {
    page.heading("What a million such requests cost");
    let mut rows = vec![["", "per million", "price as of"].map(str::to_owned).to_vec()];
    for line in &bill.lines {
        rows.push(vec![
            format!("{}, {}", line.service, line.what),
            dollars(line.usd_per_million),
            line.as_of.clone(),
        ]);
    }
    rows.push(vec!["sum".to_owned(), dollars(bill.usd_per_million), String::new()]);
    page.table(&rows);
    page.text(&format!("In {}. {}", bill.region, sources(bill)));
}

#[expect(clippy::cast_precision_loss, reason = "some hundred points")]
fn number(index: usize) -> f64 {
    index as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below what a float holds exactly")]
fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
