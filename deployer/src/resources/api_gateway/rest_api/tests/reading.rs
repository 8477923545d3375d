use super::*;

/// What `up` would change after reading this.
async fn read(gateway: Gateway) -> Vec<Change> {
    let seen = gateway.world(vec![]).observe(&api()).await.unwrap();
    plain(api().diff(Some(&()), seen.as_ref()).changes())
}

async fn observed(gateway: Gateway) -> Observed {
    gateway.world(vec![]).observe(&api()).await.unwrap().unwrap()
}

fn tags_of(stack: &str) -> Tags {
    let mut tags = scope().tags();
    tags.insert("deployer:stack".to_owned(), stack.to_owned());
    tags
}

#[tokio::test]
async fn what_api_gateway_fills_in_by_itself_is_no_difference() {
    assert_eq!(read(Gateway::new()).await, []);
}

#[tokio::test]
async fn an_api_is_found_by_its_tags_whatever_its_name() {
    let gateway = Gateway::with(|gateway| {
        let mut ours = listed("ours", 9, &scope().tags());
        ours["name"] = json!("Renamed");
        gateway.apis = vec![listed("theirs", 0, &tags_of("other")), listed("nobodys", 1, &Tags::new()), ours];
    });
    let seen = observed(gateway).await;
    assert_eq!((seen.id.as_str(), seen.name.as_str()), ("ours", "Renamed"));
    assert!(seen.twins.is_empty() && seen.rivals.is_empty());
}

#[tokio::test]
async fn an_api_of_our_name_that_is_another_stacks_is_foreign() {
    let seen =
        observed(Gateway::with(|gateway| gateway.apis = vec![listed("x9", 0, &tags_of("other"))])).await;
    let Owner::Foreign(why) = api().existing.owner(&seen) else { panic!("{:?}", seen.tags) };
    assert!(why.contains("(API x9)"), "{why}");
}

#[tokio::test]
async fn apis_of_other_names_are_nothing_to_us() {
    let mut other = listed("x9", 0, &Tags::new());
    other["name"] = json!("Other");
    let world = Gateway::with(|gateway| gateway.apis = vec![other]).world(vec![]);
    assert!(world.observe(&api()).await.unwrap().is_none());
    assert_eq!(world.calls(), ["GetRestApis"]);
}

fn page(items: &[Value], position: Option<&str>) -> Answer {
    let mut page = json!({ "item": items });
    if let Some(position) = position {
        page["position"] = json!(position);
    }
    done(page)
}

#[tokio::test]
async fn every_list_is_read_to_its_last_page() {
    let gateway = Gateway::new();
    let resources = gateway.resources["item"].as_array().unwrap().clone();
    let rules = vec![
        answers(mock!(Client::get_rest_apis), [page(&[], Some("p/2")), page(&gateway.apis, None)]),
        answers(
            mock!(Client::get_resources),
            [page(&resources[..1], Some("p2")), page(&resources[1..], None)],
        ),
        answers(mock!(Client::get_deployments), [page(&[], Some("p2")), page(&gateway.deployments, None)]),
    ];
    let world = gateway.world(rules);
    let seen = world.observe(&api()).await.unwrap();
    assert_eq!(api().diff(Some(&()), seen.as_ref()).changes(), []);
    let cases = [
        ("GetRestApis", "/restapis?", "limit=500", "position=p%2F2"),
        ("GetResources", "/restapis/api1/resources?", "embed=methods", "position=p2"),
        ("GetDeployments", "/restapis/api1/deployments?", "limit=500", "position=p2"),
    ];
    for (operation, path, query, position) in cases {
        let [first, second] = &world.sent.of(operation)[..] else { panic!("two pages of {operation}") };
        assert!(first.uri.contains(path) && first.uri.contains(query), "{}", first.uri);
        assert!(!first.uri.contains("position"), "{}", first.uri);
        assert!(second.uri.contains(path) && second.uri.contains(position), "{}", second.uri);
    }
}

/// A definition that is put would take them away without a word.
#[tokio::test]
async fn settings_that_nobody_declared_are_differences() {
    // As API Gateway writes a policy: inside a string once more, with its slashes escaped. Then as emulators do.
    let escaped = r#"{\"Resource\":\"execute-api:\/*\",\"Sid\":\"a\\\"b\"}"#;
    let plain = r#"{"Resource":"execute-api:/*","Sid":"a\"b"}"#;
    let cases = [
        ("policy", json!(escaped), "policy", plain),
        ("policy", json!(plain), "policy", plain),
        ("binaryMediaTypes", json!(["*/*", "image/png"]), "binary-media-types", "*/*, image/png"),
        ("minimumCompressionSize", json!(0), "minimum-compression-size", "0"),
        ("apiKeySource", json!("AUTHORIZER"), "api-key-source", "AUTHORIZER"),
    ];
    for (key, value, field, shown) in cases {
        let with = || Gateway::with(|gateway| gateway.apis[0][key] = value.clone());
        let (from, to) = (shown.into(), crate::engine::Shown::Nothing);
        assert_eq!(
            read(with()).await,
            [Change::Update { field: field.to_owned(), from, to, impact: Impact::None }]
        );
        let world = with().world(vec![defined(), deployed()]);
        up(&world, &api()).await.unwrap();
        assert_eq!(world.mutations(), ["PutRestApi", "CreateDeployment"], "{key}");
    }
}

