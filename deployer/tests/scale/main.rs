//! Stacks of some size: within the quotas of AWS's control planes, and as quiet afterwards as the lab.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use support::aws::items;
use support::lab::Lab;
use support::proxy::{Behaviour, Call, mutating, operations, quotas_of};

const FUNCTIONS: [&str; 5] = ["orders", "items", "people", "search", "admin"];
const TABLES: [&str; 3] = ["orders", "items", "people"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// 3 tables, 5 functions, 40 routes on paths of several levels, and the one that proves the stack.
fn manifest() -> String {
    let mut text = String::from("name = \"shop\"\n");
    for table in TABLES {
        writeln!(text, "[tables.shop-{table}]\nsort-key = {{ name = \"at\", type = \"N\" }}").unwrap();
    }
    for function in FUNCTIONS {
        writeln!(
            text,
            "[functions.shop-{function}]\nzip = \"handler.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\n\
             role = \"shop-{function}-role\"\nenvironment = {{ PART = \"{function}\" }}"
        )
        .unwrap();
    }
    text.push_str("[api]\nname = \"shop\"\n");
    for function in FUNCTIONS {
        for method in METHODS {
            for path in [format!("/{function}/{{id}}"), format!("/{function}/{{id}}/parts/{{part}}")] {
                let integration = if method == "GET" { "aws-proxy" } else { "aws" };
                writeln!(
                    text,
                    "[[api.routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nfunction = \"shop-{function}\"\n\
                     integration = \"{integration}\""
                )
                .unwrap();
            }
        }
    }
    text
}

#[test]
fn a_stack_of_forty_routes_goes_up_within_the_quotas_and_is_quiet_then() {
    let lab = Lab::new();
    lab.project.write("stack.toml", &manifest());
    // Roles that are not there yet and functions that are not ready make calls that are repeated.
    let (role, function) = (Duration::from_secs(3), Duration::from_secs(1));
    lab.proxy.behave(Behaviour { quotas: true, role, function, ..Behaviour::default() });
    let up = lab.deployer(&["up"]).run().succeeds();
    let calls = lab.proxy.take_calls();
    let refused: Vec<String> =
        calls.iter().filter(|call| call.status.is_none_or(|s| s >= 400)).map(ToString::to_string).collect();
    let throttled: Vec<&String> = refused.iter().filter(|call| call.contains("  429 ")).collect();
    assert_eq!(throttled, Vec::<&String>::new(), "{up}");
    let made = mutating(calls);
    let count = |name: &str| operations(&made).iter().filter(|operation| **operation == name).count();
    assert_eq!((count("CreateTable"), count("AddPermission")), (3, 40));
    assert!(count("CreateFunction") > 5, "the roles were not there at once");
    assert_eq!((count("CreateRestApi"), count("PutRestApi"), count("CreateDeployment")), (1, 1, 1));
    assert_eq!(methods(&lab), 40);

    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    let again = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(again.last_line(), up.last_line());
    let calls = lab.proxy.take_calls();
    assert!(calls.iter().all(|call| call.status != Some(429)));
    assert!(mutating(calls).is_empty());

    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(lab.lookup().everything().is_empty());
    assert!(lab.proxy.take_calls().iter().all(|call| call.status != Some(429)));
}

/// 100 functions with a role each, 280 routes and 20 tables.
fn large_manifest() -> String {
    let mut text = String::from("name = \"large\"\n");
    for table in 0..20 {
        writeln!(text, "[tables.table-{table}]").unwrap();
    }
    for function in 0..100 {
        let table = function % 20;
        writeln!(
            text,
            "[functions.f{function}]\nzip = \"handler.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\n\
             role = \"f{function}-role\"\ntables = [\"table-{table}\"]"
        )
        .unwrap();
    }
    text.push_str("[api]\nname = \"large\"\n");
    for route in 0..280 {
        let (function, method) = (route % 100, METHODS[route / 100]);
        let route = format!("method = \"{method}\"\npath = \"/f{function}\"\nfunction = \"f{function}\"");
        writeln!(text, "[[api.routes]]\n{route}").unwrap();
    }
    text
}

/// How long these calls take at least, in seconds, if every quota is used to the last call.
fn least_time(calls: &[Call]) -> f64 {
    let mut counts: BTreeMap<&str, (u32, f64)> = BTreeMap::new();
    for call in calls {
        for (name, most, seconds) in quotas_of(&call.service, &call.operation) {
            let rate = f64::from(u32::try_from(most).unwrap()) / seconds;
            let (count, _) = counts.entry(name).or_insert((0, rate));
            *count += 1;
        }
    }
    counts.values().map(|(count, rate)| f64::from(*count) / rate).fold(0.0, f64::max)
}

#[test]
#[ignore = "takes some minutes: cargo test -p deployer --test scale -- --ignored"]
fn a_stack_of_a_hundred_functions_is_planned_as_fast_as_the_quotas_allow() {
    let lab = Lab::new();
    lab.project.write("stack.toml", &large_manifest());
    lab.proxy.behave(Behaviour { quotas: true, role: Duration::from_secs(3), ..Behaviour::default() });
    let up = lab.deployer(&["up", "--timeout", "20m"]).run().succeeds();
    let calls = lab.proxy.take_calls();
    println!("up: {:?}, {} calls, at least {:.1} s", up.took, calls.len(), least_time(&calls));
    assert!(!up.stderr.contains("call rate limit"), "{up}");
    support::pause(Duration::from_secs(2));

    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    let calls = lab.proxy.take_calls();
    let refused: Vec<String> = calls
        .iter()
        .filter(|call| call.status.is_none_or(|s| s == 400 || s == 429))
        .map(ToString::to_string)
        .collect();
    println!("plan: {:?}, {} calls, at least {:.1} s", plan.took, calls.len(), least_time(&calls));
    assert_eq!(refused, [""; 0]);
    assert!(plan.took.as_secs_f64() < least_time(&calls) + 2.0, "{:?}", plan.took);
}

fn methods(lab: &Lab) -> usize {
    let get = |path: &str| lab.lookup().rest("apigateway", "GET", path, &Value::Null);
    let api = get("/restapis")["item"][0]["id"].as_str().unwrap().to_owned();
    let resources = items(&get(&format!("/restapis/{api}/resources?embed=methods&limit=500"))["item"]);
    let methods = |resource: &Value| resource["resourceMethods"].as_object().map_or(0, serde_json::Map::len);
    resources.iter().map(methods).sum()
}
