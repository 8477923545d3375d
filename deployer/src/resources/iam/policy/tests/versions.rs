//! A changed document becomes the default version. IAM keeps five, and gives each call a new one.

use super::*;
use aws_sdk_iam::operation::create_policy_version::CreatePolicyVersionOutput;
use aws_sdk_iam::operation::delete_policy_version::DeletePolicyVersionOutput;
use aws_sdk_iam::operation::set_default_policy_version::SetDefaultPolicyVersionOutput;

fn stale() -> Value {
    json!({"Version": "2012-10-17", "Statement": []})
}

/// The policy with another document in force than declared.
fn drifted(versions: &[(&str, bool)]) -> Observed {
    let versions = versions.iter().map(|(id, is_default)| version(id, *is_default)).collect();
    Observed { document: stale(), versions, ..seen() }
}

fn new_version() -> Rule {
    mock!(Client::create_policy_version)
        .match_requests(|request| {
            request.set_as_default() == Some(true)
                && request.policy_document() == Some(&document().to_string())
        })
        .then_output(|| CreatePolicyVersionOutput::builder().build())
}

fn pruned(id: &'static str) -> Rule {
    mock!(Client::delete_policy_version)
        .match_requests(move |request| request.version_id() == Some(id))
        .then_output(|| DeletePolicyVersionOutput::builder().build())
}

async fn applied(rules: Vec<Rule>) -> (World, Result<Outcome>) {
    let world = World::new().with_iam(&rules);
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    (world, record.result)
}

#[tokio::test(start_paused = true)]
async fn a_changed_document_becomes_the_default_version() {
    let (world, result) = applied([present(&drifted(&[("v1", true)])), vec![new_version()]].concat()).await;
    assert_eq!(result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["CreatePolicyVersion"]);
}

#[tokio::test(start_paused = true)]
async fn of_five_versions_the_oldest_that_is_not_in_force_makes_room_first() {
    let full: [(&[(&str, bool)], &'static str); 4] = [
        (&[("v9", true), ("v8", false), ("v7", false), ("v6", false), ("v5", false)], "v5"),
        (&[("v9", false), ("v8", false), ("v7", false), ("v6", false), ("v5", true)], "v6"),
        (&[("v8", true), ("v9", false), ("v10", false), ("v11", false), ("v12", false)], "v9"),
        (&[("v12", false), ("v11", false), ("v10", true), ("v9", false), ("v8", false)], "v8"),
    ];
    for (versions, oldest) in full {
        let seen = drifted(versions);
        let others = versions.iter().filter(|(_, is_default)| !is_default);
        let others = others.map(|(id, _)| document_of(id, stale())).collect();
        let (world, result) =
            applied([present(&seen), others, vec![pruned(oldest), new_version()]].concat()).await;
        assert_eq!(result.unwrap(), Outcome::Updated);
        assert_eq!(world.mutations(), ["DeletePolicyVersion", "CreatePolicyVersion"]);
    }
}

#[tokio::test(start_paused = true)]
async fn four_versions_leave_room() {
    let seen = drifted(&[("v4", true), ("v3", false), ("v2", false), ("v1", false)]);
    let others = ["v3", "v2", "v1"].map(|id| document_of(id, stale())).to_vec();
    let (world, result) = applied([present(&seen), others, vec![new_version()]].concat()).await;
    assert_eq!(result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["CreatePolicyVersion"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_says_the_right_thing_already_is_promoted() {
    let seen = drifted(&[("v3", false), ("v2", false), ("v1", true)]);
    let promote = mock!(Client::set_default_policy_version)
        .match_requests(|request| request.version_id() == Some("v2"))
        .then_output(|| SetDefaultPolicyVersionOutput::builder().build());
    let others = vec![document_of("v3", stale()), document_of("v2", document())];
    let (world, result) = applied([present(&seen), others, vec![promote]].concat()).await;
    assert_eq!(result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["SetDefaultPolicyVersion"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_no_second_version_is_made() {
    let lost = || wire::xml(500, "ServiceFailure", "The request processing has failed.");
    let lost = mock!(Client::create_policy_version).sequence().http_response(lost).build();
    let before = present(&drifted(&[("v1", true)]));
    let after = Observed { versions: vec![version("v2", true), version("v1", false)], ..seen() };
    let (world, result) = applied([before, present(&after), vec![lost]].concat()).await;
    assert_eq!(result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["CreatePolicyVersion"]);
}

#[tokio::test(start_paused = true)]
async fn throttling_and_concurrent_changes_are_waited_out_at_every_call() {
    let passing: [fn() -> HttpResponse; 2] = [
        || wire::xml(400, "Throttling", "Rate exceeded"),
        || wire::xml(409, "ConcurrentModification", "The request was rejected; wait a few minutes."),
    ];
    for refused in passing {
        let seen = drifted(&[("v5", true), ("v4", false), ("v3", false), ("v2", false), ("v1", false)]);
        let others = ["v4", "v3", "v2", "v1"].map(|id| document_of(id, stale())).to_vec();
        let once = vec![
            mock!(Client::delete_policy_version).sequence().http_response(refused).build(),
            mock!(Client::create_policy_version).sequence().http_response(refused).build(),
        ];
        let (world, result) =
            applied([present(&seen), others, once, vec![pruned("v1"), new_version()]].concat()).await;
        assert_eq!(result.unwrap(), Outcome::Updated);
        assert_eq!(world.recorder.waits().len(), 2);

        let promoted = || SetDefaultPolicyVersionOutput::builder().build();
        let once = mock!(Client::set_default_policy_version).sequence().http_response(refused);
        let promote = once.output(promoted).build();
        let seen = drifted(&[("v2", false), ("v1", true)]);
        let (world, result) =
            applied([present(&seen), vec![document_of("v2", document()), promote]].concat()).await;
        assert_eq!(result.unwrap(), Outcome::Updated);
        assert_eq!(world.recorder.waits().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_version_is_asked_for_once() {
    let denied = || wire::xml(403, "AccessDenied", "not authorized to perform: iam:CreatePolicyVersion");
    let denied = mock!(Client::create_policy_version).then_http_response(denied);
    let (world, result) = applied([present(&drifted(&[("v1", true)])), vec![denied]].concat()).await;
    assert!(result.unwrap_err().has_code("AccessDenied"));
    assert_eq!(world.mutations(), ["CreatePolicyVersion"]);
}
