//! The REST API: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff as _, Impact, Mode, Outcome};
use crate::manifest::{Manifest, Route};
use crate::testing::script::{Answer, always, answers, broken, done, refused};
use crate::testing::{World, gateway, is_about, plain, scope, wire};
use aws_sdk_apigateway::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};

mod adopting;
mod deleting;
mod diff;
mod making;
mod mending;
mod properties;
mod protection;
mod reading;
mod refusals;
mod twins;
mod two_runs;

/// The lab's.
fn route() -> Route {
    Manifest::parse("", Path::new("stack.toml"), "").unwrap().api.routes.remove(0)
}

fn api() -> RestApi {
    let routes = [route()];
    RestApi {
        existing: ExistingRestApi {
            name: "DynamoDBOperations".to_owned(),
            stage: "Prod".to_owned(),
            scope: scope(),
        },
        throttle: None,
        variables: BTreeMap::new(),
        definition: Definition::of(&routes, "", &scope()),
        adopt: None,
    }
}

fn declaring(change: impl FnOnce(&mut RestApi)) -> RestApi {
    let mut api = api();
    change(&mut api);
    api
}

/// An API in a list, made so many seconds after some time, with all that API Gateway fills in by itself.
fn listed(id: &str, age: u32, tags: &Tags) -> Value {
    json!({
        "id": id,
        "name": "DynamoDBOperations",
        "createdDate": 1_700_000_000 + age,
        "apiKeySource": "HEADER",
        "disableExecuteApiEndpoint": false,
        "endpointConfiguration": { "types": ["REGIONAL"], "ipAddressType": "ipv4" },
        "rootResourceId": "res0",
        "tags": tags,
    })
}

fn deployment(id: &str, description: &str) -> Value {
    json!({ "id": id, "description": description, "createdDate": 1_700_000_000 })
}

fn staged(name: &str, deployment: &str) -> Value {
    json!({
        "stageName": name,
        "deploymentId": deployment,
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": false,
        "createdDate": 1_700_000_000,
        "lastUpdatedDate": 1_700_000_000,
    })
}

/// What our deployment of the declared definition is described as.
fn description() -> String {
    stage::description("Prod", &api().definition.fingerprint())
}

/// The same of another definition.
fn outdated() -> String {
    stage::description("Prod", "0123")
}

/// What API Gateway holds of one API.
struct Gateway {
    apis: Vec<Value>,
    resources: Value,
    stages: Vec<Value>,
    deployments: Vec<Value>,
}

impl Gateway {
    /// The API of `api()`, as declared.
    fn new() -> Self {
        Self {
            apis: vec![listed("api1", 0, &scope().tags())],
            resources: gateway::resources_of(&api().definition.openapi("DynamoDBOperations")),
            stages: vec![staged("Prod", "dep1")],
            deployments: vec![deployment("dep1", &description())],
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut gateway = Self::new();
        change(&mut gateway);
        gateway
    }

    /// Rules for other answers come first. A definition that is put is what is shown from then on.
    fn rules(self, rules: Vec<Rule>) -> Vec<Rule> {
        let put: Arc<Mutex<Option<Value>>> = Arc::default();
        let (listens, knows, shows) = (put.clone(), put.clone(), put);
        let remember = mock!(Client::put_rest_api)
            .match_requests(move |request| {
                let body = request.body().map(|body| body.as_ref()).unwrap_or_default();
                *listens.lock().unwrap() = serde_json::from_slice(body).ok();
                false
            })
            .then_output(|| unreachable!("it only listens"));
        let defined = mock!(Client::get_resources)
            .match_requests(move |_| knows.lock().unwrap().is_some())
            .then_http_response(move || {
                let document = shows.lock().unwrap().clone().unwrap();
                wire::done(&gateway::resources_of(&document))
            });
        let first = self.apis.first().cloned().unwrap_or_else(|| listed("api1", 0, &scope().tags()));
        let empty = || done(json!({ "item": [] }));
        let rest = [
            defined,
            always(mock!(Client::get_rest_apis), done(json!({ "item": self.apis }))),
            always(mock!(Client::get_rest_api), done(first)),
            always(mock!(Client::get_resources), done(self.resources)),
            always(mock!(Client::get_stages), done(json!({ "item": self.stages }))),
            always(mock!(Client::get_deployments), done(json!({ "item": self.deployments }))),
            always(
                mock!(Client::get_account),
                done(json!({ "throttleSettings": { "rateLimit": 10_000.0, "burstLimit": 5_000 } })),
            ),
            always(mock!(Client::get_domain_names), empty()),
            always(mock!(Client::get_authorizers), empty()),
            always(mock!(Client::get_request_validators), empty()),
            always(
                mock!(Client::get_models),
                done(json!({ "item": [{ "name": "Empty" }, { "name": "Error" }] })),
            ),
            always(
                mock!(Client::get_gateway_responses),
                done(json!({ "item": [
                { "responseType": "THROTTLED", "statusCode": "429", "defaultResponse": true },
            ] })),
            ),
        ];
        [vec![remember], rules, rest.into()].concat()
    }

    fn world(self, rules: Vec<Rule>) -> World {
        World::new().with_apigateway(&self.rules(rules))
    }
}

/// An account without APIs, where the next one gets the id `api1`.
fn empty(rules: Vec<Rule>) -> World {
    Gateway::with(|gateway| gateway.apis.clear()).world(rules)
}

fn no_such_api() -> Answer {
    refused(404, "NotFoundException", "Invalid API identifier specified 123456789012:api1")
}

fn ok() -> Answer {
    done(json!({}))
}

/// APIs that nothing was deployed of.
fn leftovers(ids: &'static [&'static str]) -> Vec<Rule> {
    let of = move |id: Option<&str>| id.is_some_and(|id| ids.contains(&id));
    vec![
        mock!(Client::get_stages)
            .match_requests(move |request| of(request.rest_api_id()))
            .then_http_response(|| wire::done(&json!({ "item": [] }))),
        mock!(Client::get_deployments)
            .match_requests(move |request| of(request.rest_api_id()))
            .then_http_response(|| wire::done(&json!({ "item": [] }))),
    ]
}

async fn up(world: &World, api: &RestApi) -> Result<Outcome> {
    world.step(Mode::Apply, api, ()).await.1.result
}

fn created() -> Rule {
    answers(mock!(Client::create_rest_api), [done(listed("api1", 0, &scope().tags()))])
}

fn defined() -> Rule {
    answers(mock!(Client::put_rest_api), [ok()])
}

fn deployed() -> Rule {
    answers(mock!(Client::create_deployment), [done(json!({ "id": "dep2" }))])
}

fn deleted(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::delete_rest_api), answer)
}
