use super::*;
use crate::histogram::LatencyHistogram;
use crate::measurement::{Block, Connections, Counts, LoadParameters, Percentiles, RequestShare, SCHEMA};
use std::collections::BTreeMap;
use std::slice::from_ref;
use std::time::Duration;

/// Returns a run of these blocks of latencies, in milliseconds. Each block also has `failed` failed requests.
fn run(blocks: &[Vec<f64>], failed: u64) -> Measurement {
    let mut all = LatencyHistogram::fine().unwrap();
    let blocks: Vec<Block> = blocks
        .iter()
        .map(|times| {
            let mut block = LatencyHistogram::coarse().unwrap();
            for ms in times {
                all.record(Duration::from_secs_f64(ms / 1000.0));
                block.record(Duration::from_secs_f64(ms / 1000.0));
            }
            Block { ok: times.len() as u64, throttled: 0, failed, latency_us: block.recorded().collect() }
        })
        .collect();
    let ok: u64 = blocks.iter().map(|block| block.ok).sum();
    let failed: u64 = blocks.iter().map(|block| block.failed).sum();
    let seconds = number(blocks.len() as u64);
    Measurement {
        schema: SCHEMA,
        run: "load-1".to_owned(),
        began: "2026-11-20T12:00:00Z".to_owned(),
        url: "http://127.0.0.1/Prod".to_owned(),
        asked: LoadParameters {
            rate: 100,
            duration_s: seconds,
            warmup_s: 0.0,
            concurrency: 10,
            mix: vec![RequestShare { name: "ping".to_owned(), share: 1 }],
            mix_fingerprint: "abc".to_owned(),
        },
        interrupted: false,
        seconds,
        counts: Counts { planned: ok + failed, sent: ok + failed, ok, errors: failed, ..Counts::default() },
        throughput: number(ok) / seconds,
        latency_ms: Percentiles::new(&all),
        service_ms: None,
        error_latency_ms: None,
        statuses: BTreeMap::new(),
        failures: BTreeMap::new(),
        requests: Vec::new(),
        connections: Connections::default(),
        series_seconds: 1,
        series: Vec::new(),
        blocks,
        measured_from: None,
        until_last_answer: Duration::ZERO,
        sent: Vec::new(),
    }
}

/// Returns a run of 30 seconds with 100 requests each. Latencies are within 25 % of `ms`, and each second deviates by up to
/// `noise` from it.
fn noisy_run(seed: u64, ms: f64, noise: f64) -> Measurement {
    let mut rng = Rng::with_seed(seed);
    let blocks: Vec<Vec<f64>> = (0..30)
        .map(|_| {
            let factor = 1.0 + (rng.f64() * 2.0 - 1.0) * noise;
            (0..100).map(|_| ms * factor * (0.75 + rng.f64() * 0.5)).collect()
        })
        .collect();
    run(&blocks, 0)
}

fn verdict(comparison: &Comparison, figure: &str) -> Verdict {
    comparison.lines.iter().find(|line| line.figure == figure).unwrap().verdict
}

#[test]
fn noise_alone_is_not_a_regression() {
    for seed in 0..5 {
        let (before, after) = (noisy_run(seed, 10.0, 0.2), noisy_run(seed + 100, 10.0, 0.2));
        let comparison = Comparison::new(from_ref(&before), &after, 10.0);
        assert!(
            matches!(comparison.verdict, Verdict::Same | Verdict::Unclear),
            "seed {seed}: {comparison:#?}"
        );
    }
}

/// Returns a run that deviates as a whole, by about a fifth, as on another host.
fn shifted_run(seed: u64, ms: f64) -> Measurement {
    let mut rng = Rng::with_seed(seed);
    let host = 1.0 + (rng.f64() + rng.f64() + rng.f64() - 1.5) * 0.4;
    let blocks: Vec<Vec<f64>> =
        (0..10).map(|_| (0..50).map(|_| (ms * host * (0.9 + rng.f64() * 0.2)).round()).collect()).collect();
    run(&blocks, 0)
}

