//! Bad input: refused at once, with exit code 2, and with what to write instead.

use crate::{deployer, folder, shown};
use clap::Parser as _;
use deployer::cli::{Cli, Command};
use std::path::Path;
use std::time::Duration;

fn refused(folder: &Path, args: &[&str]) -> String {
    let done = deployer(folder, args).run().exits(2);
    assert!(done.took < Duration::from_secs(2), "nobody is asked: {done}");
    assert_eq!(done.stdout, "", "{done}");
    shown(&done)
}

/// The same where stdout is to be a document.
fn refused_with_document(folder: &Path, args: &[&str]) -> String {
    let done = deployer(folder, args).run().exits(2);
    assert!(done.json()["error"]["message"].is_string(), "{done}");
    done.stderr
}

#[test]
fn an_unknown_verb() {
    insta::assert_snapshot!(refused(folder().path(), &["upp"]));
}

#[test]
fn an_unknown_flag() {
    insta::assert_snapshot!(refused(folder().path(), &["up", "--fast"]));
}

#[test]
fn no_verb_shows_the_help() {
    let done = deployer(folder().path(), &[]).run().exits(2);
    assert!(done.stderr.contains("Usage: deployer [OPTIONS] <COMMAND>"), "{done}");
}

#[test]
fn two_flags_that_contradict_each_other() {
    insta::assert_snapshot!(refused(folder().path(), &["down", "--keep-table", "--delete-data"]));
}

#[test]
fn a_time_that_is_none() {
    insta::assert_snapshot!(refused(folder().path(), &["up", "--timeout", "10x"]));
}

#[test]
fn an_env_that_fits_no_name() {
    insta::assert_snapshot!(refused(folder().path(), &["up", "--env", "my_copy"]));
}

#[test]
fn an_event_that_is_no_file() {
    insta::assert_snapshot!(refused(folder().path(), &["invoke", "event.json"]));
}

#[test]
fn a_payload_that_is_no_json() {
    insta::assert_snapshot!(refused(folder().path(), &["invoke", "echo", "{\"key\": value}"]));
}

#[test]
fn a_payload_may_be_a_negative_number_and_flags_go_on_after_it() {
    let done = deployer(folder().path(), &["invoke", "echo", "-1.5", "--function", "other"]).run().exits(2);
    assert!(done.stderr.starts_with("error: the stack has no function other\n"), "{done}");
}

#[test]
fn a_function_that_is_not_declared() {
    insta::assert_snapshot!(refused(folder().path(), &["invoke", "ping", "--function", "other"]));
}

#[test]
fn one_of_several_functions() {
    let folder = folder();
    let manifest =
        "[functions.a]\n[functions.b]\n[[api.routes]]\nmethod = \"GET\"\npath = \"/\"\nfunction = \"a\"\n";
    std::fs::write(folder.path().join("stack.toml"), manifest).unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["invoke", "ping"]));
    insta::assert_snapshot!(refused(folder.path(), &["invoke", "ping", "--function", "a", "--via", "api"]));
}

#[test]
fn a_memory_setting_out_of_range() {
    insta::assert_snapshot!(refused(folder().path(), &["tune", "--memory", "128,20480"]));
}

#[test]
fn values_of_a_list_may_have_spaces_between_them() {
    let line = ["deployer", "tune", "--memory", "128, 256", "--architectures", "x86_64, arm64"];
    let Command::Tune(tune) = Cli::try_parse_from(line).unwrap().command else { panic!("other") };
    assert_eq!((tune.memory, tune.architectures.len()), (vec![128, 256], 2));
}

#[test]
fn what_cloudwatch_logs_would_refuse_is_refused_at_once() {
    let folder = folder();
    let cases: [(&[&str], &str); 3] = [
        (&["--filter", "user@example.com"], "write \"user@example.com\", quotes included"),
        (&["--filter", &"x".repeat(1025)], "CloudWatch Logs takes 1024 characters, and these are 1025"),
        (&["--request-id", "a\" ?\"b"], "an id like 8fc6f963-411b-58b5-8483-a32130c0f45d is expected"),
    ];
    for (args, expected) in cases {
        let done = deployer(folder.path(), &["logs"]).args(args).run().exits(2);
        assert!(done.stderr.contains(expected), "{done}");
    }
}

#[test]
fn one_setting_is_no_choice() {
    insta::assert_snapshot!(refused(folder().path(), &["tune", "--memory", "128,128"]));
}

#[test]
fn a_zip_for_another_processor() {
    let folder = folder();
    let manifest = "[functions.f]\nzip = \"f.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\n";
    std::fs::write(folder.path().join("stack.toml"), manifest).unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["tune", "--architectures", "x86_64,arm64"]));
}

#[test]
fn a_log_without_end_is_no_document() {
    insta::assert_snapshot!(refused_with_document(
        folder().path(),
        &["logs", "--follow", "--output", "json"]
    ));
}

#[test]
fn a_pattern_may_begin_with_a_minus() {
    let line = ["deployer", "logs", "--filter", "-DEBUG -TRACE", "-f", "--since", "1h"];
    let Command::Logs(logs) = Cli::try_parse_from(line).unwrap().command else { panic!("other") };
    assert_eq!(logs.filter.as_deref(), Some("-DEBUG -TRACE"));
    assert_eq!((logs.follow, logs.since), (true, Duration::from_hours(1)));
}

#[test]
fn local_never_leaves_this_machine() {
    let args = ["up", "--local", "--endpoint-url", "https://dynamodb.us-east-1.amazonaws.com"];
    insta::assert_snapshot!(refused(folder().path(), &args));
}

#[test]
fn a_manifest_that_is_not_there() {
    insta::assert_snapshot!(refused(folder().path(), &["plan", "--manifest", "other.toml"]));
}

#[test]
fn a_manifest_with_an_unknown_key() {
    let folder = folder();
    std::fs::write(folder.path().join("stack.toml"), "[functions.f]\nmemroy = 256\n").unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["plan"]));
}

#[test]
fn a_manifest_with_a_value_of_the_wrong_type() {
    let folder = folder();
    std::fs::write(folder.path().join("stack.toml"), "[functions.f]\nmemory = \"big\"\n").unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["plan"]));
}

#[test]
fn a_manifest_that_is_no_toml() {
    let folder = folder();
    std::fs::write(folder.path().join("stack.toml"), "name = \n").unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["plan"]));
}
