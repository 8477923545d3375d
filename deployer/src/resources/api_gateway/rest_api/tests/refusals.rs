//! Which refusals pass by themselves.

use super::*;
use crate::engine::THROTTLED;
use crate::resources::api_gateway::waits::API_BUSY;
use std::time::Duration;
use tokio::time::Instant;

/// An API that is made, where the definition meets these answers.
fn defining(answer: impl IntoIterator<Item = Answer>) -> World {
    empty(vec![created(), answers(mock!(Client::put_rest_api), answer), deployed()])
}

#[tokio::test(start_paused = true)]
async fn another_change_of_the_api_is_waited_for() {
    let busy = || {
        let message = "Unable to complete operation due to concurrent modification. Please try again later.";
        refused(409, "ConflictException", message)
    };
    let world = defining([busy(), busy(), ok()]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [API_BUSY.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn another_conflict_is_not_repeated() {
    let exists = refused(409, "ConflictException", "Stage already exists");
    let world = empty(vec![created(), defined(), answers(mock!(Client::create_deployment), [exists])]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(error.has_code("ConflictException"), "{error}");
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_not_repeated() {
    let full =
        refused(429, "LimitExceededException", "Maximum number of Resources for this API has been reached");
    let world = defining([full]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(crate::testing::hints(&error)[0].contains("quota"), "{:?}", crate::testing::hints(&error));
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_wait_as_long_as_api_gateway_asks() {
    let slower = || refused(429, "TooManyRequestsException", "Too Many Requests").retry_after("20");
    let world = defining([slower(), slower(), ok()]);
    let begun = Instant::now();
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [THROTTLED.cadence.reason; 2]);
    let elapsed = begun.elapsed();
    assert!((Duration::from_secs(40)..Duration::from_secs(45)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_passes_is_told_by_when_to_come_again() {
    let slower =
        refused(429, "LimitExceededException", "The request exceeded the rate limit.").retry_after("2");
    let world = defining([slower, ok()]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [THROTTLED.cadence.reason]);
}

#[tokio::test(start_paused = true)]
async fn too_many_creations_are_waited_out() {
    let slower = || refused(429, "TooManyRequestsException", "Too Many Requests");
    let create = answers(
        mock!(Client::create_rest_api),
        [slower(), slower(), done(listed("api1", 0, &scope().tags()))],
    );
    let world = empty(vec![create, defined(), deployed()]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [THROTTLED.cadence.reason; 2]);
}

#[tokio::test]
async fn what_is_wrong_with_the_definition_is_said() {
    let wrong = refused(400, "BadRequestException", "No integration defined for method");
    let world = empty(vec![created(), defined(), answers(mock!(Client::create_deployment), [wrong])]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(error.to_string().contains("No integration defined for method"), "{error}");
    assert_eq!(world.mutations(), ["CreateRestApi", "PutRestApi", "CreateDeployment"]);
}
