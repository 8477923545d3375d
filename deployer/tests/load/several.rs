//! Requests of one's own: to routes that the built-in ones do not fit, and to several functions at once.

use serde_json::{Value, json};
use support::lab::Lab;

const WEB: &str = r#"
[functions.Web]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
memory = 512

[[api.routes]]
method = "GET"
path = "/web/{id}"
function = "Web"
"#;

const POST: &str = r#"
[[api.routes]]
method = "POST"
path = "/lab"
function = "LambdaFunctionOverHttps"
"#;

const GET: &str = "[[requests]]\nname = \"get\"\nshare = 9\nmethod = \"GET\"\npath = \"/web/7\"\n";

const PING: &str = r#"
[[requests]]
name = "ping"
share = 1
path = "/lab"
body = '{"operation":"ping"}'
"#;

fn up(declared: &str, mix: &str) -> Lab {
    let lab = Lab::new();
    lab.project.declare(declared);
    lab.project.write("mix.toml", mix);
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.take_invocations();
    lab
}

fn load(lab: &Lab, more: &[&str]) -> support::deployer::Deployer {
    let mix = lab.project.folder().join("mix.toml");
    let args = ["load", "--rate", "20", "--duration", "2s", "--warmup", "0s"];
    lab.deployer(&args).args(more).arg("--mix").arg(mix)
}

#[test]
fn a_stack_without_a_route_for_the_built_in_requests_is_loaded_with_those_of_a_file() {
    let lab = up(WEB, GET);
    let refused = lab.deployer(&["load"]).run().exits(2);
    let why = "the built-in requests are those of the lab's function, and no route that is asked leads to it";
    assert!(refused.stderr.contains(&format!("{why}: GET /web/{{id}}")), "{refused}");
    let command = format!("`deployer load {} --mix mix.toml`", lab.flags());
    assert!(refused.stderr.contains(&command), "{refused}");
    assert!(lab.proxy.take_invocations().is_empty(), "{refused}");
    for more in [&[][..], &["--route", "/web/{id}"], &["--function", "Web"]] {
        let done = load(&lab, more).args(["--output", "json"]).run().succeeds();
        let document = done.json();
        assert_eq!(document["load"]["counts"]["ok"], 40, "{done}");
        let server = &document["load"]["server"];
        assert_eq!((&server["function"], &server["memory_mb"]), (&json!("Web"), &json!(512)), "{done}");
    }
    let mix = lab.project.folder().join("mix.toml");
    let tune =
        lab.deployer(&["tune", "--memory", "128,256", "--function", "LambdaFunctionOverHttps", "--mix"]);
    let refused = tune.arg(mix).run().exits(2);
    assert!(refused.stderr.contains("gets to LambdaFunctionOverHttps"), "{refused}");
}

#[test]
fn each_function_that_is_asked_has_its_own_reports_and_its_share_of_the_bill() {
    let lab = up(&format!("{WEB}{POST}"), &format!("{GET}{PING}"));
    let done = load(&lab, &["--output", "json"]).run().succeeds();
    let load_ = &done.json()["load"];
    assert_eq!((&load_["counts"]["ok"], &load_["server"]), (&json!(40), &Value::Null), "{done}");
    let servers = load_["servers"].as_array().unwrap();
    let of = |name: &str| servers.iter().find(|server| server["function"] == name).unwrap();
    for (name, memory, expected) in [("Web", 512, 36), ("LambdaFunctionOverHttps", 128, 4)] {
        assert_eq!((&of(name)["memory_mb"], &of(name)["expected"]), (&json!(memory), &json!(expected)));
        assert!(of(name)["invocations"].as_u64().unwrap().abs_diff(expected) <= 1 + expected / 20, "{done}");
    }
    // 0.9 of each million at 512 MB, 0.1 at 128 MB.
    let gb_seconds = |name: &str, gb: f64| of(name)["billed_ms"].as_f64().unwrap() / 1000.0 * gb * 1e6;
    let expected =
        (0.9 * gb_seconds("Web", 0.5) + 0.1 * gb_seconds("LambdaFunctionOverHttps", 0.125)) * 0.000_016_666_7;
    let lines = load_["cost"]["lines"].as_array().unwrap();
    let duration = lines.iter().find(|line| line["meter"] == "lambda_x86_64").unwrap();
    assert!((duration["usd"].as_f64().unwrap() - expected).abs() < 1e-6, "{done}");
    let shown = load(&lab, &[]).run().succeeds();
    for table in ["in Web ", "in LambdaFunctionOverHttps "] {
        assert!(shown.stdout.contains(table), "{shown}");
    }
}
