//! Each setting is applied, measured and compared.

use crate::{changes, is_as_declared, tune, up};
use serde_json::json;
use support::aws::items;
use support::lab::Lab;
use support::proxy::mutating;

#[test]
fn settings_are_tried_one_after_the_other_and_the_declared_one_comes_back() {
    let lab = up();
    lab.proxy.take_calls();
    let page = lab.project.folder().join("tune.html");
    let done =
        tune(&lab, "128,256", &["--duration", "1s", "--html", page.to_str().unwrap()]).run().succeeds();
    // 128 is what it has already: to 256, and back.
    assert_eq!(changes(&lab), 2, "{done}");
    is_as_declared(&lab);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let [head, small, large, prices] = lines[..] else { panic!("{done}") };
    assert!(prices.starts_with("Lambda's list prices are from aws.amazon.com/lambda/pricing, 20"), "{done}");
    assert!(head.starts_with("setting "), "{done}");
    assert!(small.starts_with("128 MB, x86_64") && large.starts_with("256 MB, x86_64"), "{done}");
    for why in ["cheapest", "fastest", "balanced"] {
        assert_eq!(done.stdout.matches(why).count(), 1, "{done}");
    }
    for text in
        ["LambdaFunctionOverHttps has 128 MB, x86_64 again.", "under [functions.LambdaFunctionOverHttps]"]
    {
        assert!(done.stderr.contains(text), "{text}: {done}");
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("256 MB, x86_64") && page.contains("<svg"), "{page}");
    assert!(
        page.contains(" UTC · http://") && page.contains("20 requests a second for 1 s after 1 s of warm-up")
    );
    for outside in ["src=", "href=", "url(", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside} in the page");
    }
}

#[test]
fn the_document_has_every_setting() {
    let lab = up();
    let document = tune(&lab, "256,512", &["--duration", "1s", "--output", "json"]).run().succeeds().json();
    let tuned = &document["tune"];
    assert_eq!(tuned["declared"], json!({ "memory_mb": 128, "architecture": "x86_64" }));
    assert_eq!((&tuned["asked"]["rate"], &tuned["asked"]["duration_s"]), (&json!(20), &json!(1.0)));
    assert!(tuned["prices"].as_str().unwrap().starts_with("aws.amazon.com/lambda/pricing, 20"), "{document}");
    let trials = items(&tuned["trials"]);
    let memory: Vec<u64> = trials.iter().map(|trial| trial["memory_mb"].as_u64().unwrap()).collect();
    assert_eq!(memory, [256, 512]);
    for trial in &trials {
        assert_eq!((&trial["requests"], &trial["failed"]), (&json!(20), &json!(0)), "{document}");
        let billed = trial["billed_ms"].as_f64().unwrap();
        assert!(trial["duration_ms"].as_f64().is_some_and(|ms| 0.0 < ms && ms <= billed), "{trial}");
        let gb = trial["memory_mb"].as_f64().unwrap() / 1024.0;
        let expected = 0.20 + gb * billed * 1000.0 * 0.000_016_666_7;
        assert!((trial["lambda_usd_per_million"].as_f64().unwrap() - expected).abs() < 1e-6, "{trial}");
    }
    assert!(memory.contains(&tuned["choice"]["balanced"]["memory_mb"].as_u64().unwrap()), "{document}");
    is_as_declared(&lab);
}

#[test]
fn what_is_not_as_declared_is_not_tuned() {
    let lab = Lab::new();
    let done = tune(&lab, "128,256", &[]).run().exits(1);
    assert!(done.stderr.contains("is not up"), "{done}");
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.project.declare("memory = 512\n");
    lab.proxy.take_calls();
    let done = tune(&lab, "128,256", &[]).run().exits(1);
    assert!(done.stderr.contains("is not as declared, and tune ends with what is declared"), "{done}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());
}
