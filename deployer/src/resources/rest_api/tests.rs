//! The REST API: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::Mode;
use crate::manifest::Manifest;
use crate::report::Outcome;
use crate::testing::script::{Answer, always, answers, broken, done, refused};
use crate::testing::{World, gateway, scope};
use aws_sdk_apigateway::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use std::path::Path;

mod adopting;
mod deleting;
mod diff;
mod making;
mod mending;
mod reading;
mod refusals;
mod two_runs;

fn api() -> RestApi {
    let routes = Manifest::parse("", Path::new("stack.toml"), "").unwrap().api.routes;
    RestApi {
        name: "DynamoDBOperations".to_owned(),
        stage: "Prod".to_owned(),
        throttle: None,
        variables: BTreeMap::new(),
        definition: Definition::of(&routes, "", &scope()),
        adopt: None,
        scope: scope(),
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

    /// Rules for other answers come first.
    fn rules(self, mut rules: Vec<Rule>) -> Vec<Rule> {
        rules.extend([
            always(mock!(Client::get_rest_apis), done(json!({ "item": self.apis }))),
            always(mock!(Client::get_resources), done(self.resources)),
            always(mock!(Client::get_stages), done(json!({ "item": self.stages }))),
            always(mock!(Client::get_deployments), done(json!({ "item": self.deployments }))),
        ]);
        rules
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

async fn up(world: &World, api: &RestApi) -> Result<Outcome> {
    world.step(Mode::Apply, api, ()).await.1.result
}

fn created() -> Rule {
    answers(mock!(Client::create_rest_api), [done(json!({ "id": "api1" }))])
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
