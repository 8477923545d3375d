use super::*;
use std::time::Duration;
use tokio::time::Instant;

async fn down(world: &World) -> Result<Outcome> {
    world.remove(Mode::Apply, &api()).await.result
}

#[tokio::test]
async fn an_api_is_deleted_in_one_call() {
    let world = Gateway::new().world(vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeleteRestApi"]);
}

#[tokio::test]
async fn no_api_is_no_work() {
    assert_eq!(down(&empty(vec![])).await.unwrap(), Outcome::Absent);
}

#[tokio::test]
async fn an_api_of_our_name_that_is_not_ours_stays() {
    let world = Gateway::with(|gateway| gateway.apis = vec![listed("x9", 0, &Tags::new())]).world(vec![]);
    assert!(matches!(down(&world).await.unwrap(), Outcome::Kept { .. }));
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_api_of_ours_goes_at_the_pace_that_api_gateway_allows() {
    let tags = scope().tags();
    let gateway = Gateway::with(|gateway| {
        gateway.apis = (0..4).map(|age| listed(&format!("api{age}"), age, &tags)).collect();
    });
    // Without a word of how long, as it usually comes.
    let slower = || refused(429, "TooManyRequestsException", "Too Many Requests");
    let deletions = (0..4).flat_map(|_| [slower(), slower(), slower(), slower(), slower(), ok()]);
    let world = gateway.world(vec![deleted(deletions)]);
    let begun = Instant::now();
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert!(begun.elapsed() > Duration::from_secs(4 * 20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_deletion_that_came_second_is_success() {
    let world = Gateway::new().world(vec![deleted([no_such_api()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
}
