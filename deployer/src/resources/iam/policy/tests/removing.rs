//! Deleting a policy.

use super::*;
use aws_sdk_iam::operation::delete_policy::DeletePolicyOutput;
use aws_sdk_iam::operation::delete_policy_version::DeletePolicyVersionOutput;
use aws_sdk_iam::operation::detach_role_policy::DetachRolePolicyOutput;

fn detached() -> Rule {
    mock!(Client::detach_role_policy)
        .match_requests(|request| request.role_name() == Some("lab-role"))
        .then_output(|| DetachRolePolicyOutput::builder().build())
}

fn deleted() -> Rule {
    mock!(Client::delete_policy).then_output(|| DeletePolicyOutput::builder().build())
}

fn version_gone(id: &'static str) -> Rule {
    mock!(Client::delete_policy_version)
        .match_requests(move |request| request.version_id() == Some(id))
        .sequence()
        .output(|| DeletePolicyVersionOutput::builder().build())
        .build()
}

fn still_attached() -> HttpResponse {
    wire::xml(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
}

async fn removed(seen: &Observed, rules: Vec<Rule>) -> (World, Result<Outcome>) {
    let world = World::new().with_iam(&[present(seen), rules].concat());
    let record = world.remove(Mode::Apply, &policy()).await;
    (world, record.result)
}

#[tokio::test(start_paused = true)]
async fn it_is_detached_and_goes_after_all_versions_but_the_default() {
    let versions = vec![version("v3", false), version("v2", true), version("v1", false)];
    let rules = vec![detached(), version_gone("v3"), version_gone("v1"), deleted()];
    let (world, result) = removed(&Observed { versions, ..seen() }, rules).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(
        world.mutations(),
        ["DetachRolePolicy", "DeletePolicyVersion", "DeletePolicyVersion", "DeletePolicy"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_attached_to_nobody_is_not_detached() {
    let loose = Observed { attached: Vec::new(), ..seen() };
    let (world, result) = removed(&loose, vec![deleted()]).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeletePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_after_detaching_passes() {
    let conflict = mock!(Client::delete_policy).sequence().http_response(still_attached).times(3).build();
    let (world, result) = removed(&seen(), vec![detached(), conflict, deleted()]).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), ["IAM to know what was just detached"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_stays_ends_with_iams_last_answer() {
    let conflict = mock!(Client::delete_policy).then_http_response(still_attached);
    let bare = Observed { attached: Vec::new(), ..seen() };
    let (_, result) = removed(&seen(), [vec![detached(), conflict], shown(9, &bare)].concat()).await;
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("gave up after "), "{error}");
    assert!(error.ends_with("DeleteConflict: Cannot delete a policy attached to entities."), "{error}");
}

/// `up` ran meanwhile, here and on another machine.
#[tokio::test(start_paused = true)]
async fn what_another_run_attaches_meanwhile_is_detached_again_and_its_versions_go() {
    let conflict = mock!(Client::delete_policy).sequence().http_response(still_attached).times(12).build();
    let bare = Observed { attached: Vec::new(), ..seen() };
    let again = Observed { versions: vec![version("v2", true), version("v1", false)], ..seen() };
    let rules = vec![detached(), conflict, version_gone("v1"), deleted()];
    let (world, result) = removed(&seen(), [rules, shown(1, &again), shown(9, &bare)].concat()).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    let tries: Vec<String> = world.mutations().into_iter().filter(|call| call != "DeletePolicy").collect();
    assert_eq!(tries, ["DetachRolePolicy", "DetachRolePolicy", "DeletePolicyVersion"]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_attaches_meanwhile_ends_the_wait() {
    let conflict = mock!(Client::delete_policy).then_http_response(still_attached);
    let theirs = Observed { attached: vec![role_named("other")], ..seen() };
    let begun = tokio::time::Instant::now();
    let (_, result) = removed(&seen(), [vec![detached(), conflict], shown(1, &theirs)].concat()).await;
    assert_eq!(result.unwrap_err().to_string(), "it is attached to role other, which is not of this stack");
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_is_success() {
    let versions = vec![version("v2", true), version("v1", false)];
    let rules = vec![
        mock!(Client::detach_role_policy).then_http_response(no_such),
        mock!(Client::delete_policy_version).then_http_response(no_such),
        mock!(Client::delete_policy).then_http_response(no_such),
    ];
    let (_, result) = removed(&Observed { versions, ..seen() }, rules).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);

    let world = World::new().with_iam(&absent(1));
    assert_eq!(world.remove(Mode::Apply, &policy()).await.result.unwrap(), Outcome::Absent);
}

#[tokio::test(start_paused = true)]
async fn what_else_uses_it_is_told_before_anything_is_deleted() {
    let attached = vec![role_named("lab-role"), role_named("other")];
    let world = World::new().with_iam(&present(&Observed { attached, ..seen() }));
    let record = world.remove(Mode::Plan, &policy()).await;
    assert_eq!(record.changes, [Change::Delete]);
    let blockers = record.found.unwrap().blockers;
    assert_eq!(blockers, ["is attached to role other, which is not of this stack"]);
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_our_tags_stays() {
    let (world, result) = removed(&Observed { tags: Tags::new(), ..seen() }, Vec::new()).await;
    let why = "not of this stack: it carries no ownership tag".to_owned();
    assert_eq!(result.unwrap(), Outcome::Kept { why });
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_at_every_call() {
    let throttled = || wire::xml(400, "Throttling", "Rate exceeded");
    let once = vec![
        mock!(Client::detach_role_policy).sequence().http_response(throttled).build(),
        mock!(Client::delete_policy_version).sequence().http_response(throttled).build(),
        mock!(Client::delete_policy).sequence().http_response(throttled).build(),
    ];
    let versions = vec![version("v2", true), version("v1", false)];
    let rules = [once, vec![detached(), version_gone("v1"), deleted()]].concat();
    let (world, result) = removed(&Observed { versions, ..seen() }, rules).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), ["AWS's call rate limit"; 3]);
}