#[test]
fn several_earlier_runs_reveal_the_noise_between_runs() {
    let regressions = |earlier: u64, ms: f64| {
        let is_regression = |seed: &u64| {
            let before: Vec<Measurement> =
                (1..=earlier).map(|run| shifted_run(seed * 100 + run, 50.0)).collect();
            Comparison::new(&before, &shifted_run(seed * 100, ms), 10.0).verdict == Verdict::Regression
        };
        (0..40).filter(is_regression).count()
    };
    // With only one earlier run, noise often looks like a regression.
    assert!(regressions(1, 50.0) > 8);
    assert!(regressions(4, 50.0) <= 2);
    assert!(regressions(4, 150.0) >= 38);
}

#[test]
fn a_slower_run_is_a_regression_and_a_faster_one_an_improvement() {
    for seed in 0..5 {
        let (before, after) = (noisy_run(seed, 10.0, 0.05), noisy_run(seed + 100, 13.0, 0.05));
        let worse = Comparison::new(from_ref(&before), &after, 10.0);
        assert_eq!(worse.verdict, Verdict::Regression, "seed {seed}: {worse:#?}");
        assert_eq!(verdict(&worse, "p50"), Verdict::Regression);
        let p50 = &worse.lines[0];
        assert!((25.0..35.0).contains(&p50.change.unwrap()), "{p50:?}");
        assert!(p50.from < p50.change && p50.change < p50.to, "{p50:?}");
        let better = Comparison::new(from_ref(&after), &before, 10.0);
        assert_eq!(better.verdict, Verdict::Improvement, "{better:#?}");
        // The change is within a wider threshold.
        assert_eq!(verdict(&Comparison::new(from_ref(&before), &after, 50.0), "p50"), Verdict::Same);
    }
}

#[test]
fn a_change_within_the_noise_is_unclear() {
    let comparison = Comparison::new(&[noisy_run(1, 10.0, 0.8)], &noisy_run(2, 11.0, 0.8), 5.0);
    assert_eq!(verdict(&comparison, "p50"), Verdict::Unclear, "{comparison:#?}");
    assert_ne!(comparison.verdict, Verdict::Regression);
}

#[test]
fn a_run_is_the_same_as_itself() {
    let run = noisy_run(3, 10.0, 0.05);
    let comparison = Comparison::new(from_ref(&run), &run, 10.0);
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
    assert!(comparison.lines.iter().all(|line| line.change == Some(0.0)));
    assert_eq!(comparison, Comparison::new(from_ref(&run), &run, 10.0), "the comparison is deterministic");
}

#[test]
fn a_slower_tail_is_a_regression() {
    let blocks = |slow: f64| -> Vec<Vec<f64>> {
        (0..30).map(|_| (0..100).map(|n| if n >= 97 { slow } else { 10.0 }).collect()).collect()
    };
    let comparison = Comparison::new(&[run(&blocks(20.0), 0)], &run(&blocks(40.0), 0), 10.0);
    assert_eq!(verdict(&comparison, "p50"), Verdict::Same);
    assert_eq!(verdict(&comparison, "p99"), Verdict::Regression);
    assert_eq!(comparison.verdict, Verdict::Regression);
}

#[test]
fn more_errors_are_a_regression_at_the_same_latency() {
    let blocks = vec![vec![10.0; 100]; 30];
    let comparison = Comparison::new(&[run(&blocks, 0)], &run(&blocks, 5), 10.0);
    assert_eq!(verdict(&comparison, "failed"), Verdict::Regression, "{comparison:#?}");
    assert_eq!(verdict(&comparison, "p50"), Verdict::Same);
    assert_eq!(comparison.verdict, Verdict::Regression);
}

