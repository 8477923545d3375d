use super::*;
use crate::resources::api_gateway::waits::API_BUSY;
use std::time::Duration;
use tokio::time::Instant;

fn pruned(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::delete_deployment), answer)
}

#[tokio::test]
async fn an_api_as_declared_is_not_touched() {
    let world = Gateway::new().world(vec![]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Unchanged);
    assert!(world.mutations().is_empty());
}

/// The deployments before ours serves, and after.
fn deployments_change(before: &[Value], after: &[Value]) -> Vec<Rule> {
    let deployments = [done(json!({ "item": before })), done(json!({ "item": after }))];
    let stages =
        [staged("Prod", "dep1"), staged("Prod", "dep2")].map(|stage| done(json!({ "item": [stage] })));
    vec![answers(mock!(Client::get_deployments), deployments), answers(mock!(Client::get_stages), stages)]
}

#[tokio::test]
async fn another_definition_is_put_and_deployed_and_the_old_deployment_goes_last() {
    let old = deployment("dep1", &outdated());
    let theirs = deployment("dep0", "from the console");
    let new = deployment("dep2", &description());
    let mut rules = deployments_change(&[old.clone(), theirs.clone()], &[old, theirs, new]);
    rules.extend([defined(), deployed(), pruned([ok()])]);
    let gateway = Gateway::with(|gateway| {
        gateway.resources["item"][1]["resourceMethods"]["POST"]["apiKeyRequired"] = json!(true);
    });
    let world = gateway.world(rules);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["PutRestApi", "CreateDeployment", "DeleteDeployment"]);
    assert!(world.sent.of("DeleteDeployment")[0].uri.ends_with("/restapis/api1/deployments/dep1"));
}

#[tokio::test]
async fn a_deployment_in_use_stays() {
    let in_use = "Active stages pointing to this deployment must be moved or deleted";
    let pruned = pruned([refused(400, "BadRequestException", in_use)]);
    let gateway = Gateway::with(|gateway| gateway.deployments.push(deployment("dep0", &outdated())));
    let world = gateway.world(vec![pruned]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["DeleteDeployment"]);
}

/// A stage of ours that has another name now, and whether the new one stands already.
fn renamed(stands: bool) -> Gateway {
    Gateway::with(|gateway| {
        gateway.stages.push(staged("Old", "dep0"));
        gateway.deployments.push(deployment("dep0", &stage::description("Old", "0123")));
        if !stands {
            gateway.stages.remove(0);
            gateway.deployments.remove(0);
        }
    })
}

fn afterwards(stages: [&[Value]; 2], deployments: [&[Value]; 2]) -> Vec<Rule> {
    let page = |items: &[Value]| done(json!({ "item": items }));
    vec![
        answers(mock!(Client::get_stages), stages.map(page)),
        answers(mock!(Client::get_deployments), deployments.map(page)),
    ]
}

#[tokio::test]
async fn a_stage_of_another_name_goes_after_the_declared_one_stands() {
    let Gateway { stages, deployments, .. } = renamed(false);
    let (new_stage, new) = (staged("Prod", "dep2"), deployment("dep2", &description()));
    let both = [deployments[0].clone(), new];
    let mut rules = afterwards([&stages, &[new_stage]], [&deployments, &both]);
    rules.extend([deployed(), answers(mock!(Client::delete_stage), [ok()]), pruned([ok()])]);
    let world = renamed(false).world(rules);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["CreateDeployment", "DeleteStage", "DeleteDeployment"]);
    assert!(world.sent.of("DeleteStage")[0].uri.ends_with("/restapis/api1/stages/Old"));
    assert!(world.sent.of("DeleteDeployment")[0].uri.ends_with("/deployments/dep0"));
}

/// A run that was killed in between leaves both.
#[tokio::test]
async fn a_stage_that_is_left_over_goes_without_a_new_deployment() {
    let Gateway { stages, deployments, .. } = renamed(true);
    let gone = refused(404, "NotFoundException", "Invalid stage identifier specified");
    let mut rules = afterwards([&stages, &stages[..1]], [&deployments, &deployments]);
    rules.extend([answers(mock!(Client::delete_stage), [gone]), pruned([ok()])]);
    let world = renamed(true).world(rules);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["DeleteStage", "DeleteDeployment"]);
    assert!(world.sent.of("DeleteDeployment")[0].uri.ends_with("/deployments/dep0"));
}

