//! Several APIs that carry the stack's tags: which of them stays, and what is said of the others.

use super::*;

/// What stands at one of them.
struct Of {
    id: &'static str,
    name: &'static str,
    age: u32,
    stages: Vec<Value>,
    deployments: Vec<Value>,
}

/// One that was made and nothing else.
fn bare(id: &'static str, age: u32) -> Of {
    Of { id, name: "DynamoDBOperations", age, stages: vec![], deployments: vec![] }
}

/// One that this program has deployed.
fn live(id: &'static str, age: u32) -> Of {
    Of {
        stages: vec![staged("Prod", "dep1")],
        deployments: vec![deployment("dep1", &description())],
        ..bare(id, age)
    }
}

/// One that somebody has deployed by hand.
fn by_hand(id: &'static str, age: u32) -> Of {
    Of { deployments: vec![deployment("dep1", "")], ..live(id, age) }
}

fn world(all: Vec<Of>, more: Vec<Rule>) -> World {
    let tags = scope().tags();
    let apis = all.iter().map(|one| {
        let mut api = listed(one.id, one.age, &tags);
        api["name"] = json!(one.name);
        api
    });
    let apis = apis.collect();
    let rules = all.into_iter().flat_map(|one| {
        let id = one.id;
        let (stages, deployments) = (json!({ "item": one.stages }), json!({ "item": one.deployments }));
        [
            mock!(Client::get_stages)
                .match_requests(move |request| request.rest_api_id() == Some(id))
                .then_http_response(move || wire::done(&stages)),
            mock!(Client::get_deployments)
                .match_requests(move |request| request.rest_api_id() == Some(id))
                .then_http_response(move || wire::done(&deployments)),
        ]
    });
    let rules = rules.chain(more).collect();
    Gateway::with(|gateway| gateway.apis = apis).world(rules)
}

async fn observed(all: Vec<Of>) -> Observed {
    world(all, vec![]).observe(&api()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_one_that_serves_stays_however_old_the_others_are() {
    let cases = [
        (vec![bare("old", 1), live("young", 9)], "young"),
        (vec![by_hand("old", 1), live("young", 9)], "young"),
        (vec![bare("old", 1), by_hand("young", 9)], "young"),
        (vec![live("old", 1), live("young", 9)], "old"),
        (vec![bare("old", 1), bare("young", 9)], "old"),
    ];
    for (all, stays) in cases {
        assert_eq!(observed(all).await.id, stays);
    }
}

/// Nobody was given its URL: a run was stopped between two calls.
#[tokio::test]
async fn one_of_this_name_that_was_never_deployed_is_a_leftover_that_goes_unasked() {
    let seen = observed(vec![live("api1", 1), bare("api2", 2)]).await;
    assert_eq!((&seen.leftovers[..], &seen.twins[..]), (&["api2".to_owned()][..], &[][..]));
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let [change] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(change.loss(&api().existing.id()), None);
    assert!(is_about(change, "duplicate-api"), "{change:?}");
}

#[tokio::test]
async fn one_with_a_stage_is_asked_about_by_name_and_url() {
    let mut other = live("api2", 2);
    other.name = "Shop";
    let seen = observed(vec![live("api1", 1), other]).await;
    assert!(seen.leftovers.is_empty());
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let [change] = &changes[..] else { panic!("{changes:?}") };
    let named = "API Shop (api2) at https://api2.execute-api.us-east-1.amazonaws.com/Prod";
    assert_eq!(change.loss(&api().existing.id()).as_deref(), Some(named));
    assert_eq!(api().existing.takes_along(&seen), [named], "down says it, too");
}

/// Who copies tags by hand may have plans with it.
#[tokio::test]
async fn one_of_another_name_is_asked_about_also_without_a_stage() {
    let mut other = bare("api2", 2);
    other.name = "Shop";
    let seen = observed(vec![live("api1", 1), other]).await;
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let losses: Vec<String> = changes.iter().filter_map(|change| change.loss(&api().existing.id())).collect();
    assert_eq!(losses, ["API Shop (api2), which has no stage"]);
}

#[tokio::test]
async fn a_foreign_stage_of_another_one_blocks_down() {
    let mut other = live("api2", 2);
    other.stages.push(staged("beta", "dep1"));
    let seen = observed(vec![live("api1", 1), other]).await;
    let blockers = api().existing.blockers(&seen);
    assert_eq!(blockers, ["has the stage beta of its other API api2, which is not of this stack"]);
}

#[tokio::test(start_paused = true)]
async fn those_that_go_are_deleted_and_the_one_that_stays_is_not() {
    let all = vec![bare("api0", 0), live("api1", 1), live("api2", 2)];
    let world = world(all, vec![deleted([ok(), ok()])]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    let ids: Vec<String> =
        world.sent.of("DeleteRestApi").iter().map(|r| r.uri.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(ids, ["api0", "api2"]);
    assert_eq!(world.mutations(), ["DeleteRestApi"; 2]);
}
