//! The binary in a real terminal: what others wrote cannot steer it, progress leaves it clean, and Ctrl-C and answers are heard.

use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use support::aws::ACCOUNT;
use support::lab::Lab;
use support::proxy::{At, Moment, mutating};
use support::terminal::Ended;

const FUNCTION: &str = "LambdaFunctionOverHttps";

/// Clears the screen in two ways, turns the direction of writing, hides, and sets the title.
const HOSTILE: &str = "\u{1b}[2J\u{9b}2J\u{202e}a\u{200b}b\u{2066}\u{feff}\u{1b}]0;title\u{7}";

const SHOWN: &str = r"\u{1b}[2J\u{9b}2J\u{202e}a\u{200b}b\u{2066}\u{feff}\u{1b}]0;title\u{7}";

fn is_harmless(ended: &Ended) {
    assert_eq!(ended.screen.unexpected, [""; 0], "{}", ended.written);
    assert!(ended.screen.is_ready_for_a_prompt(), "{:?}", ended.written);
}

/// What was written, without the ends of lines that the terminal's width makes.
fn joined(ended: &Ended) -> String {
    ended.screen.lines().concat()
}

#[test]
fn what_stands_in_aws_does_not_reach_the_terminal_raw() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let aws = lab.lookup();
    let path = format!("/2015-03-31/functions/{FUNCTION}/configuration");
    aws.rest("lambda", "PUT", &path, &json!({ "Description": HOSTILE }));
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{FUNCTION}");
    let tags = json!({ "Tags": { "deployer:role-id": HOSTILE } });
    aws.rest("lambda", "POST", &format!("/2017-03-31/tags/{arn}"), &tags);
    for (verb, code) in [("plan", 0), ("status", 0)] {
        let ended = lab.deployer(&[verb]).in_terminal().wait().exits(code);
        is_harmless(&ended);
        let text = joined(&ended);
        assert!(text.contains("description") && text.contains("deployer:role-id"), "{text}");
        assert_eq!(text.matches(SHOWN).count(), 2, "{text}");
        assert!(ended.screen.colours > 0, "{}", ended.written);
    }
    let group = format!("/aws/lambda/{FUNCTION}");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let stream = json!({ "logGroupName": group, "logStreamName": "2026/01/01/[$LATEST]hostile" });
    aws.logs("CreateLogStream", &stream);
    let mut events: Value = stream;
    events["logEvents"] = json!([{ "timestamp": u64::try_from(now).unwrap(), "message": HOSTILE }]);
    aws.logs("PutLogEvents", &events);
    let ended = lab.deployer(&["logs"]).in_terminal().wait().exits(0);
    is_harmless(&ended);
    assert!(joined(&ended).contains(SHOWN), "{}", ended.written);
}

#[test]
fn up_shows_its_progress_and_leaves_the_terminal_clean() {
    let lab = Lab::new();
    let ended = lab.deployer(&["up"]).in_terminal().wait().exits(0);
    is_harmless(&ended);
    // Lines that were drawn over, each more than once.
    for (text, least) in [("looking", 2), ("\u{1b}[2K", 5), ("creating", 2)] {
        assert!(ended.written.matches(text).count() >= least, "{text}: {:?}", ended.written);
    }
    let lines = ended.screen.lines();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    let done: Vec<&String> = lines.iter().filter(|line| line.trim_start().starts_with('✓')).collect();
    assert!(done.iter().any(|line| line.contains("function") && line.contains("created")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("creating") || line.contains("looking")), "{lines:#?}");
    assert!(lines.last().is_some_and(|line| line.starts_with("http")), "{lines:#?}");
}

#[test]
fn ctrl_c_ends_up_in_order_and_the_next_one_finishes() {
    let lab = Lab::new();
    let up = lab.deployer(&["up"]).in_terminal();
    let keyboard = up.keyboard();
    let press = move || {
        keyboard.press("\u{3}");
        // The answer is held back until the signal has arrived.
        support::pause(Duration::from_secs(2));
    };
    lab.proxy.on_call(At::operation("CreateFunction", 1), Moment::Before, press);
    let ended = up.wait().exits(3);
    is_harmless(&ended);
    assert!(ended.written.contains("interrupted") && ended.written.contains("what stands now"), "{ended:?}");
    assert!(!lab.proxy.take_calls().iter().any(|call| call.operation == "CreateDeployment"), "{ended:?}");
    let ended = lab.deployer(&["up"]).in_terminal().wait().exits(0);
    is_harmless(&ended);
    assert!(lab.deployer(&["up"]).run().succeeds().stderr.contains("Everything is as declared."));
}

#[test]
fn down_asks_and_no_changes_nothing() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let before = lab.lookup().tags();
    lab.proxy.take_calls();
    for answer in ["no\n", "\n", "\u{3}"] {
        let down = lab.deployer(&["down"]).in_terminal();
        down.wait_for_text("[y/N]");
        down.press(answer);
        let ended = down.wait().exits(1);
        assert_eq!(ended.screen.unexpected, [""; 0], "{}", ended.written);
        assert!(ended.screen.cursor, "{}", ended.written);
        assert!(ended.written.contains("Nothing was changed."), "{}", ended.written);
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    assert_eq!(lab.lookup().tags(), before);
}
