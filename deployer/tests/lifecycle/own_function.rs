//! A function that is not the lab's: its errors have the statuses that its manifest declares, and its own request proves the
//! stack.

use serde_json::{Value, json};
use support::lab::Lab;
use support::proxy::mutating;

/// Fails as the event says, and otherwise greets.
const ANSWER: &str = r#"("error", {"errorType": "Failure", "errorMessage": event["fail"]}) if "fail" in event \
        else ("response", {"greeting": "hello"})"#;

const FUNCTION: &str = r#"
[functions.Greeter]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
"#;

const ROUTES: &str = r#"
[[api.routes]]
method = "POST"
path = "/greetings"
function = "Greeter"

[[api.routes]]
method = "GET"
path = "/greetings/{name}"
function = "Greeter"
"#;

fn declare(lab: &Lab, api: &str) {
    lab.project.write("stack.toml", &format!("{FUNCTION}{api}{ROUTES}"));
}

fn greeter(api: &str) -> Lab {
    let lab = Lab::new();
    lab.project.set_answer(ANSWER);
    declare(&lab, api);
    lab
}

/// The status of an error with this message.
fn status_of(lab: &Lab, url: &str, message: &str) -> u16 {
    lab.lookup().post(url, &json!({ "fail": message }).to_string()).0
}

#[test]
fn an_error_is_never_answered_as_a_success_unless_the_manifest_says_so() {
    let lab = greeter("");
    let up = lab.deployer(&["up"]).run().succeeds();
    let url = up.last_line().to_owned();
    assert_eq!(lab.lookup().post(&url, "{}"), (200, r#"{"greeting": "hello"}"#.to_owned()));
    for message in ["no such name", "line one\nline two", "An error occurred (ResourceNotFoundException) x"] {
        assert_eq!(status_of(&lab, &url, message), 500, "{message}");
    }
    declare(&lab, "[api.error-responses]\n404 = 'no such .*'\n422 = 'line (\\n|.)*'\n");
    let _ = lab.deployer(&["up"]).run().succeeds();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    assert_eq!(status_of(&lab, &url, "no such name"), 404);
    assert_eq!(status_of(&lab, &url, "line one\nline two"), 422);
    assert_eq!(status_of(&lab, &url, "something else"), 200, "what no pattern matches");
    declare(&lab, "[api]\nerror-responses = {}\n");
    let _ = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(status_of(&lab, &url, "no such name"), 200);
}

#[test]
fn a_stack_without_a_proof_says_what_to_declare() {
    let lab = greeter("");
    let up = lab.deployer(&["up"]).run().succeeds();
    let why = r#"[api] declares no proof, like proof = { path = "/greetings/1" }"#;
    assert!(up.stderr.contains(&format!("The URL was not asked: {why}.")), "{up}");
    assert!(lab.proxy.take_invocations().is_empty(), "{up}");
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(status.stdout.contains(&format!("The URL, which was not asked ({why}):")), "{status}");
    let document = lab.deployer(&["status", "--output", "json"]).run().succeeds().json();
    assert_eq!(document["answers"], Value::Null);
}

/// Nothing is sent that only the lab's function understands.
#[test]
fn what_only_the_labs_function_understands_is_refused() {
    let lab = greeter("");
    let _ = lab.deployer(&["up"]).run().succeeds();
    let _ = lab.proxy.take_calls();
    let invoke = lab.deployer(&["invoke", "ping"]).run().exits(2);
    let said = "ping would be an operation of the lab's function, and the function Greeter is not the lab's";
    assert!(invoke.stderr.contains(said), "{invoke}");
    assert!(invoke.stderr.contains(&format!("`deployer invoke event.json {}`", lab.flags())), "{invoke}");
    assert!(lab.proxy.take_calls().is_empty());
    for (command, flags) in [("load", ""), ("tune", " --function Greeter")] {
        let words: Vec<&str> = [command].into_iter().chain(flags.split_whitespace()).collect();
        let refused = lab.deployer(&words).run().exits(2);
        assert!(
            refused.stderr.contains("no route that is asked leads to it: POST /greetings, GET"),
            "{refused}"
        );
        let hint = format!("run `deployer {command} {}{flags} --mix mix.toml`.", lab.flags());
        assert!(refused.stderr.contains(&hint), "{refused}");
    }
    assert!(lab.proxy.take_invocations().is_empty());
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    let sent = lab.deployer(&["invoke", r#"{"operation":"ping"}"#]).run().succeeds();
    assert_eq!(sent.stdout, r#"{"greeting": "hello"}"#);
}

#[test]
fn the_declared_proof_is_asked_and_a_wrong_answer_fails() {
    let lab = greeter("[api]\nproof = { path = \"/greetings/7\", expect = \"hello\" }\n");
    let up = lab.deployer(&["up"]).run().succeeds();
    let url = up.last_line().to_owned();
    assert!(url.ends_with("/greetings/7"), "{up}");
    assert!(up.stderr.contains(&format!("Try: curl -X GET '{url}'\n")), "{up}");
    assert!(!lab.proxy.take_invocations().is_empty());
    let status = lab.deployer(&["status", "--exit-code"]).run().succeeds();
    assert!(status.stdout.contains("The URL answers:"), "{status}");

    declare(&lab, "[api]\nproof = { path = \"/greetings/7\", expect = \"good bye\" }\n");
    let refused = lab.deployer(&["up", "--timeout", "5s"]).run().exits(1);
    let said = format!("{url} does not answer as it should; it says: HTTP 200 {{\"greeting\": \"hello\"}}");
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(refused.stderr.contains("hint: The key proof of [api] in the manifest says"), "{refused}");
    let status = lab.deployer(&["status", "--exit-code"]).run().exits(4);
    assert!(status.stdout.contains("The URL does not answer as it should; it says: HTTP 200"), "{status}");

    let failing = r#"proof = { path = "/greetings", body = '{"fail": "broken"}' }"#;
    declare(&lab, &format!("[api]\n{failing}\n"));
    let refused = lab.deployer(&["up", "--timeout", "5s"]).run().exits(1);
    assert!(refused.stderr.contains("it says: HTTP 500 "), "{refused}");
}
