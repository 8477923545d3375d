use super::*;
use crate::output::html::tests::is_well_formed;
use serde_json::{Value, json};

/// A run of 20 seconds in which everything happened.
fn measurement(change: impl FnOnce(&mut Value)) -> Measurement {
    let percentiles =
        json!({ "min": 1.0, "mean": 5.0, "p50": 4.0, "p90": 8.0, "p99": 20.0, "p999": 31.0, "max": 32.0 });
    let entry = |n: u32| {
        let none = n == 7;
        json!({
            "ok": if none { 0 } else { 18 }, "throttled": u32::from(n > 10), "failed": u32::from(n == 3),
            "p50_ms": if none { Value::Null } else { json!(4.0) },
            "p99_ms": if none { Value::Null } else { json!(15.0 + f64::from(n % 5)) },
            "max_ms": if none { Value::Null } else { json!(32.0) },
        })
    };
    let mut all = json!({
        "schema": 1, "run": "load-1", "began": "2026-11-20T12:00:00.123Z", "url": "https://x1.example/Prod",
        "asked": {
            "rate": 20, "duration_s": 20.0, "warmup_s": 2.0, "concurrency": 100,
            "mix": [{ "name": "<create> & \"x\"", "share": 20 }, { "name": "read", "share": 80 }],
            "mix_fingerprint": "abc",
        },
        "interrupted": false, "seconds": 20.0,
        "counts": {
            "planned": 400, "sent": 390, "unsent": 10, "ok": 370, "throttled": 9, "errors": 1, "unanswered": 10, "late": 30,
            "late_by_ms": 80, "warmup": 40,
        },
        "throughput": 18.5,
        "latency_ms": percentiles, "service_ms": percentiles, "error_latency_ms": percentiles,
        "statuses": { "200": 370, "429": 9, "500": 1 }, "failures": { "no answer in time": 10 },
        "requests": [
            { "name": "<create> & \"x\"", "ok": 70, "throttled": 9, "failed": 0, "latency_ms": percentiles },
            { "name": "read", "ok": 300, "throttled": 0, "failed": 11, "latency_ms": null },
        ],
        "connections": { "opened": 4, "most": 3 },
        "series_seconds": 1, "series": (0..20).map(entry).collect::<Vec<_>>(),
        "blocks": [{ "ok": 370, "throttled": 9, "failed": 11, "latency_us": "1000:10 4000:300 8000:40 20000:19 32000:1" }],
    });
    change(&mut all);
    serde_json::from_value(all).unwrap()
}

fn findings(measurement: &Measurement) -> Findings<'_> {
    Findings { measurement, functions: &[], cost: None, comparison: None }
}

#[test]
fn a_page_is_well_formed_whatever_is_in_it() {
    let full = measurement(|_| {});
    let empty = measurement(|all| {
        all["series"] = json!([]);
        all["blocks"] = json!([]);
        all["latency_ms"] = Value::Null;
    });
    let one = measurement(|all| all["blocks"][0]["latency_us"] = json!("1000:370"));
    for run in [full, empty, one] {
        let comparison = Comparison::new(std::slice::from_ref(&run), &run, 10.0);
        let findings = Findings { comparison: Some(&comparison), ..findings(&run) };
        let page = page("a \"stack\" <&>", &findings);
        assert_eq!(is_well_formed(&page), Ok(()), "{page}");
        assert!(page.contains("Load on a &quot;stack&quot; &lt;&amp;&gt;"));
        for forbidden in ["<script", "src=", "href=", "url(", "@import", "NaN", "<create>"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
    }
}

#[test]
fn what_matters_is_on_the_page() {
    let run = measurement(|_| {});
    let page = page("lab", &findings(&run));
    let expected = [
        "2026-11-20 12:00:00 UTC · https://x1.example/Prod",
        "20 requests a second for 20 s after 2 s of warm-up · at most 100 at once",
        "<span>done a second</span><strong>18.5</strong>",
        "370 × HTTP 200, 9 × HTTP 429, 1 × HTTP 500, 10 × no answer in time",
        "10 requests were never sent",
        "<span>never sent</span><strong>10</strong>",
        "p99.9 31.0 ms",
        "20 asked for",
    ];
    for text in expected {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn a_terminal_gets_the_same_figures() {
    let run = measurement(|_| {});
    insta::assert_snapshot!(super::super::table(&findings(&run)).join("\n"), @r#"
    390 of 400 requests in 20.0 s: 370 done, 9 throttled (429), 11 failed; 18.5 done a second, of 20 asked for
    answers: 370 × HTTP 200, 9 × HTTP 429, 1 × HTTP 500, 10 × no answer in time
    10 requests were never sent: no connection was free until the end; the latencies are without them
    30 requests were sent late, by up to 80 ms: all 3 connections were busy, or this machine was; the wait is part of the latency

    latency         requests      p50      p90      p99    p99.9      max
    all                  370  4.00 ms  8.00 ms  20.0 ms  31.0 ms  32.0 ms
    <create> & "x"        70  4.00 ms  8.00 ms  20.0 ms  31.0 ms  32.0 ms
    read                 300        –        –        –        –        –
    errors                 1  4.00 ms  8.00 ms  20.0 ms  31.0 ms  32.0 ms

    1.00 – 2.00 ms  █ 10
    2.00 – 5.00 ms  ████████████████████████████████████████ 300
    5.00 – 10.0 ms  █████ 40
    10.0 – 20.0 ms  0
    20.0 – 50.0 ms  ██ 20
    "#);
}
