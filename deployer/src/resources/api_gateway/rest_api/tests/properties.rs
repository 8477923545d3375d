//! Of any API and any declaration: `apply` makes the calls of the changes and no others.

use super::diff::seen;
use super::*;
use crate::manifest::Auth;
use crate::names::REGION_TAG;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use aws_sdk_apigateway::types::EndpointType;
use proptest::prelude::*;

/// A definition that is put is also deployed, and whatever was deployed before and serves nowhere goes then.
const REDEFINE: &str = "PutRestApi CreateDeployment [DeleteDeployment]";

const EFFECTS: Effects = &[
    ("create", "CreateRestApi PutRestApi CreateDeployment"),
    ("tags", "TagResource"),
    ("name", "PutRestApi"),
    ("endpoint", "UpdateRestApi"),
    ("default-endpoint", "UpdateRestApi"),
    ("policy", REDEFINE),
    ("security-policy", REDEFINE),
    ("binary-media-types", REDEFINE),
    ("authorizer", REDEFINE),
    ("route", REDEFINE),
    ("stage", "CreateDeployment [DeleteDeployment]"),
    ("deployed-definition", "CreateDeployment [DeleteDeployment]"),
    // Before anything is deployed, which API Gateway refuses to a stage with a canary.
    ("canary", "UpdateStage! [DeleteDeployment]"),
    ("throttle", "UpdateStage"),
    ("variables", "UpdateStage"),
    ("old-stage", "DeleteStage! [DeleteDeployment]"),
    ("old-deployment", "DeleteDeployment!"),
    ("duplicate-api", "DeleteRestApi!"),
    ("other-api", "DeleteRestApi!"),
];

const OBSERVED: Edits<Observed> = &[
    ("no tags", |seen| seen.tags.clear()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
    ("with paths as adopted", |seen| {
        seen.tags.insert(PATHS_TAG.to_owned(), "as-adopted".to_owned());
    }),
    ("another name", |seen| seen.name = "Old".to_owned()),
    ("an edge endpoint", |seen| seen.settings.endpoint = EndpointType::Edge),
    ("a private endpoint", |seen| seen.settings.endpoint = EndpointType::Private),
    ("disabled", |seen| seen.settings.disabled = true),
    ("a resource policy", |seen| add(seen, "policy")),
    ("older TLS kept out", |seen| add(seen, "security-policy")),
    ("binary media types", |seen| add(seen, "binary-media-types")),
    ("an authorizer", |seen| add(seen, "authorizer checker")),
    ("no routes", |seen| seen.definition = Definition::default()),
    ("a route too many", |seen| seen.definition = defining(&[route(), other_route()])),
    ("another protection", |seen| {
        change_method(seen, |method| method["authorizationType"] = json!("AWS_IAM"));
    }),
    ("a validator", |seen| change_method(seen, |method| method["requestValidatorId"] = json!("v1"))),
    ("a method without integration", |seen| {
        change_method(seen, |method| method["methodIntegration"] = Value::Null);
    }),
    ("another definition at the stage", |seen| {
        change_stage(seen, |stage| stage.fingerprint = Some("0123".to_owned()));
    }),
    ("somebody's deployment at the stage", |seen| change_stage(seen, |stage| stage.fingerprint = None)),
    ("limits", |seen| {
        change_stage(seen, |stage| stage.throttle = Some(Throttle { rate: 1.0, burst: 2 }));
    }),
    ("a variable", |seen| change_stage(seen, |stage| stage.variables = level("debug"))),
    ("a canary", |seen| {
        change_stage(seen, |stage| stage.canary = Some("5 % of requests to deployment dep9".to_owned()));
    }),
    ("no stage", |seen| seen.stage = None),
    ("old stages", |seen| seen.old_stages = vec![("v1".to_owned(), false), ("v2".to_owned(), true)]),
    ("a stage of somebody else's", |seen| seen.other_stages = vec!["theirs".to_owned()]),
    ("old deployments", |seen| seen.old_deployments = vec!["old1".to_owned(), "old2".to_owned()]),
    ("leftovers", |seen| seen.leftovers = vec!["left1".to_owned(), "left2".to_owned()]),
    ("a twin", |seen| seen.twins = vec![twin()]),
    ("rivals", |seen| seen.rivals = vec!["api9".to_owned()]),
];

const DECLARED: Edits<RestApi> = &[
    ("two routes", |api| api.definition = defining(&[route(), other_route()])),
    ("a protected route", |api| {
        api.definition = defining(&[Route { auth: Auth::Iam, ..route() }]);
    }),
    ("limits", |api| api.throttle = Some(Throttle { rate: 100.0, burst: 200 })),
    ("a variable", |api| api.variables = level("info")),
    ("another name", |api| api.existing.name = "Orders".to_owned()),
    ("a tag", |api| {
        api.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned());
    }),
];