#[tokio::test]
async fn an_api_that_was_deleted_since_it_was_listed_is_none() {
    let gone: [fn() -> Rule; 3] = [
        || always(mock!(Client::get_resources), no_such_api()),
        || always(mock!(Client::get_stages), no_such_api()),
        || always(mock!(Client::get_deployments), no_such_api()),
    ];
    for rule in gone {
        let world = Gateway::new().world(vec![rule()]);
        assert!(world.observe(&api()).await.unwrap().is_none());
    }
}

/// Every integration that was made in the console has such templates.
#[tokio::test]
async fn templates_that_are_null_are_read_as_none() {
    let gateway = Gateway::with(|gateway| {
        let integration = &mut gateway.resources["item"][1]["resourceMethods"]["POST"]["methodIntegration"];
        integration["requestTemplates"] = json!({ "application/json": null });
        integration["integrationResponses"]["200"]["responseTemplates"] = json!({ "application/json": null });
        integration["integrationResponses"]["200"]["selectionPattern"] = Value::Null;
    });
    assert_eq!(read(gateway).await, []);
}

#[tokio::test]
async fn refusals_of_the_resources_are_read_as_ever() {
    let denied =
        refused(403, "AccessDeniedException", "User: x is not authorized to perform: apigateway:GET");
    let world = Gateway::new().world(vec![always(mock!(Client::get_resources), denied)]);
    let error = world.observe(&api()).await.unwrap_err();
    assert!(error.has_code("AccessDeniedException"), "{error}");
}

#[tokio::test]
async fn a_deployment_that_somebody_else_made_holds_no_fingerprint_of_ours() {
    let by_hand = Gateway::with(|gateway| {
        gateway.deployments =
            vec![deployment("dep0", &description()), deployment("dep1", "from the console")];
    });
    let seen = observed(by_hand).await;
    assert_eq!(seen.stage.unwrap().fingerprint, None);
    assert_eq!(seen.old_deployments, ["dep0"]);
}

/// Somebody who makes a stage by hand has our deployment to choose.
#[tokio::test]
async fn a_stage_by_hand_is_not_ours_and_keeps_its_deployment() {
    let gateway = Gateway::with(|gateway| {
        gateway.stages = vec![staged("canary", "dep0"), staged("Prod", "dep1")];
        gateway.deployments = ["dep0", "dep1", "dep2"].map(|id| deployment(id, &description())).into();
    });
    let seen = observed(gateway).await;
    assert_eq!(api().existing.state(&seen), "api1, stage Prod; not of this stack: stage canary");
    assert_eq!(api().existing.blockers(&seen), ["has the stage canary, which is not of this stack"]);
    assert!(seen.old_stages.is_empty());
    assert_eq!(seen.stage.unwrap().fingerprint, Some(api().definition.fingerprint()));
    assert_eq!(seen.old_deployments, ["dep2"]);
    let only_another = Gateway::with(|gateway| gateway.stages = vec![staged("canary", "dep1")]);
    assert_eq!(observed(only_another).await.stage, None);
}

#[tokio::test]
async fn a_stage_that_we_made_under_another_name_is_ours() {
    let gateway = Gateway::with(|gateway| {
        gateway.stages.insert(0, staged("Old", "dep0"));
        gateway.deployments.push(deployment("dep0", &stage::description("Old", "0123")));
    });
    let seen = observed(gateway).await;
    assert_eq!((&seen.old_stages[..], &seen.other_stages[..]), (&[("Old".to_owned(), false)][..], &[][..]));
    assert!(seen.old_deployments.is_empty(), "it is in use");
    assert!(api().existing.blockers(&seen).is_empty());
    assert_eq!(api().existing.state(&seen), "api1, stage Prod");
}

/// The declared stage is ours by its name, but not what serves there.
#[tokio::test]
async fn what_was_deployed_for_another_stage_is_no_deployment_of_this_one() {
    let description = stage::description("Canary", &api().definition.fingerprint());
    let gateway = Gateway::with(|gateway| gateway.deployments = vec![deployment("dep1", &description)]);
    assert_eq!(observed(gateway).await.stage.unwrap().fingerprint, None);
}

/// What API Gateway shows when logging was switched on for all methods, and nothing else.
fn logging_only() -> Value {
    json!({ "*/*": {
        "metricsEnabled": false,
        "loggingLevel": "INFO",
        "dataTraceEnabled": false,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10_000.0,
        "cachingEnabled": false,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": false,
        "requireAuthorizationForCacheControl": true,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    } })
}

