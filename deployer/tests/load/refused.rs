//! What is not loaded, and what the stack turns away.

use support::lab::Lab;

#[test]
fn a_stack_that_is_not_up_is_not_loaded() {
    let lab = Lab::new();
    let done = lab.deployer(&["load"]).run().exits(1);
    let hint = format!(
        "is not up, so that there is no URL to load\n\nhint: Run `deployer up {}` first.",
        lab.flags()
    );
    assert!(done.stderr.contains(&hint), "{done}");
    assert!(lab.proxy.take_invocations().is_empty());
}

/// Another stack's API has the name, and this one has none.
#[test]
fn nobody_elses_api_is_loaded() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.project.write(
        "other.toml",
        &std::fs::read_to_string(lab.project.manifest()).unwrap().replacen('\n', "\nname = \"other\"\n", 1),
    );
    lab.proxy.take_invocations();
    let done = lab.deployer_of(&lab.project.folder().join("other.toml"), &["load"]).run().exits(1);
    assert!(done.stderr.contains("error: "), "{done}");
    assert!(lab.proxy.take_invocations().is_empty(), "{done}");
}

#[test]
fn a_mix_that_leads_elsewhere_is_refused_before_anything_is_sent() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.proxy.take_invocations();
    let mix = lab.project.folder().join("mix.toml");
    let request = |path: &str, body: &str| {
        format!("[[requests]]\nname = \"a\"\nshare = 1\npath = \"{path}\"\nbody = \"{body}\"\n")
    };
    let cases: [(String, &[&str], &str); 4] = [
        (
            request("/other", ""),
            &[],
            "request a: the stack has no route POST /other; it has POST /DynamoDBManager",
        ),
        (request("/DynamoDBManager", "{{id}}"), &["--cleanup"], "cannot take back what the request a makes"),
        (request("/DynamoDBManager", ""), &["--route", "/nowhere"], "the stack has no route /nowhere"),
        (request("/DynamoDBManager", ""), &["--function", "nobody"], "the stack has no function nobody"),
    ];
    for (text, more, expected) in cases {
        std::fs::write(&mix, text).unwrap();
        let done = lab.deployer(&["load", "--mix"]).arg(&mix).args(more).run().exits(2);
        assert!(done.stderr.contains(expected), "{done}");
    }
    // It would be read while a signal waits for the step to end.
    std::fs::remove_file(&mix).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&mix).status().unwrap().success());
    let done = lab.deployer(&["load", "--mix"]).arg(&mix).run().exits(2);
    assert!(done.stderr.contains("mix.toml: it is a named pipe, and only regular files are read"), "{done}");
    assert!(lab.proxy.take_invocations().is_empty());
}

#[test]
fn what_the_stage_turns_away_is_warned_of_and_counted_apart() {
    let lab = Lab::new();
    lab.project.declare("\n[api]\nthrottle = { rate = 5, burst = 5 }\n");
    let _ = lab.deployer(&["up"]).run().succeeds();
    let args =
        ["load", "--rate", "40", "--duration", "3s", "--warmup", "0s", "--mix", "ping=1", "--output", "json"];
    let done = lab.deployer(&args).run().succeeds();
    assert!(done.stderr.contains("warning: the stage lets 5 requests a second through (burst 5)"), "{done}");
    let load = &done.json()["load"];
    let count = |name: &str| load["counts"][name].as_u64().unwrap();
    assert_eq!(count("sent"), 120, "{done}");
    assert_eq!(count("ok") + count("throttled"), 120, "{done}");
    assert!(count("throttled") > 60, "{done}");
    let measured: u64 =
        load["blocks"].as_array().unwrap().iter().map(|block| block["ok"].as_u64().unwrap()).sum();
    assert_eq!(measured, count("ok"), "{done}");
}

/// The stage lets so little through that deletions of what was turned away would take what the others need.
#[test]
fn what_the_stage_turned_away_is_not_cleaned_up() {
    let lab = Lab::new();
    lab.project.declare("\n[api]\nthrottle = { rate = 5, burst = 5 }\n");
    let _ = lab.deployer(&["up"]).run().succeeds();
    let args =
        ["load", "--rate", "60", "--duration", "3s", "--warmup", "0s", "--mix", "create=1", "--cleanup"];
    lab.proxy.take_invocations();
    let done = lab.deployer(&args).args(["--output", "json"]).run().succeeds();
    let counts = &done.json()["load"]["counts"];
    let (ok, throttled) = (counts["ok"].as_u64().unwrap(), counts["throttled"].as_u64().unwrap());
    assert_eq!(ok + throttled, 180, "{done}");
    assert!(done.stderr.contains(&format!("{ok} items of this run were deleted again")), "{done}");
    let answered = lab.proxy.take_invocations();
    let well = answered.iter().filter(|one| one.status == Some(200)).count() as u64;
    assert_eq!(well, 1 + ok + ok, "the look, the load, the deletions: {done}");
    assert!((answered.len() as u64) < 181 + throttled, "{} requests: {done}", answered.len());
}

#[test]
fn a_url_that_answers_nothing_right_ends_the_load_before_it_begins() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab.project.declare("");
    // Nobody may invoke the function any more.
    let delete = "/2015-03-31/functions/LambdaFunctionOverHttps";
    lab.lookup().rest("lambda", "DELETE", delete, &serde_json::Value::Null);
    let done = lab.deployer(&["load"]).run().exits(1);
    assert!(done.stderr.contains("does not answer as it should"), "{done}");
    assert!(done.stderr.contains("Nothing was sent."), "{done}");
}

#[test]
fn a_result_that_has_no_place_is_refused_before_anything_is_sent() {
    let lab = Lab::new();
    for more in [["--json", "/nowhere/x.json"], ["--html", "/nowhere/x.html"]] {
        let done = lab.deployer(&[&["load"], &more[..]].concat()).run().exits(1);
        assert!(done.stderr.contains(&format!("cannot write {}: ", more[1])), "{done}");
    }
    assert!(lab.proxy.take_calls().is_empty());
}
