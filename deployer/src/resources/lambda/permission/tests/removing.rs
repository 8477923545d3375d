//! Taking statements away.

use super::*;

#[tokio::test(start_paused = true)]
async fn only_our_own_statements_go() {
    let source = source(API);
    let rules = [present(&[statement("console-1", &source), ours(&source)]), removed(&id_of(&source))];
    let world = World::new().with_lambda(&rules);
    let record = world.remove(Mode::Apply, &permission()).await;
    assert_eq!(record.result.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["RemovePermission"]);
}

#[tokio::test(start_paused = true)]
async fn all_three_ways_of_not_being_found_are_success() {
    let source = source(API);
    let messages = [
        "No policy is associated with the given resource.",
        "Statement deployer-1 is not found in resource policy.",
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:lab",
    ];
    for message in messages {
        let gone = mock!(Client::remove_permission)
            .then_http_response(move || wire::json(404, "ResourceNotFoundException", message));
        let world = World::new().with_lambda(&[present(&[ours(&source)]), gone]);
        let record = world.remove(Mode::Apply, &permission()).await;
        assert_eq!(record.result.unwrap(), Outcome::Deleted, "{message}");
    }
    let world = World::new().with_lambda(&[absent(1)]);
    assert_eq!(world.remove(Mode::Apply, &permission()).await.result.unwrap(), Outcome::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_progress_is_waited_for() {
    let source = source(API);
    let busy = || wire::json(409, "ResourceConflictException", "An update is in progress for resource: lab");
    let busy = mock!(Client::remove_permission).sequence().http_response(busy).times(2).build();
    let world = World::new().with_lambda(&[present(&[ours(&source)]), busy, removed(&id_of(&source))]);
    let record = world.remove(Mode::Apply, &permission()).await;
    assert_eq!(record.result.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), ["Lambda to finish the previous change of the function"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_denied_removal_is_asked_for_once() {
    let denied =
        || wire::json(403, "AccessDeniedException", "not authorized to perform: lambda:RemovePermission");
    let denied = mock!(Client::remove_permission).then_http_response(denied);
    let world = World::new().with_lambda(&[present(&[ours(&source(API))]), denied]);
    let record = world.remove(Mode::Apply, &permission()).await;
    assert!(record.result.unwrap_err().has_code("AccessDeniedException"));
    assert_eq!(world.mutations(), ["RemovePermission"]);
}
