//! What a stack costs: asked without AWS, without credentials, and mostly without a manifest.

use crate::{deployer, folder, shown};
use support::deployer::Done;

fn cost(manifest: &str, args: &[&str]) -> Done {
    let folder = folder();
    std::fs::write(folder.path().join("stack.toml"), manifest).unwrap();
    deployer(folder.path(), &["cost"]).args(args).run()
}

const LAB: [&str; 6] = ["--requests", "1M", "--duration-ms", "4.2", "--region", "us-east-1"];

/// As many as go through two steps of the API's prices.
const MANY: [&str; 5] = ["--requests", "1.5B", "--duration-ms", "12", "--free-tier"];

#[test]
fn a_million_requests_to_the_lab() {
    insta::assert_snapshot!(shown(&cost("", &LAB)));
}

#[test]
fn the_same_as_json() {
    let done = cost("", &LAB).succeeds();
    let json = cost("", &[&LAB[..], &["--output", "json"]].concat()).succeeds();
    let document = json.json();
    assert_eq!((&document["command"], &document["region"]), (&"cost".into(), &"us-east-1".into()));
    let bill = &document["cost"];
    assert_eq!(bill["billed_ms"], 5.0);
    let lines = bill["lines"].as_array().unwrap();
    let sum: f64 = lines.iter().map(|line| line["usd"].as_f64().unwrap()).sum();
    assert!((sum - bill["usd"].as_f64().unwrap()).abs() < 1e-9, "{json}");
    for line in lines {
        // The page and the day stand beside every figure, for people and for programs.
        let page = line["source"].as_str().unwrap().trim_start_matches("https://").trim_end_matches('/');
        let source = format!("({page}, {})", line["as_of"].as_str().unwrap());
        assert!(done.stdout.contains(&source), "{source}: {done}");
    }
    assert_eq!(done.stdout.matches("2025-").count(), lines.len(), "{done}");
}

#[test]
fn a_stack_with_settings_of_its_own() {
    let manifest = r#"
region = "eu-central-1"
[tables.orders]
billing = { read = 5, write = 10, max = 40 }
[tables.notes]
[functions.Shop]
memory = 512
architecture = "arm64"
tracing = true
log-retention-days = 30
[functions.Thumbnails]
zip = "thumbnails.zip"
runtime = "nodejs24.x"
handler = "index.handler"
role = "thumbnails-role"
policy = "thumbnails.json"
[[api.routes]]
method = "POST"
path = "/orders"
function = "Shop"
"#;
    let shop = ["--function", "Shop", "--reads", "0.5", "--writes", "0.25", "--item-size", "5000"];
    insta::assert_snapshot!(
        [
            shown(&cost(manifest, &[&MANY[..], &shop[..]].concat())),
            shown(&cost(manifest, &MANY)),
            shown(&cost(manifest, &[&MANY[..], &["--function", "Shpo"]].concat())),
        ]
        .join("\n")
    );
}

#[test]
fn what_cannot_be_billed() {
    let wrong = [
        &["--requests", "1M", "--duration-ms", "5"][..],
        &["--requests", "1M", "--duration-ms", "5", "--region", "mars-1"],
        &["--requests", "0", "--duration-ms", "5"],
        &["--requests", "1e6", "--duration-ms", "5"],
        &["--requests", "1M", "--duration-ms", "0"],
        &["--requests", "1M", "--duration-ms", "5", "--memory", "64"],
        &["--requests", "1M", "--duration-ms", "5", "--item-size", "1M"],
        &["--requests", "1M", "--duration-ms", "5", "--architecture", "arm"],
    ];
    let answers = wrong.map(|args| shown(&cost("", args).exits(2)));
    insta::assert_snapshot!(answers.join("\n"));
}