#[tokio::test]
async fn a_half_built_method_is_repaired() {
    let gateway = Gateway::with(|gateway| {
        let method = &mut gateway.resources["item"][1]["resourceMethods"]["POST"];
        method.as_object_mut().unwrap().remove("methodIntegration").unwrap();
    });
    let world = gateway.world(vec![defined(), deployed()]);
    up(&world, &api()).await.unwrap();
    assert_eq!(world.mutations(), ["PutRestApi", "CreateDeployment"]);
}

#[tokio::test]
async fn a_definition_that_stands_is_deployed_only_where_another_serves() {
    let gateways = [
        Gateway::with(|gateway| gateway.deployments = vec![deployment("dep1", "from the console")]),
        Gateway::with(|gateway| gateway.stages.clear()),
    ];
    for gateway in gateways {
        let world = gateway.world(vec![deployed(), pruned([ok()])]);
        up(&world, &api()).await.unwrap();
        assert_eq!(world.mutations()[0], "CreateDeployment");
        assert!(world.sent.of("PutRestApi").is_empty());
    }
}

#[tokio::test]
async fn another_name_is_put_and_not_deployed() {
    let world = Gateway::new().world(vec![defined()]);
    up(&world, &declaring(|api| api.existing.name = "Renamed".to_owned())).await.unwrap();
    assert_eq!(world.mutations(), ["PutRestApi"]);
    assert_eq!(world.sent.bodies("PutRestApi")[0]["info"]["title"], "Renamed");
}

#[tokio::test(start_paused = true)]
async fn missing_tags_are_set_and_looked_for_and_nothing_is_deployed() {
    let mut theirs = scope().tags();
    theirs.insert("cost-centre".to_owned(), "42".to_owned());
    theirs.insert(PATHS_TAG.to_owned(), "?".to_owned());
    let mut wanted = scope().tags();
    wanted.insert(PATHS_TAG.to_owned(), "as-adopted".to_owned());
    let gateway = Gateway::with(|gateway| gateway.apis[0]["tags"] = json!(theirs));
    let late = [done(gateway.apis[0].clone()), done(listed("api1", 0, &wanted))];
    let looked = answers(mock!(Client::get_rest_api), late);
    let world = gateway.world(vec![answers(mock!(Client::tag_resource), [ok()]), looked]);
    up(&world, &api()).await.unwrap();
    assert_eq!(world.mutations(), ["TagResource"]);
    let [tag] = &world.sent.of("TagResource")[..] else { panic!("one call") };
    assert!(
        tag.uri.ends_with("/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fapi1"),
        "{}",
        tag.uri
    );
    assert_eq!(tag.body, json!({ "tags": wanted }));
}

fn at_edge() -> Gateway {
    Gateway::with(|gateway| gateway.apis[0]["endpointConfiguration"]["types"] = json!(["EDGE"]))
}

fn status(status: &str) -> Answer {
    let mut api = listed("api1", 0, &scope().tags());
    api["apiStatus"] = json!(status);
    api["apiStatusMessage"] = json!("no room");
    done(api)
}

#[tokio::test(start_paused = true)]
async fn an_edge_api_is_made_regional_in_place_and_waited_for() {
    let rules = vec![
        answers(mock!(Client::update_rest_api), [ok()]),
        answers(mock!(Client::get_rest_api), [status("UPDATING"), status("PENDING"), status("AVAILABLE")]),
    ];
    let world = at_edge().world(rules);
    up(&world, &api()).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateRestApi"]);
    assert_eq!(
        world.sent.bodies("UpdateRestApi"),
        [json!({ "patchOperations": [
            { "op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL" },
        ] })]
    );
    assert_eq!(world.recorder.waits(), [API_BUSY.cadence.reason; 2]);
}

