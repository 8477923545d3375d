//! Changing a role that exists.

use super::*;
use aws_sdk_iam::operation::put_role_permissions_boundary::PutRolePermissionsBoundaryOutput;
use aws_sdk_iam::operation::tag_role::TagRoleOutput;
use aws_sdk_iam::operation::update_assume_role_policy::UpdateAssumeRolePolicyOutput;
use aws_sdk_iam::operation::update_role::UpdateRoleOutput;

fn updated() -> Rule {
    mock!(Client::update_role)
        .match_requests(|request| {
            request.description() == Some("Runs the functions of lab + more")
                && request.max_session_duration() == Some(3600)
        })
        .then_output(|| UpdateRoleOutput::builder().build())
}

fn trust_updated() -> Rule {
    mock!(Client::update_assume_role_policy)
        .match_requests(|request| request.policy_document() == Some(&role().trust.to_string()))
        .then_output(|| UpdateAssumeRolePolicyOutput::builder().build())
}

#[tokio::test(start_paused = true)]
async fn both_fields_are_sent_when_one_differs() {
    let drifts: [fn(&mut Observed); 2] =
        [|seen| "by hand".clone_into(&mut seen.description), |seen| seen.max_session = 43_200];
    for drift in drifts {
        let mut seen = seen();
        drift(&mut seen);
        let world = World::new().with_iam(&[present(seen), vec![updated()]].concat());
        let (output, record) = world.step(Mode::Apply, &role(), ()).await;
        assert_eq!(record.result.unwrap(), Outcome::Updated);
        assert!(!output.unwrap().fresh);
        assert_eq!(world.mutations(), ["UpdateRole"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_description_is_sent_as_such() {
    let cleared = Role { description: String::new(), ..role() };
    let update = mock!(Client::update_role)
        .match_requests(|request| request.description() == Some(""))
        .then_output(|| UpdateRoleOutput::builder().build());
    let world = World::new().with_iam(&[present(seen()), vec![update]].concat());
    let (_, record) = world.step(Mode::Apply, &cleared, ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
}

#[tokio::test(start_paused = true)]
async fn a_changed_trust_makes_the_role_fresh_again() {
    let seen = Observed { trust: json!({}), ..seen() };
    let world = World::new().with_iam(&[present(seen), vec![trust_updated()]].concat());
    let (output, _) = world.step(Mode::Apply, &role(), ()).await;
    assert!(output.unwrap().fresh);
    assert_eq!(world.mutations(), ["UpdateAssumeRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_boundary_that_does_not_exist_is_not_waited_for() {
    let missing = || {
        let message =
            "Scope ARN: arn:aws:iam::123456789012:policy/boundary does not exist or is not attachable.";
        wire::xml(404, "NoSuchEntity", message)
    };
    let put = mock!(Client::put_role_permissions_boundary).then_http_response(missing);
    let world = World::new().with_iam(&[present(seen()), vec![put]].concat());
    let bounded = Role { boundary: Some(boundary()), ..role() };
    let (_, record) = world.step(Mode::Apply, &bounded, ()).await;
    let error = record.result.unwrap_err();
    assert!(
        crate::testing::hints(&error)[0].contains("permissions-boundary"),
        "{:?}",
        crate::testing::hints(&error)
    );
    assert_eq!((world.mutations().len(), world.recorder.waits()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_declared_boundary_is_put() {
    let put = mock!(Client::put_role_permissions_boundary)
        .match_requests(|request| request.permissions_boundary() == Some(&boundary()))
        .then_output(|| PutRolePermissionsBoundaryOutput::builder().build());
    let world = World::new().with_iam(&[present(seen()), vec![put]].concat());
    let bounded = Role { boundary: Some(boundary()), ..role() };
    let (_, record) = world.step(Mode::Apply, &bounded, ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["PutRolePermissionsBoundary"]);
}

#[tokio::test(start_paused = true)]
async fn what_iam_does_not_know_yet_or_is_changing_is_tried_again() {
    let passing: [fn() -> HttpResponse; 3] = [
        no_such,
        || wire::xml(409, "ConcurrentModification", "The request was rejected; wait a few minutes."),
        || wire::xml(409, "EntityTemporarilyUnmodifiable", "Please wait several minutes and try again."),
    ];
    let seen = Observed { trust: json!({}), max_session: 7200, ..seen() };
    for refused in passing {
        let rules = vec![
            mock!(Client::update_role).sequence().http_response(refused).times(2).build(),
            updated(),
            mock!(Client::update_assume_role_policy).sequence().http_response(refused).times(1).build(),
            trust_updated(),
        ];
        let world = World::new().with_iam(&[present(seen.clone()), rules].concat());
        let (_, record) = world.step(Mode::Apply, &role(), ()).await;
        assert_eq!(record.result.unwrap(), Outcome::Updated);
        assert_eq!(world.recorder.waits(), ["IAM to know what was just created"; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_only_looks() {
    let seen = Observed { trust: json!({}), description: String::new(), max_session: 1, ..seen() };
    let world = World::new().with_iam(&present(seen));
    let (output, record) = world.step(Mode::Plan, &role(), ()).await;
    assert_eq!(record.changes.len(), 3);
    assert_eq!(output.unwrap().role_id, "AROA1");
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn missing_tags_are_set() {
    let tag = mock!(Client::tag_role)
        .match_requests(|request| tags(request.tags()) == scope().tags())
        .then_output(|| TagRoleOutput::builder().build());
    let untagged = Observed { tags: Tags::new(), ..seen() };
    let world = World::new().with_iam(&[tag]);
    world.apply(&role(), (), Some(untagged)).await.unwrap();
    assert_eq!(world.mutations(), ["TagRole"]);
}
