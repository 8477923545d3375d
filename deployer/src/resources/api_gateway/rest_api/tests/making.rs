use super::*;

#[tokio::test]
async fn an_absent_api_is_made_defined_and_deployed() {
    let world = empty(vec![created(), defined(), deployed()]);
    let (output, record) = world.step(Mode::Apply, &api(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(output.unwrap().id, "api1");
    assert_eq!(world.mutations(), ["CreateRestApi", "PutRestApi", "CreateDeployment"]);
    assert_eq!(
        world.sent.bodies("CreateRestApi"),
        [json!({
            "name": "DynamoDBOperations",
            "endpointConfiguration": { "types": ["REGIONAL"] },
            "tags": { "deployer:stack": "lab", "deployer:region": "us-east-1" },
        })]
    );
    assert_eq!(
        world.sent.bodies("CreateDeployment"),
        [json!({ "stageName": "Prod", "description": description() })]
    );
}

/// It found this API before it was deployed, and deployed it as well.
#[tokio::test]
async fn what_another_run_deployed_at_the_same_moment_does_not_stay() {
    let gateway = Gateway::with(|gateway| {
        gateway.apis.clear();
        gateway.stages = vec![staged("Prod", "dep2")];
        gateway.deployments = ["dep1", "dep2"].map(|id| deployment(id, &description())).into();
    });
    let pruned = answers(mock!(Client::delete_deployment), [ok()]);
    let world = gateway.world(vec![created(), defined(), deployed(), pruned]);
    up(&world, &api()).await.unwrap();
    assert!(world.sent.of("DeleteDeployment")[0].uri.ends_with("/deployments/dep1"));
}

#[tokio::test]
async fn the_definition_replaces_all_there_is_and_must_be_understood_whole() {
    let world = empty(vec![created(), defined(), deployed()]);
    up(&world, &api()).await.unwrap();
    let [put] = &world.sent.of("PutRestApi")[..] else { panic!("one definition") };
    assert!(put.uri.contains("/restapis/api1?"), "{}", put.uri);
    assert!(put.uri.contains("mode=overwrite") && put.uri.contains("failonwarnings=true"), "{}", put.uri);
    assert_eq!(put.body, api().definition.openapi("DynamoDBOperations"));
}

#[tokio::test]
async fn limits_and_variables_are_set_at_the_new_stage() {
    let api = declaring(|api| {
        api.throttle = Some(Throttle { rate: 100.0, burst: 200 });
        api.variables = [("level".to_owned(), "debug".to_owned())].into();
    });
    let staged = answers(mock!(Client::update_stage), [ok()]);
    let world = empty(vec![created(), defined(), deployed(), staged]);
    up(&world, &api).await.unwrap();
    assert_eq!(
        world.sent.bodies("UpdateStage"),
        [json!({ "patchOperations": [
            { "op": "replace", "path": "/*/*/throttling/rateLimit", "value": "100" },
            { "op": "replace", "path": "/*/*/throttling/burstLimit", "value": "200" },
            { "op": "replace", "path": "/variables/level", "value": "debug" },
        ] })]
    );
}

/// With the SDK's own retries as they are in the program.
fn retrying(rules: &[Rule]) -> World {
    let mut world = World::new();
    let sent = world.sent.clone();
    world.aws.apigateway = aws_smithy_mocks::mock_client!(
        aws_sdk_apigateway,
        aws_smithy_mocks::RuleMode::MatchAny,
        rules,
        |config| { config.interceptor(sent.clone()) }
    );
    world
}

fn no_apis_and_then(apis: &[Value]) -> Rule {
    answers(mock!(Client::get_rest_apis), [done(json!({ "item": [] })), done(json!({ "item": apis }))])
}

/// AWS would make a second API of the same name.
#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_is_looked_for_and_not_sent_again() {
    let lost = always(mock!(Client::create_rest_api), broken());
    let found = no_apis_and_then(&[listed("api1", 0, &scope().tags())]);
    let gateway = Gateway::with(|gateway| {
        gateway.resources = json!({ "item": [{ "id": "res0", "path": "/" }] });
        gateway.stages.clear();
        gateway.deployments.clear();
    });
    let world = retrying(&gateway.rules(vec![lost, found, defined(), deployed()]));
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.sent.of("CreateRestApi").len(), 1);
    assert!(world.sent.of("PutRestApi")[0].uri.contains("/restapis/api1?"));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_whose_answer_was_lost_is_looked_for_and_not_sent_again() {
    let lost = always(mock!(Client::create_deployment), broken());
    let listed = answers(
        mock!(Client::get_rest_apis),
        [
            done(json!({ "item": [] })),
            done(json!({ "item": [] })),
            done(json!({ "item": [listed("api1", 0, &scope().tags())] })),
        ],
    );
    let world = retrying(&Gateway::new().rules(vec![listed, created(), defined(), lost]));
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.sent.of("CreateDeployment").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_broke_is_sent_again() {
    let list = answers(mock!(Client::get_rest_apis), [broken(), broken(), done(json!({ "item": [] }))]);
    let world = retrying(&[list]);
    assert!(world.observe(&api()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_left_nothing_behind_is_sent_again() {
    let create =
        answers(mock!(Client::create_rest_api), [broken(), done(listed("api1", 0, &scope().tags()))]);
    let world = empty(vec![create, defined(), deployed()]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(world.sent.of("CreateRestApi").len(), 2);
}

#[tokio::test]
async fn a_definition_that_is_not_understood_is_not_deployed() {
    let warned =
        refused(400, "BadRequestException", "Warnings found during import:\n\tUnsupported extension");
    let world = empty(vec![created(), answers(mock!(Client::put_rest_api), [warned])]);
    let error = up(&world, &api()).await.unwrap_err();
    assert!(error.to_string().contains("Warnings found during import"), "{error}");
    assert_eq!(world.mutations(), ["CreateRestApi", "PutRestApi"]);
}