fn defining(routes: &[Route]) -> Definition {
    Definition::of(routes, "", &scope())
}

fn other_route() -> Route {
    Route { method: "GET".to_owned(), path: "/items/{id}".to_owned(), ..route() }
}

fn level(value: &str) -> BTreeMap<String, String> {
    [("level".to_owned(), value.to_owned())].into()
}

fn twin() -> Twin {
    Twin { id: "twin1".to_owned(), name: "Old".to_owned(), urls: Vec::new(), other_stages: Vec::new() }
}

fn add(seen: &mut Observed, setting: &str) {
    seen.settings.additions.insert(setting.to_owned(), "by hand".to_owned());
}

fn change_stage(seen: &mut Observed, change: impl FnOnce(&mut Stage)) {
    if let Some(stage) = &mut seen.stage {
        change(stage);
    }
}

/// Defines the route as declared, but for this change of its method.
fn change_method(seen: &mut Observed, change: impl FnOnce(&mut Value)) {
    let mut answer = gateway::resources_of(&api().definition.openapi("DynamoDBOperations"));
    let method = &mut answer["item"][1]["resourceMethods"]["POST"];
    change(method);
    if method["methodIntegration"].is_null() {
        method.as_object_mut().unwrap().remove("methodIntegration");
    }
    seen.definition = Definition::read(&paused(gateway::read(&answer)), &BTreeMap::new());
}

/// Everything succeeds, and shows the API as declared, with the old deployments that were observed.
fn always_ok(declared: &RestApi, observed: Option<&Observed>) -> World {
    let tags = observed.map_or_else(|| declared.existing.scope.tags(), |seen| declared.wanted_tags(seen));
    let old = observed.into_iter().flat_map(|seen| &seen.old_deployments);
    let gateway = Gateway::with(|gateway| {
        gateway.apis = vec![listed("api1", 0, &tags)];
        gateway.deployments.extend(old.map(|id| deployment(id, &outdated())));
    });
    let created = listed("api1", 0, &declared.existing.scope.tags());
    gateway.world(vec![
        always(mock!(Client::create_rest_api), done(created)),
        always(mock!(Client::put_rest_api), ok()),
        always(mock!(Client::update_rest_api), ok()),
        always(mock!(Client::tag_resource), ok()),
        always(mock!(Client::create_deployment), done(json!({ "id": "dep2" }))),
        always(mock!(Client::update_stage), ok()),
        always(mock!(Client::delete_stage), ok()),
        always(mock!(Client::delete_deployment), ok()),
        always(mock!(Client::delete_rest_api), ok()),
    ])
}

/// With a new API, or a new stage, go the settings of the stage.
fn detailed(diff: &RestApiDiff) -> Vec<Change> {
    let stage = match diff {
        RestApiDiff::Create(creation) => &creation.stage,
        RestApiDiff::Update(update) => &update.stage,
    };
    let mut changes = diff.changes();
    let hidden: Vec<Change> = stage.changes().filter(|change| !changes.contains(change)).collect();
    changes.extend(hidden);
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(seen, OBSERVED)),
        declared in edited(api, DECLARED),
    ) {
        let observed = observed.map(|observed| observed.value);
        let world = always_ok(&declared.value, observed.as_ref());
        paused(check_apply(EFFECTS, &world, &declared.value, (), observed, detailed))?;
    }
}
