//! Deleting a role.

use super::*;
use crate::error::Error;
use aws_sdk_iam::operation::delete_role::DeleteRoleOutput;
use aws_sdk_iam::operation::delete_role_policy::DeleteRolePolicyOutput;
use aws_sdk_iam::operation::detach_role_policy::DetachRolePolicyOutput;
use aws_sdk_iam::operation::list_role_policies::ListRolePoliciesOutput;

fn detached() -> Rule {
    mock!(Client::detach_role_policy).then_output(|| DetachRolePolicyOutput::builder().build())
}

fn no_inline() -> Rule {
    mock!(Client::list_role_policies)
        .then_output(|| ListRolePoliciesOutput::builder().set_policy_names(Some(Vec::new())).build().unwrap())
}

fn deleted() -> Rule {
    mock!(Client::delete_role).then_output(|| DeleteRoleOutput::builder().build())
}

fn still_attached() -> HttpResponse {
    wire::xml(409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
}

/// IAM's first answer, by which the role turns out not to be bare.
fn not_bare() -> Rule {
    mock!(Client::delete_role).sequence().http_response(still_attached).build()
}

async fn removed(rules: Vec<Rule>) -> (World, Result<Outcome, Error>) {
    let world = World::new().with_iam(&[present(seen()), rules].concat());
    let record = world.remove(Mode::Apply, &role()).await;
    (world, record.result)
}

#[tokio::test(start_paused = true)]
async fn everything_goes_that_would_keep_a_role() {
    let page = |name: &'static str, marker: Option<&'static str>, next: Option<&'static str>| {
        mock!(Client::list_role_policies)
            .match_requests(move |request| request.marker() == marker)
            .then_output(move || {
                let page = ListRolePoliciesOutput::builder().policy_names(name);
                page.set_marker(next.map(str::to_owned)).build().unwrap()
            })
    };
    let inline = |name: &'static str| {
        mock!(Client::delete_role_policy)
            .match_requests(move |request| request.policy_name() == Some(name))
            .sequence()
            .output(|| DeleteRolePolicyOutput::builder().build())
            .build()
    };
    let pages = vec![page("one", None, Some("2")), page("two", Some("2"), None)];
    let (world, result) =
        removed([pages, vec![not_bare(), detached(), inline("one"), inline("two"), deleted()]].concat())
            .await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(
        world.mutations(),
        ["DeleteRole", "DetachRolePolicy", "DeleteRolePolicy", "DeleteRolePolicy", "DeleteRole"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_bare_role_goes_in_one_call() {
    let (world, result) = removed(vec![deleted()]).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeleteRole"]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_after_detaching_passes() {
    let conflict = mock!(Client::delete_role).sequence().http_response(still_attached).times(5).build();
    let (world, result) = removed(vec![detached(), no_inline(), conflict, deleted()]).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), ["IAM to know what was just detached"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_stays_ends_with_iams_last_answer() {
    let conflict = mock!(Client::delete_role).then_http_response(still_attached);
    let begun = tokio::time::Instant::now();
    let (_, result) = removed(vec![detached(), no_inline(), conflict]).await;
    let error = result.unwrap_err().to_string();
    assert!((110..=120).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(error.starts_with("gave up after "), "{error}");
    assert!(error.contains(" s of waiting for IAM to know what was just detached: iam:DeleteRole failed: "));
    assert!(
        error.ends_with("DeleteConflict: Cannot delete entity, must detach all policies first."),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_profile_is_not_waited_for() {
    let message = "Cannot delete entity, must remove roles from instance profile first.";
    let conflict =
        mock!(Client::delete_role).then_http_response(move || wire::xml(409, "DeleteConflict", message));
    let (world, result) = removed(vec![detached(), no_inline(), conflict]).await;
    assert!(result.unwrap_err().to_string().ends_with(message));
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_is_success() {
    let rules = vec![
        mock!(Client::detach_role_policy).then_http_response(no_such),
        mock!(Client::list_role_policies).then_http_response(no_such),
        mock!(Client::delete_role).then_http_response(no_such),
    ];
    let (_, result) = removed(rules).await;
    assert_eq!(result.unwrap(), Outcome::Deleted);

    let world = World::new().with_iam(&absent(1));
    assert_eq!(world.remove(Mode::Apply, &role()).await.result.unwrap(), Outcome::Absent);
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn throttling_and_concurrent_changes_are_waited_out_at_every_call() {
    let passing: [fn() -> HttpResponse; 2] = [
        || wire::xml(400, "Throttling", "Rate exceeded"),
        || wire::xml(409, "ConcurrentModification", "The request was rejected; wait a few minutes."),
    ];
    let one_inline = || {
        let names = || ListRolePoliciesOutput::builder().policy_names("one").build().unwrap();
        mock!(Client::list_role_policies).then_output(names)
    };
    let inline_gone =
        || mock!(Client::delete_role_policy).then_output(|| DeleteRolePolicyOutput::builder().build());
    for refused in passing {
        let once = [
            mock!(Client::detach_role_policy).sequence().http_response(refused).build(),
            mock!(Client::delete_role_policy).sequence().http_response(refused).build(),
            not_bare(),
            mock!(Client::delete_role).sequence().http_response(refused).build(),
        ];
        let rules = [once.to_vec(), vec![detached(), one_inline(), inline_gone(), deleted()]].concat();
        let (world, result) = removed(rules).await;
        assert_eq!(result.unwrap(), Outcome::Deleted);
        assert_eq!(world.recorder.waits().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_without_our_tags_stays() {
    let world = World::new().with_iam(&present(Observed { tags: Tags::new(), ..seen() }));
    let record = world.remove(Mode::Apply, &role()).await;
    assert_eq!(
        record.result.unwrap(),
        Outcome::Kept { why: "not of this stack: it carries no ownership tag".to_owned() }
    );
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_denied_deletion_is_asked_for_once() {
    let denied = || wire::xml(403, "AccessDenied", "with an explicit deny in a service control policy");
    let (world, result) = removed(vec![mock!(Client::delete_role).then_http_response(denied)]).await;
    assert!(result.unwrap_err().has_code("AccessDenied"));
    assert_eq!(world.mutations(), ["DeleteRole"]);
}
