//! The lab with its real function: what is measured is what was sent, and the table is as before.

use serde_json::{Value, json};
use std::time::Duration;
use support::deployer::Deployer;
use support::lab::Lab;
use support::{repository, wait_for};

const KEPT: &str =
    r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"mine"}}}"#;

fn items(lab: &Lab) -> Value {
    lab.lookup().dynamodb("Scan", &json!({ "TableName": "lambda-apigateway" }))["Items"].clone()
}

/// One test, because packaging is one folder of the project's: two builds at once would be in each other's way.
#[test]
fn a_load_is_counted_measured_and_cleaned_up_also_after_ctrl_c() {
    let lab = Lab::new();
    let manifest = repository().join("stack.toml");
    let deployer = |args: &[&str]| -> Deployer { lab.deployer_of(&manifest, args).building() };
    let up = deployer(&["up"]).run().succeeds();
    assert_eq!(lab.lookup().post(up.last_line(), KEPT).0, 200);
    let before = items(&lab);
    lab.proxy.take_invocations();
    lab.proxy.take_calls();

    let page = lab.aws.folder().join("load.html");
    let done = deployer(&["load", "--rate", "20", "--duration", "5s", "--warmup", "1s", "--output", "json"])
        .args(["--cleanup", "--html"])
        .arg(&page)
        .run()
        .succeeds();
    let document = done.json();
    let load = &document["load"];
    let expected = json!({
        "planned": 100, "sent": 100, "unsent": 0, "ok": 100, "throttled": 0, "errors": 0, "unanswered": 0, "warmup": 20,
        "late": load["counts"]["late"], "late_by_ms": load["counts"]["late_by_ms"],
    });
    assert_eq!(load["counts"], expected, "{done}");
    let of = |name: &str| {
        load["requests"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap()["ok"].clone()
    };
    assert_eq!([of("create"), of("read"), of("list"), of("ping")], [20, 50, 10, 20].map(Value::from));
    assert_eq!(items(&lab), before, "what it has made is gone again, and nothing else");
    assert!(done.stderr.contains("24 items of this run were deleted again"), "{done}");
    assert_eq!(
        support::proxy::mutating(lab.proxy.take_calls()).len(),
        0,
        "only requests to the URL change anything"
    );

    // One look, 120 requests and 24 deletions.
    assert_eq!(lab.proxy.take_invocations().len(), 1 + 120 + 24);
    assert!(std::fs::read_to_string(page).unwrap().contains("Latency over time"));

    is_documented(load);

    // What Lambda says itself, and what it comes to.
    let server = &load["server"];
    assert_eq!(load["servers"], json!([server]));
    assert_eq!(server["function"], "LambdaFunctionOverHttps");
    assert_eq!((&server["invocations"], &server["expected"]), (&json!(100), &json!(100)), "{server}");
    assert!(server["billed_ms"].as_f64() >= Some(1.0) && server["memory_mb"] == 128, "{server}");
    assert!(load["cost"]["usd_per_million"].as_f64() > Some(3.7), "{}", load["cost"]);

    interrupted(
        &lab,
        deployer(&["load", "--duration", "10m", "--warmup", "0s", "--cleanup", "--output", "json"]),
    );
    assert_eq!(items(&lab), before);
    let _ = deployer(&["down", "--yes", "--delete-data"]).run().succeeds();
}

/// Every field of the result stands in the reference.
fn is_documented(result: &Value) {
    let reference = std::fs::read_to_string(repository().join("docs/src/reference/json.md")).unwrap();
    let (_, section) = reference.split_once("\n## load\n").unwrap();
    let (section, _) = section.split_once("\n#").unwrap();
    let mut places = vec![result];
    while let Some(place) = places.pop() {
        match place {
            Value::Array(all) => places.extend(all.first()),
            Value::Object(fields) => {
                for (name, value) in fields {
                    assert!(section.contains(&format!("`{name}`")), "{name} is not documented");
                    // Those have statuses for fields, and fields of their own in another section.
                    if !["statuses", "failures", "cost"].contains(&name.as_str()) {
                        places.push(value);
                    }
                }
            }
            _ => {}
        }
    }
}

fn interrupted(lab: &Lab, load: Deployer) {
    let running = load.spawn();
    wait_for("items of the load", Duration::from_mins(1), || {
        (items(lab).as_array().unwrap().len() > 3).then_some(())
    });
    running.signal(rustix::process::Signal::INT);
    let done = running.wait().exits(3);
    let document = done.json();
    let counts = &document["load"]["counts"];
    assert_eq!(document["load"]["interrupted"], true, "{done}");
    assert_eq!((&counts["planned"], &counts["ok"]), (&json!(12_000), &counts["sent"]), "{done}");
    assert!(counts["sent"].as_u64() > Some(3), "{done}");
    assert!(document["error"]["message"].as_str().unwrap().starts_with("interrupted after"), "{done}");
    assert!(done.stderr.contains("items of this run were deleted again"), "{done}");
}
