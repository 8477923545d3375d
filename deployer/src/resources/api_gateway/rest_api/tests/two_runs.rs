//! Two runs that both make an API: one of the two stays, whatever the order in which they look.

use super::*;
use crate::engine::Event;

/// What this run sees: nothing, so it makes `api1`; then these, made in these seconds; then, if it lost, only `api0`.
fn beside(apis: &[(&str, u32)], rules: Vec<Rule>) -> World {
    let tags = scope().tags();
    let seen: Vec<Value> = apis.iter().map(|(id, second)| listed(id, *second, &tags)).collect();
    let lists = answers(mock!(Client::get_rest_apis), [none(), done(json!({ "item": seen }))]);
    let left = Gateway::with(|gateway| gateway.apis = vec![listed("api0", 0, &tags)]);
    left.world([vec![lists, created(), defined(), deployed(), deleted([ok()])], rules].concat())
}

fn none() -> Answer {
    done(json!({ "item": [] }))
}

fn others_deployments(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::get_deployments), answer)
}

fn has_deployed() -> Answer {
    done(json!({ "item": [deployment("dep1", &description())] }))
}

async fn id_after_up(world: &World) -> String {
    let (output, record) = world.step(Mode::Apply, &api(), ()).await;
    record.result.unwrap();
    output.unwrap().id
}

/// It is as the other run made it, so nothing is left to do.
async fn gives_way(world: &World) {
    assert_eq!(id_after_up(world).await, "api0");
    assert_eq!(world.mutations(), ["CreateRestApi", "DeleteRestApi"]);
    assert!(world.sent.of("DeleteRestApi")[0].uri.ends_with("/restapis/api1"));
    let said = "another run made it at the same moment: api0 stays, api1 goes";
    let is_said = |event: &Event| matches!(event, Event::Noted { what, .. } if what == said);
    assert!(world.recorder.events().iter().any(is_said), "{:?}", world.recorder.events());
}

async fn stays(world: &World) {
    assert_eq!(id_after_up(world).await, "api1");
    assert_eq!(world.mutations(), ["CreateRestApi", "PutRestApi", "CreateDeployment"]);
}

#[tokio::test]
async fn the_later_gives_way() {
    gives_way(&beside(&[("api1", 5), ("api0", 4)], vec![])).await;
}

/// A list that does not show this run's own yet.
#[tokio::test]
async fn one_that_is_not_listed_yet_is_the_later() {
    gives_way(&beside(&[("api0", 9)], vec![])).await;
}

#[tokio::test]
async fn of_the_same_second_the_larger_id_gives_way() {
    gives_way(&beside(&[("api1", 5), ("api0", 5)], vec![])).await;
}

/// The other run saw nobody, and its API is at work.
#[tokio::test]
async fn the_first_gives_way_to_one_that_has_gone_on() {
    let world = beside(&[("api1", 5), ("api9", 5)], vec![others_deployments([has_deployed()])]);
    let (output, record) = world.step(Mode::Apply, &api(), ()).await;
    record.result.unwrap();
    assert_eq!(output.unwrap().id, "api0");
    assert_eq!(world.mutations(), ["CreateRestApi", "DeleteRestApi"]);
    assert!(world.sent.of("DeleteRestApi")[0].uri.ends_with("/restapis/api1"));
    assert!(world.sent.of("GetDeployments")[0].uri.contains("/restapis/api9/"));
}

#[tokio::test(start_paused = true)]
async fn the_first_waits_until_the_other_is_taken_back() {
    let going = [none(), none(), no_such_api()];
    let world = beside(&[("api1", 5), ("api9", 5)], vec![others_deployments(going)]);
    stays(&world).await;
    assert_eq!(world.recorder.waits(), [OTHER_RUN; 2]);
}

const OTHER_RUN: &str = "another run, which made the API at the same moment";

/// The other run was killed in between. The next one takes both back but one.
#[tokio::test(start_paused = true)]
async fn another_run_that_never_decides_ends_the_wait() {
    let silent = always(mock!(Client::get_deployments), none());
    let world = beside(&[("api1", 5), ("api9", 5)], vec![silent]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(error.to_string().contains(OTHER_RUN), "{error}");
    assert!(
        crate::testing::hints(&error).iter().any(|hint| hint.contains("Run `deployer up` again")),
        "{error:?}"
    );
    assert_eq!(world.mutations(), ["CreateRestApi"]);
}

#[tokio::test]
async fn an_api_that_nobody_claims_is_not_taken_for_the_other_runs() {
    let tags = scope().tags();
    let lists = answers(
        mock!(Client::get_rest_apis),
        [none(), done(json!({ "item": [listed("api1", 5, &tags), listed("api0", 4, &tags)] }))],
    );
    let left = Gateway::with(|gateway| gateway.apis = vec![listed("api7", 0, &Tags::new())]);
    let world = left.world(vec![lists, created(), deleted([ok()])]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(error.to_string().contains("the API of the other run is gone again"), "{error}");
    assert_eq!(world.mutations(), ["CreateRestApi", "DeleteRestApi"]);
}
