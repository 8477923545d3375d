//! What the load measures is what somebody else sees of the same requests.

use serde_json::Value;
use std::time::Duration;
use support::lab::Lab;
use support::proxy::Behaviour;

/// The proxy is behind the way to it, so that it sees less of each request and never more. Where answers take long, that way
/// is little: how little, `make bench-load` measures.
#[test]
fn percentiles_are_those_of_the_proxy_on_the_way() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.behave(Behaviour { answer: Duration::from_millis(250), ..Behaviour::default() });
    lab.proxy.take_invocations();
    let args =
        ["load", "--rate", "20", "--duration", "5s", "--warmup", "0s", "--mix", "ping=1", "--output", "json"];
    let done = lab.deployer(&args).run().succeeds();
    // The first is the look before the load.
    let seen = lab.proxy.take_invocations().split_off(1);
    let mut seen: Vec<f64> = seen.iter().map(|one| one.took().as_secs_f64() * 1000.0).collect();
    seen.sort_by(f64::total_cmp);
    assert_eq!(seen.len(), 100);
    let load = &done.json()["load"];
    for (name, percent) in [("p50", 50), ("p90", 90)] {
        let at = |figures: &Value| figures[name].as_f64().unwrap();
        let (due, sent) = (at(&load["latency_ms"]), at(&load["service_ms"]));
        let theirs = seen[percent - 1];
        // Histograms have three digits.
        assert!(due >= sent * 0.998 && sent >= theirs * 0.998, "{name}: {due}, {sent}, {theirs}: {done}");
        assert!(sent < theirs * 1.5, "{name}: {sent}, {theirs}: {done}");
    }
}
