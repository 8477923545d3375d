//! What `tune` measured, as a table and as a page.

use super::choice::Choice;
use super::setting::Setting;
use super::trial::Trial;
use crate::loadtest::report::ms;
use crate::output::chart::{Axis, Chart};
use crate::output::columns::aligned;
use crate::output::html::Page;
use crate::pricing::dollars;

/// One line for each setting, with what it was chosen for.
pub(crate) fn table(trials: &[Trial], choice: Option<Choice>) -> Vec<String> {
    let rows = rows(trials, choice);
    aligned(&rows, &[0, rows[0].len() - 1])
}

fn rows(trials: &[Trial], choice: Option<Choice>) -> Vec<Vec<String>> {
    let head = [
        "setting",
        "done a second",
        "p50",
        "p99",
        "duration",
        "billed",
        "used",
        "Lambda, $ a million",
        "choice",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for trial in trials {
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let reasons = choice.map(|choice| choice.reasons(trial.setting).join(", ")).unwrap_or_default();
        let mut notes: Vec<String> = Vec::new();
        let not_well =
            [(trial.failed, "failed"), (trial.throttled, "throttled"), (trial.unsent, "never sent")];
        for (count, what) in not_well {
            if count > 0 {
                notes.push(format!("{count} {what}"));
            }
        }
        if !reasons.is_empty() {
            notes.push(reasons);
        }
        rows.push(vec![
            trial.setting.text(),
            format!("{:.1}", trial.throughput),
            or_nothing(trial.latency_ms.map(|latency| ms(latency.p50))),
            or_nothing(trial.latency_ms.map(|latency| ms(latency.p99))),
            or_nothing(trial.duration_ms.map(ms)),
            or_nothing(trial.billed_ms.map(ms)),
            or_nothing(trial.max_memory_used_mb.map(|mb| format!("{mb} MB"))),
            or_nothing(trial.lambda_usd_per_million.map(dollars)),
            notes.join(", "),
        ]);
    }
    rows
}

/// What to write into the manifest.
pub(crate) fn advice(
    function: &str,
    declared: Setting,
    trials: &[Trial],
    choice: Option<Choice>,
) -> Vec<String> {
    let Some(choice) = choice else {
        return vec![
            "Nothing is chosen: of no setting it is known that all went well, and what it costs.".to_owned(),
        ];
    };
    let mut lines = vec![format!("In stack.toml, under [functions.{function}]:")];
    for trial in trials {
        let reasons = choice.reasons(trial.setting);
        if reasons.is_empty() {
            continue;
        }
        let mut keys = format!("memory = {}", trial.setting.memory_mb);
        if trials.iter().any(|other| other.setting.architecture != trial.setting.architecture) {
            keys.push_str(&format!(", architecture = \"{}\"", trial.setting.architecture.name()));
        }
        let now = if trial.setting == declared { ", as it is now" } else { "" };
        lines.push(format!("  {keys} is {}{now}", reasons.join(" and ")));
    }
    lines
}

/// A page for a browser. Below its heading stands what was asked for.
pub(crate) fn page(
    function: &str,
    asked: &[String],
    trials: &[Trial],
    choice: Option<Choice>,
    advice: &[String],
) -> String {
    let heading = format!("Settings of {function}");
    let mut page = Page::new(&heading, asked);
    if let Some(Choice { cheapest, fastest, balanced }) = choice {
        page.tiles(&[
            ("cheapest", cheapest.text(), ""),
            ("fastest", fastest.text(), ""),
            ("balanced", balanced.text(), "good"),
        ]);
    }
    page.table(&without_empty_end(rows(trials, None)));
    for line in advice {
        page.text(line);
    }
    let latencies = |of: fn(&Trial) -> Option<f64>| over_memory(trials, of);
    let both = [
        ("p50", latencies(|trial| trial.latency_ms.map(|latency| latency.p50))),
        ("p99", latencies(|trial| trial.latency_ms.map(|latency| latency.p99))),
    ];
    chart(&mut page, "Latency of requests", "ms", trials, &both);
    let duration = latencies(|trial| trial.duration_ms);
    chart(&mut page, "Duration in Lambda", "ms", trials, &[("green", duration)]);
    let cost = latencies(|trial| trial.lambda_usd_per_million);
    chart(&mut page, "Lambda for a million requests", "US dollars", trials, &[("orange", cost)]);
    let done = latencies(|trial| Some(trial.throughput));
    chart(&mut page, "Done a second", "requests", trials, &[("blue", done)]);
    page.heading("How it was chosen");
    page.text("The same load went to each setting after a warm-up. The cheapest has the least cost of its billed duration by list prices, the fastest the least mean duration, with the start of its environment; the balanced one the least sum of both, each as a part of the largest. A setting at which something failed, or was never sent, is not chosen.");
    page.finish(&heading)
}

/// What was chosen stands above the table; of what failed there is a column only where something did.
fn without_empty_end(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let nothing = rows.iter().skip(1).all(|row| row.last().is_some_and(String::is_empty));
    for (index, row) in rows.iter_mut().enumerate() {
        let last = row.pop().unwrap_or_default();
        if !nothing {
            row.push(if index == 0 { "not well".to_owned() } else { last });
        }
    }
    rows
}

/// Where each setting stands, by memory.
type Dots = Vec<(Setting, f64)>;

fn over_memory(trials: &[Trial], of: fn(&Trial) -> Option<f64>) -> Dots {
    let mut dots: Dots = trials.iter().filter_map(|trial| Some((trial.setting, of(trial)?))).collect();
    dots.sort_by_key(|(setting, _)| (setting.architecture, setting.memory_mb));
    dots
}

fn chart(page: &mut Page, heading: &str, unit: &str, trials: &[Trial], series: &[(&str, Dots)]) {
    let memory = || trials.iter().map(|trial| f64::from(trial.setting.memory_mb));
    let (least, most) = (memory().fold(f64::INFINITY, f64::min), memory().fold(0.0, f64::max));
    let largest = series.iter().flat_map(|(_, dots)| dots).map(|dot| dot.1).fold(0.0, f64::max);
    let x = Axis::logarithmic("memory in MB", least * 0.9, most * 1.1).marked_at(memory());
    let mut chart = Chart::new(heading, x, Axis::from_zero(unit, largest));
    for (index, (class, dots)) in series.iter().enumerate() {
        let at = |(setting, y): &(Setting, f64)| (f64::from(setting.memory_mb), *y);
        for of_one in dots.chunk_by(|a, b| a.0.architecture == b.0.architecture) {
            chart.line(class, of_one.iter().map(at).map(|(x, y)| (x, Some(y))));
        }
        for dot in dots {
            let (x, y) = at(dot);
            // The same names stand at the last ones.
            let name = if index + 1 == series.len() { dot.0.text() } else { String::new() };
            chart.dot(class, x, y, &name);
        }
    }
    let legend: Vec<(&str, &str)> = if series.len() > 1 {
        series.iter().map(|(class, _)| (*class, *class)).collect()
    } else {
        Vec::new()
    };
    page.chart(heading, &legend, &chart.svg());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Architecture;
    use crate::output::html::tests::is_well_formed;
    use loadgen::Percentiles;

    fn trial(memory_mb: i32, billed_ms: Option<f64>, failed: u64) -> Trial {
        let latency =
            Percentiles { min: 1.0, mean: 2.0, p50: 4.125, p90: 5.0, p99: 180.4, p999: 200.0, max: 200.0 };
        Trial {
            setting: Setting { memory_mb, architecture: Architecture::X86_64 },
            throughput: 19.96,
            requests: 600,
            throttled: 0,
            failed,
            unsent: 0,
            latency_ms: Some(latency),
            duration_ms: billed_ms.map(|ms| ms - 0.5),
            billed_ms,
            max_memory_used_mb: billed_ms.map(|_| 24),
            lambda_usd_per_million: billed_ms.map(|ms| 0.2 + ms * f64::from(memory_mb) / 1024.0 * 0.016_667),
            requests_usd: 0.2,
        }
    }

    fn choice(trials: &[Trial]) -> Option<Choice> {
        Choice::new(&trials.iter().filter_map(Trial::candidate).collect::<Vec<_>>())
    }

    #[test]
    fn the_table_says_what_each_setting_was_chosen_for() {
        let trials = [trial(128, Some(20.0), 0), trial(512, Some(8.0), 0), trial(1769, None, 3)];
        let expected = [
            "setting          done a second      p50     p99  duration   billed   used  Lambda, $ a million  choice",
            "128 MB, x86_64            20.0  4.12 ms  180 ms   19.5 ms  20.0 ms  24 MB               $0.242  cheapest",
            "512 MB, x86_64            20.0  4.12 ms  180 ms   7.50 ms  8.00 ms  24 MB               $0.267  fastest, balanced",
            "1769 MB, x86_64           20.0  4.12 ms  180 ms         –        –      –                    –  3 failed",
        ];
        assert_eq!(table(&trials, choice(&trials)), expected);
        let declared = Setting { memory_mb: 128, architecture: Architecture::X86_64 };
        let expected = [
            "In stack.toml, under [functions.f]:",
            "  memory = 128 is cheapest, as it is now",
            "  memory = 512 is fastest and balanced",
        ];
        assert_eq!(advice("f", declared, &trials, choice(&trials)), expected);
    }

    #[test]
    fn what_failed_or_did_not_carry_the_load_is_not_chosen() {
        let trials = [trial(128, Some(2.0), 1), trial(512, Some(8.0), 0)];
        let chosen = choice(&trials).unwrap();
        assert_eq!(chosen.reasons(trials[1].setting), ["cheapest", "fastest", "balanced"]);
        let trials = [Trial { unsent: 48, ..trial(128, Some(2.0), 0) }, trial(512, Some(8.0), 0)];
        let chosen = choice(&trials).unwrap();
        assert_eq!(chosen.reasons(trials[1].setting), ["cheapest", "fastest", "balanced"]);
        assert!(table(&trials, Some(chosen))[1].ends_with("48 never sent"));
        let trials = [trial(128, Some(2.0), 1), trial(512, None, 0)];
        assert_eq!(choice(&trials), None);
        assert!(advice("f", trials[0].setting, &trials, None)[0].starts_with("Nothing is chosen"));
    }

    /// Both are billed one millisecond.
    #[test]
    fn the_fastest_is_the_one_that_takes_less_where_the_same_is_billed() {
        let took = |memory_mb, duration_ms| Trial {
            duration_ms: Some(duration_ms),
            ..trial(memory_mb, Some(1.0), 0)
        };
        let trials = [took(128, 0.9), took(256, 0.3)];
        let chosen = choice(&trials).unwrap();
        assert_eq!(chosen.reasons(trials[0].setting), ["cheapest"]);
        assert_eq!(chosen.reasons(trials[1].setting), ["fastest", "balanced"]);
    }

    #[test]
    fn another_processor_is_part_of_the_advice() {
        let arm = Trial {
            setting: Setting { memory_mb: 256, architecture: Architecture::Arm64 },
            ..trial(256, Some(1.0), 0)
        };
        let trials = [trial(128, Some(20.0), 0), arm];
        let advice = advice("f", trials[0].setting, &trials, choice(&trials));
        assert_eq!(
            advice[1],
            "  memory = 256, architecture = \"arm64\" is cheapest and fastest and balanced"
        );
    }

    #[test]
    fn the_page_is_whole_and_asks_nobody_for_anything() {
        let trials = [trial(128, Some(20.0), 0), trial(10_240, Some(8.0), 0), trial(512, None, 600)];
        for (trials, choice) in [(&trials[..], choice(&trials)), (&trials[2..], None)] {
            let page = page("f<g>", &["20 <a> second".to_owned()], trials, choice, &["a & b".to_owned()]);
            assert_eq!(is_well_formed(&page), Ok(()), "{page}");
            for forbidden in ["<script", "http", "url(", "@import", "NaN", "inf"] {
                assert!(!page.contains(forbidden), "{forbidden} in {page}");
            }
        }
    }
}
