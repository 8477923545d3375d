//! What an API was protected with: what a new definition would take away is kept or asked about, and nothing is deployed
//! that is open where it should not be.

use super::*;
use crate::manifest::Auth;

async fn changes(gateway: Gateway) -> Vec<Change> {
    let seen = gateway.world(vec![]).observe(&api()).await.unwrap();
    api().diff(Some(&()), seen.as_ref()).changes()
}

#[tokio::test]
async fn what_lets_more_people_in_is_asked_about() {
    let api = "REST API DynamoDBOperations";
    let cases: [(&str, Value, String); 4] = [
        ("policy", json!("{}"), format!("{api}, without its resource policy")),
        ("disableExecuteApiEndpoint", json!(true), format!("the URL of {api}")),
        ("endpointConfiguration", json!({ "types": ["PRIVATE"] }), api.to_owned()),
        ("endpointConfiguration", json!({ "types": ["EDGE"] }), String::new()),
    ];
    for (key, value, asked) in cases {
        let changes = changes(Gateway::with(|gateway| gateway.apis[0][key] = value.clone())).await;
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(change.opening().unwrap_or_default(), asked, "{key}: {value}");
        assert!(change.means(Kind::RestApi).is_some(), "{key} says what it means");
    }
}

/// Each definition that is put resets it, unless it says the same again.
#[tokio::test]
async fn the_tls_policy_that_somebody_set_stays() {
    let gateway = || {
        Gateway::with(|gateway| {
            gateway.apis[0]["securityPolicy"] = json!("SecurityPolicy_TLS13_1_3_2025_09");
            gateway.apis[0]["endpointAccessMode"] = json!("STRICT");
        })
    };
    assert_eq!(changes(gateway()).await, []);
    let world = gateway().world(vec![defined()]);
    up(&world, &declaring(|api| api.existing.name = "Renamed".to_owned())).await.unwrap();
    let put = &world.sent.bodies("PutRestApi")[0];
    assert_eq!(put["x-amazon-apigateway-security-policy"], "SecurityPolicy_TLS13_1_3_2025_09");
    assert_eq!(put["x-amazon-apigateway-endpoint-access-mode"], "STRICT");
}

#[tokio::test]
async fn the_default_tls_policy_is_not_written_into_a_definition() {
    let gateway = Gateway::with(|gateway| gateway.apis[0]["securityPolicy"] = json!("TLS_1_0"));
    let world = gateway.world(vec![defined()]);
    up(&world, &declaring(|api| api.existing.name = "Renamed".to_owned())).await.unwrap();
    let put = world.sent.bodies("PutRestApi")[0].to_string();
    assert!(!put.contains("x-amazon-apigateway-security-policy"), "{put}");
}

/// Its policies are others than those of a regional one.
#[tokio::test]
async fn the_tls_policy_of_an_edge_endpoint_is_asked_about() {
    let changes = changes(Gateway::with(|gateway| {
        gateway.apis[0]["endpointConfiguration"]["types"] = json!(["EDGE"]);
        gateway.apis[0]["securityPolicy"] = json!("SecurityPolicy_TLS13_2025_EDGE");
    }))
    .await;
    let opening: Vec<&str> = changes.iter().filter_map(Change::opening).collect();
    assert_eq!(opening, ["REST API DynamoDBOperations, by older TLS"]);
}