#[test]
fn unsent_requests_are_a_regression_at_the_same_latency() {
    let before = noisy_run(1, 10.0, 0.0);
    let mut after = before.clone();
    let comparison = Comparison::new(from_ref(&before), &after, 10.0);
    assert!(comparison.lines.iter().all(|line| line.figure != "never sent"), "{comparison:#?}");
    after.counts.unsent = 1_000;
    let comparison = Comparison::new(from_ref(&before), &after, 10.0);
    assert_eq!(verdict(&comparison, "never sent"), Verdict::Regression, "{comparison:#?}");
    assert_eq!(comparison.lines.last().unwrap().after, Some(25.0));
    assert_eq!(comparison.verdict, Verdict::Regression);
}

#[test]
fn too_few_requests_or_blocks_give_no_verdict() {
    // Of 99 requests, fewer than ten are above the p99.
    let few = |ms: f64| run(&vec![vec![ms; 3]; 33], 0);
    let comparison = Comparison::new(&[few(10.0)], &few(30.0), 10.0);
    assert_eq!(verdict(&comparison, "p99"), Verdict::TooFew);
    assert_eq!(verdict(&comparison, "p50"), Verdict::Regression);
    // Three blocks are too few to estimate the noise.
    let short = |ms: f64| run(&vec![vec![ms; 1000]; 3], 0);
    let comparison = Comparison::new(&[short(10.0)], &short(30.0), 10.0);
    assert!(comparison.lines.iter().all(|line| line.verdict == Verdict::TooFew), "{comparison:#?}");
    assert_eq!(comparison.verdict, Verdict::TooFew);
    let nothing = run(&vec![vec![]; 10], 1);
    let comparison = Comparison::new(from_ref(&nothing), &nothing, 10.0);
    assert_eq!(verdict(&comparison, "p50"), Verdict::TooFew);
}

#[test]
fn runs_with_different_parameters_are_not_comparable() {
    let before = noisy_run(1, 10.0, 0.1);
    let differences_after = |change: fn(&mut LoadParameters)| {
        let mut asked = before.asked.clone();
        change(&mut asked);
        differences(&before, &asked)
    };
    assert_eq!(
        differences_after(|asked| asked.duration_s = 600.0),
        [""; 0],
        "a longer run of the same is comparable"
    );
    let cases: [(fn(&mut LoadParameters), &str); 5] = [
        (|asked| asked.duration_s = 4.0, "a run of less than 5 s is too short to estimate its noise"),
        (|asked| asked.rate = 200, "the rate was 100, and is 200"),
        (|asked| asked.concurrency = 20, "the concurrency was 10, and is 20"),
        (|asked| asked.mix_fingerprint = "x".to_owned(), "the requests of the mix were different"),
        (
            |asked| {
                asked.mix_fingerprint = "x".to_owned();
                asked.mix[0].name = "read".to_owned();
            },
            "the mix was ping=1, and is read=1",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(differences_after(change), [expected]);
    }
}

#[test]
fn a_measurement_survives_serialization() {
    let run = noisy_run(1, 10.0, 0.1);
    let read: Measurement = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert!(read.is_plausible());
    assert_eq!((read.blocks, read.asked, read.counts), (run.blocks, run.asked, run.counts));
}

/// Such documents would take hours to compare, or overflow.
#[test]
fn figures_out_of_bounds_are_implausible() {
    let changes: [fn(&mut Measurement); 3] = [
        |run| run.blocks = vec![run.blocks[0].clone(); 31],
        |run| run.blocks[0].latency_us = (0..10_000).map(|us| (us, 1)).collect(),
        |run| run.blocks[0].latency_us[0].1 = u64::MAX,
    ];
    for change in changes {
        let mut run = noisy_run(1, 10.0, 0.1);
        change(&mut run);
        assert!(!run.is_plausible());
    }
}

#[test]
fn a_unit_is_the_same_in_words_and_in_json() {
    for unit in [Unit::Milliseconds, Unit::PerSecond, Unit::Percent] {
        assert_eq!(serde_json::to_value(unit).unwrap(), unit.to_string());
    }
}