/// With a support ticket, or in a smaller region, they are others than those of most accounts.
#[tokio::test]
async fn limits_that_are_the_accounts_own_are_no_difference() {
    let shown = |rate: f64, burst: i32| {
        let mut settings = logging_only();
        settings["*/*"]["throttlingRateLimit"] = json!(rate);
        settings["*/*"]["throttlingBurstLimit"] = json!(burst);
        settings
    };
    let account = || {
        let limits = json!({ "rateLimit": 1000.0, "burstLimit": 2000 });
        always(mock!(Client::get_account), done(json!({ "throttleSettings": limits })))
    };
    let denied = || always(mock!(Client::get_account), refused(403, "AccessDeniedException", "No"));
    let cases = [
        (shown(1000.0, 2000), account(), true),
        (shown(10_000.0, 5_000), account(), false),
        (shown(2_500.0, 1_250), denied(), true),
        (shown(1000.0, 2000), denied(), false),
    ];
    for (settings, account, filled_in) in cases {
        let gateway = Gateway::with(|gateway| gateway.stages[0]["methodSettings"] = settings.clone());
        let seen = gateway.world(vec![account]).observe(&api()).await.unwrap().unwrap();
        assert_eq!(seen.stage.unwrap().throttle.is_none(), filled_in, "{settings}");
    }
}

fn with_canary(deployment: &str) -> Gateway {
    Gateway::with(|gateway| {
        gateway.stages[0]["canarySettings"] = json!({ "percentTraffic": 10.5, "deploymentId": deployment });
    })
}

#[tokio::test]
async fn a_canary_is_a_difference_and_its_deployment_is_in_use() {
    let mut gateway = with_canary("dep2");
    gateway.deployments.push(deployment("dep2", &description()));
    let seen = observed(gateway).await;
    assert!(seen.old_deployments.is_empty());
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let [change] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(change.to_string(), "canary: 10.5 % of requests to deployment dep2 → (none)");
    assert_eq!(change.loss(&api().existing.id()).as_deref(), Some("the canary of stage Prod"));
}

/// API Gateway deploys nothing to a stage that has one.
#[tokio::test]
async fn a_canary_goes_before_something_is_deployed() {
    let staged = answers(mock!(Client::update_stage), [ok()]);
    let mut gateway = with_canary("dep2");
    gateway.deployments[0] = deployment("dep1", &outdated());
    let after = answers(
        mock!(Client::get_deployments),
        [done(json!({ "item": gateway.deployments })), done(json!({ "item": [] }))],
    );
    let world = gateway.world(vec![staged, deployed(), after]);
    up(&world, &api()).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateStage", "CreateDeployment"]);
    let remove = json!({ "op": "remove", "path": "/canarySettings" });
    assert_eq!(world.sent.bodies("UpdateStage"), [json!({ "patchOperations": [remove] })]);
}

/// The same numbers may be declared, and then they are compared.
#[tokio::test]
async fn limits_that_api_gateway_fills_in_count_where_limits_are_declared() {
    let gateway = || Gateway::with(|gateway| gateway.stages[0]["methodSettings"] = logging_only());
    let cases = [(10_000.0, 5_000, vec![]), (10_000.0, 9, vec!["throttle"])];
    for (rate, burst, expected) in cases {
        let api = declaring(|api| api.throttle = Some(Throttle { rate, burst }));
        let seen = gateway().world(vec![]).observe(&api).await.unwrap();
        let changes = api.diff(Some(&()), seen.as_ref()).changes();
        let about = |field: &str| changes.iter().any(|change| is_about(change, field));
        assert!(changes.len() == expected.len() && expected.into_iter().all(about), "{changes:?}");
    }
}

#[tokio::test]
async fn limits_and_variables_of_the_stage_are_read() {
    let cases = [
        (json!({ "*/*": { "throttlingRateLimit": 0.5, "throttlingBurstLimit": 7 } }), Some((0.5, 7))),
        (json!({ "*/*": { "throttlingRateLimit": -1.0, "throttlingBurstLimit": -1 } }), None),
        (json!({ "*/*": { "throttlingRateLimit": 10.0, "throttlingBurstLimit": -1 } }), Some((10.0, -1))),
        (logging_only(), None),
        (json!({ "~1x/POST": { "throttlingRateLimit": 5.0, "throttlingBurstLimit": 5 } }), None),
    ];
    for (settings, expected) in cases {
        let gateway = Gateway::with(|gateway| {
            gateway.stages[0]["methodSettings"] = settings;
            gateway.stages[0]["variables"] = json!({ "level": "debug" });
        });
        let stage = observed(gateway).await.stage.unwrap();
        assert_eq!(stage.throttle, expected.map(|(rate, burst)| Throttle { rate, burst }));
        assert_eq!(stage.variables, BTreeMap::from([("level".to_owned(), "debug".to_owned())]));
    }
}