#[tokio::test]
async fn a_url_that_was_switched_off_is_switched_on() {
    let gateway = Gateway::with(|gateway| gateway.apis[0]["disableExecuteApiEndpoint"] = json!(true));
    let on = answers(mock!(Client::get_rest_api), [done(listed("api1", 0, &scope().tags()))]);
    let world = gateway.world(vec![answers(mock!(Client::update_rest_api), [ok()]), on]);
    up(&world, &api()).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateRestApi"]);
    let patch = json!({ "op": "replace", "path": "/disableExecuteApiEndpoint", "value": "false" });
    assert_eq!(world.sent.bodies("UpdateRestApi"), [json!({ "patchOperations": [patch] })]);
}

#[tokio::test]
async fn an_api_that_cannot_be_made_regional_says_why() {
    let rules = vec![
        answers(mock!(Client::update_rest_api), [ok()]),
        answers(mock!(Client::get_rest_api), [status("FAILED")]),
    ];
    let error = up(&at_edge().world(rules), &api()).await.unwrap_err();
    assert_eq!(error.to_string(), "API Gateway could not make the API api1 regional: no room");
}

#[tokio::test]
async fn limits_and_variables_are_patched_alone() {
    let with_settings = || {
        Gateway::with(|gateway| {
            let limits = json!({ "*/*": { "throttlingRateLimit": 100.0, "throttlingBurstLimit": 200 } });
            gateway.stages[0]["methodSettings"] = limits;
            gateway.stages[0]["variables"] = json!({ "level": "info", "old": "1" });
        })
    };
    let patch = |op: &str, path: &str, value: &str| json!({ "op": op, "path": path, "value": value });
    let remove = |path: &str| json!({ "op": "remove", "path": path });
    let throttled = |rate, burst| {
        move |api: &mut RestApi| {
            api.throttle = Some(Throttle { rate, burst });
            api.variables =
                [("level".to_owned(), "info".to_owned()), ("old".to_owned(), "1".to_owned())].into();
        }
    };
    let cases = [
        (
            declaring(throttled(0.5, 200)),
            json!([
                patch("replace", "/*/*/throttling/rateLimit", "0.5"),
                patch("replace", "/*/*/throttling/burstLimit", "200"),
            ]),
        ),
        (
            api(),
            json!([
                patch("replace", "/*/*/throttling/rateLimit", "-1"),
                patch("replace", "/*/*/throttling/burstLimit", "-1"),
                remove("/variables/level"),
                remove("/variables/old"),
            ]),
        ),
    ];
    for (api, patches) in cases {
        let world = with_settings().world(vec![answers(mock!(Client::update_stage), [ok()])]);
        up(&world, &api).await.unwrap();
        assert_eq!(world.mutations(), ["UpdateStage"]);
        assert_eq!(world.sent.bodies("UpdateStage"), [json!({ "patchOperations": patches })]);
    }
}

#[tokio::test]
async fn our_deployments_that_serve_nowhere_go_and_foreign_ones_stay() {
    let gateway = Gateway::with(|gateway| {
        gateway.stages.push(staged("canary", "dep3"));
        gateway.deployments.extend([
            deployment("dep2", &outdated()),
            deployment("dep3", &outdated()),
            deployment("dep4", "from the console"),
        ]);
    });
    let gone = refused(404, "NotFoundException", "Invalid Deployment identifier specified");
    let world = gateway.world(vec![pruned([gone])]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["DeleteDeployment"]);
    assert!(world.sent.of("DeleteDeployment")[0].uri.ends_with("/deployments/dep2"));
}

#[tokio::test(start_paused = true)]
async fn apis_that_an_earlier_run_made_twice_go() {
    let tags = scope().tags();
    let gateway = Gateway::with(|gateway| {
        gateway.apis = vec![listed("api3", 3, &tags), listed("api1", 1, &tags), listed("api2", 2, &tags)];
    });
    let rules = leftovers(&["api2", "api3"]);
    // One deletion in 30 seconds.
    let slower = refused(429, "TooManyRequestsException", "Too Many Requests").retry_after("30");
    let world = gateway.world([rules, vec![deleted([ok(), slower, ok()])]].concat());
    let begun = Instant::now();
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Updated);
    let ids: Vec<String> =
        world.sent.of("DeleteRestApi").iter().map(|r| r.uri.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(ids, ["api2", "api3", "api3"]);
    assert!(begun.elapsed() >= Duration::from_secs(30), "{:?}", begun.elapsed());
}
