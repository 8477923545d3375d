//! Two results: the exit code says whether the second is clearly worse.

use serde_json::{Value, json};
use std::path::Path;
use support::deployer::Done;
use support::lab::Lab;

/// The same run with answers that all took so many microseconds: what this machine does meanwhile is no part of it.
fn steady(result: &Value, us: u32) -> Value {
    let mut steady = result.clone();
    let block = json!({ "ok": 100, "throttled": 0, "failed": 0, "latency_us": format!("{us}:100") });
    steady["blocks"] = json!(vec![block; 20]);
    for name in ["ok", "sent", "planned"] {
        steady["counts"][name] = json!(2000);
    }
    for value in steady["latency_ms"].as_object_mut().unwrap().values_mut() {
        *value = json!(f64::from(us) / 1000.0);
    }
    steady
}

#[test]
fn a_regression_is_exit_code_4_and_noise_is_none() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let folder = lab.aws.folder();
    let base = folder.join("base.json");
    let args = ["load", "--rate", "50", "--duration", "6s", "--warmup", "0s", "--mix", "ping=1"];
    let _ = lab.deployer(&args).arg("--json").arg(&base).run().succeeds();
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&base).unwrap()).unwrap();
    let written = |name: &str, result: &Value| {
        let file = folder.join(name);
        std::fs::write(&file, result.to_string()).unwrap();
        file
    };
    let [steady_file, slow] = [("steady.json", 10_000), ("slow.json", 20_000)]
        .map(|(name, us)| written(name, &steady(&result, us)));
    let page = folder.join("compared.html");
    let compared = |before: &Path, now: &Path| -> Done {
        let load = lab.deployer(&["load", "--html"]).arg(&page).arg("--compare").arg(before);
        load.arg("--with").arg(now).run()
    };

    lab.proxy.take_calls();
    let worse = compared(&steady_file, &slow).exits(4);
    assert!(worse.stdout.contains("Worse by clearly more than 10 %: p50"), "{worse}");
    assert!(std::fs::read_to_string(&page).unwrap().contains("Worse than the earlier run"));
    let better = compared(&slow, &steady_file).succeeds();
    assert!(better.stdout.contains("Better by clearly more than 10 %: p50"), "{better}");
    let same = compared(&steady_file, &steady_file).succeeds();
    assert!(same.stdout.contains("The same within 10 %."), "{same}");
    assert!(lab.proxy.take_calls().is_empty(), "two files need no AWS");

    // Two earlier runs that differ as much as that.
    let both = lab.deployer(&["load", "--compare"]).arg(&steady_file).arg("--compare").arg(&slow);
    let both = both.arg("--with").arg(&slow).run().succeeds();
    assert!(both.stdout.contains("No clear difference"), "{both}");

    // No answer comes within 10 microseconds.
    let quick = written("quick.json", &steady(&result, 10));
    let run = lab.deployer(&args).args(["--output", "json", "--compare"]).arg(&quick).run().exits(4);
    assert_eq!(run.json()["load"]["comparison"]["verdict"], "regression", "{run}");

    let other = ["load", "--rate", "51", "--mix", "ping=1", "--compare"];
    let refused = lab.deployer(&other).arg(&base).run().exits(2);
    assert!(refused.stderr.contains("cannot be compared: the rate was 50, and is 51"), "{refused}");
    let none = lab.deployer(&["load", "--compare", "nowhere.json"]).run().exits(2);
    assert!(none.stderr.contains("cannot read the earlier result nowhere.json"), "{none}");
}