/// An import takes them away without a word, also when the API is adopted.
#[tokio::test]
async fn parts_that_nobody_declared_are_shown_before_they_go() {
    let page = |items: Value| [done(json!({ "item": items }))];
    let rules = vec![
        answers(
            mock!(Client::get_authorizers),
            page(
                json!([{ "id": "a1", "name": "checker", "type": "TOKEN", "identitySource": "method.request.header.A" }]),
            ),
        ),
        answers(
            mock!(Client::get_request_validators),
            page(
                json!([{ "id": "v1", "name": "all", "validateRequestBody": true, "validateRequestParameters": true }]),
            ),
        ),
        answers(
            mock!(Client::get_models),
            page(json!([{ "name": "Empty" }, { "name": "Order", "contentType": "application/json" }])),
        ),
        answers(
            mock!(Client::get_gateway_responses),
            page(json!([
                { "responseType": "THROTTLED", "statusCode": "503", "defaultResponse": false },
                { "responseType": "DEFAULT_4XX", "defaultResponse": false },
                { "responseType": "UNAUTHORIZED", "statusCode": "401", "defaultResponse": true },
            ])),
        ),
    ];
    let world = Gateway::new().world([rules, vec![defined(), deployed()]].concat());
    let (_, record) = world.step(Mode::Apply, &api(), ()).await;
    let lines: Vec<String> = record.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "authorizer checker: TOKEN, method.request.header.A → (none)",
            "gateway-response DEFAULT_4XX: present → (none)",
            "gateway-response THROTTLED: HTTP 503 → (none)",
            "model Order: application/json → (none)",
            "validator all: body and parameters → (none)",
        ]
    );
    assert_eq!(world.mutations(), ["PutRestApi", "CreateDeployment"]);
}

fn closed() -> RestApi {
    declaring(|api| {
        api.definition = Definition::of(&[Route { auth: Auth::Iam, ..route() }], "", &scope());
    })
}

/// Importers have been seen to leave out a protection that they do not understand.
#[tokio::test(start_paused = true)]
async fn a_definition_that_was_taken_without_its_protection_is_not_deployed() {
    let open = gateway::resources_of(&api().definition.openapi("DynamoDBOperations"));
    let taken = always(mock!(Client::get_resources), done(open));
    let world = empty(vec![created(), defined(), deployed(), taken]);
    let error = up(&world, &closed()).await.unwrap_err();
    let said = "POST /DynamoDBManager has authorization NONE, not authorization AWS_IAM";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(world.mutations(), ["CreateRestApi", "PutRestApi"]);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_shown_late_is_waited_for() {
    let shown = |api: &RestApi| done(gateway::resources_of(&api.definition.openapi("DynamoDBOperations")));
    let late = answers(mock!(Client::get_resources), [shown(&api()), shown(&closed())]);
    let world = empty(vec![created(), defined(), deployed(), late]);
    assert_eq!(up(&world, &closed()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [crate::resources::api_gateway::waits::DEFINITION_TAKEN.reason]);
}

/// Nobody would find it again.
#[tokio::test(start_paused = true)]
async fn an_api_that_was_made_without_its_tags_or_at_the_edge_is_put_right() {
    let mut made = listed("api1", 0, &Tags::new());
    made["endpointConfiguration"]["types"] = json!(["EDGE"]);
    let world = empty(vec![
        answers(mock!(Client::create_rest_api), [done(made)]),
        answers(mock!(Client::tag_resource), [ok()]),
        answers(mock!(Client::update_rest_api), [ok()]),
        defined(),
        deployed(),
    ]);
    assert_eq!(up(&world, &api()).await.unwrap(), Outcome::Created);
    assert_eq!(
        world.mutations(),
        ["CreateRestApi", "TagResource", "UpdateRestApi", "PutRestApi", "CreateDeployment"]
    );
}

/// Who may not change the API has claimed nothing.
#[tokio::test]
async fn an_adoption_that_is_refused_leaves_the_tags_as_they_are() {
    let denied = refused(
        403,
        "AccessDeniedException",
        "User: x is not authorized to perform: apigateway:UpdateRestApiPolicy",
    );
    let gateway = Gateway::with(|gateway| {
        gateway.apis[0]["tags"] = json!({});
        gateway.apis[0]["policy"] = json!("{}");
    });
    let world = gateway.world(vec![answers(mock!(Client::put_rest_api), [denied])]);
    let go = world.engine(Mode::Apply).adopting(true);
    assert!(go.step(&api(), async { Some(()) }).await.is_none());
    assert_eq!(world.mutations(), ["PutRestApi"]);
}
