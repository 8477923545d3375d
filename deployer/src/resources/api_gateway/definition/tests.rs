//! The definition: rendered, read back as API Gateway answers, and compared.

use super::*;
use crate::lab::ERROR_RESPONSES;
use crate::manifest::Manifest;
use crate::testing::{gateway, plain, scope};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

mod rendering;
mod spelling;

fn route(method: &str, path: &str) -> Route {
    Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "f".to_owned(),
        ..lab_routes().remove(0)
    }
}

fn of(routes: &[Route]) -> Definition {
    Definition::of(routes, "", &scope())
}

fn lab() -> Definition {
    of(&lab_routes())
}

fn lab_routes() -> Vec<Route> {
    Manifest::parse("", Path::new("stack.toml"), "").unwrap().api.routes
}

/// One set of routes for each thing that a manifest can say.
fn route_sets() -> Vec<(&'static str, Vec<Route>)> {
    let aws_proxy = |route: Route| Route { integration: IntegrationKind::AwsProxy, ..route };
    vec![
        ("the root", vec![route("POST", "/")]),
        ("one path", vec![route("POST", "/items")]),
        ("a path below a path", vec![route("POST", "/shop/items")]),
        (
            "several methods of a path",
            vec![route("GET", "/items"), route("PUT", "/items"), route("DELETE", "/items")],
        ),
        ("any method", vec![route("ANY", "/items")]),
        ("any method beside one", vec![route("ANY", "/items"), route("GET", "/items")]),
        ("path parameters", vec![route("GET", "/items/{id}/tags/{tag}")]),
        ("the rest of a path", vec![aws_proxy(route("ANY", "/{proxy+}"))]),
        ("a proxy event", vec![aws_proxy(route("POST", "/items"))]),
        ("IAM", vec![Route { auth: Auth::Iam, ..route("POST", "/items") }]),
        ("an API key", vec![Route { auth: Auth::ApiKey, ..route("POST", "/items") }, route("GET", "/items")]),
        ("a timeout", vec![Route { timeout_ms: 5000, ..route("POST", "/items") }]),
        ("two functions", vec![route("GET", "/a"), Route { function: "g".to_owned(), ..route("GET", "/b") }]),
    ]
}

async fn read_back(definition: &Definition) -> Definition {
    Definition::read(
        &gateway::read(&gateway::resources_of(&definition.openapi("api"))).await,
        &BTreeMap::new(),
    )
}

#[tokio::test]
async fn what_api_gateway_gives_back_is_no_difference() {
    for (what, routes) in route_sets().into_iter().chain([("the lab", Vec::new())]) {
        let declared = if routes.is_empty() { lab() } else { of(&routes) };
        assert_eq!(declared.diff(&read_back(&declared).await), [], "{what}");
    }
}

/// Sets, or with null removes, what a JSON pointer leads to.
fn set(answer: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = answer.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let key = key.replace("~1", "/");
    if value.is_null() {
        parent.remove(&key).expect(pointer);
    } else {
        parent.insert(key, value);
    }
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    let field = format!("POST /DynamoDBManager{field}");
    Change::Update { field, from: from.into(), to: to.into(), impact: Impact::None }
}

#[tokio::test]
async fn each_difference_is_one_change() {
    const METHOD: &str = "/item/1/resourceMethods/POST";
    let declared = lab();
    let answer = gateway::resources_of(&declared.openapi("api"));
    let integration = |name: &str| format!("{METHOD}/methodIntegration{name}");
    let responses = "200, 400, 404, 409, 413, 429, 500, 503";
    let uri = scope().integration_uri("LambdaFunctionOverHttps");
    let quoted = |status: &str| {
        let (_, pattern, _) = ERROR_RESPONSES.iter().find(|(known, ..)| *known == status).unwrap();
        format!("'{pattern}'")
    };
    let cases = [
        (METHOD.to_owned(), Value::Null, update("", None, Some("declared"))),
        (
            format!("{METHOD}/authorizationType"),
            json!("AWS_IAM"),
            update(" authorization", Some("AWS_IAM"), Some("NONE")),
        ),
        (format!("{METHOD}/apiKeyRequired"), json!(true), update(" api-key", Some("true"), Some("false"))),
        (
            format!("{METHOD}/methodResponses/404"),
            Value::Null,
            update(" responses", Some("200, 400, 409, 413, 429, 500, 503"), Some(responses)),
        ),
        (
            format!("{METHOD}/methodResponses/302"),
            json!({ "statusCode": "302" }),
            update(" responses", Some("200, 302, 400, 404, 409, 413, 429, 500, 503"), Some(responses)),
        ),
        (integration(""), Value::Null, update(" integration", None, Some(&uri))),
        (
            integration("/type"),
            json!("AWS_PROXY"),
            update(" integration.type", Some("AWS_PROXY"), Some("AWS")),
        ),
        (integration("/uri"), json!("arn:other"), update(" integration.uri", Some("arn:other"), Some(&uri))),
        (
            integration("/httpMethod"),
            json!("GET"),
            update(" integration.http-method", Some("GET"), Some("POST")),
        ),
        (
            integration("/passthroughBehavior"),
            json!("NEVER"),
            update(" integration.passthrough", Some("NEVER"), Some("WHEN_NO_MATCH")),
        ),
        (
            integration("/timeoutInMillis"),
            json!(5000),
            update(" integration.timeout-ms", Some("5000"), Some("29000")),
        ),
        (
            integration("/requestTemplates"),
            json!({ "application/json": "{}" }),
            update(" integration.templates.application/json", Some("'{}'"), None),
        ),
        (
            format!("{METHOD}/requestParameters"),
            json!({ "method.request.querystring.page": true }),
            update(" parameters.method.request.querystring.page", Some("required"), None),
        ),
        (
            format!("{METHOD}/requestParameters"),
            json!({ "method.request.path.id": false }),
            update(" parameters.method.request.path.id", Some("optional"), None),
        ),
        (format!("{METHOD}/requestValidatorId"), json!("v1"), update(" validator", Some("v1"), None)),
        (
            format!("{METHOD}/methodResponses/200/responseParameters"),
            json!({ "method.response.header.X": false }),
            update(" responses.200.parameters.method.response.header.X", Some("present"), None),
        ),
        (
            integration("/requestParameters"),
            json!({ "integration.request.header.X": "'a'" }),
            update(" integration.parameters.integration.request.header.X", Some("''a''"), None),
        ),
        (
            integration("/credentials"),
            json!("arn:aws:iam::123456789012:role/x"),
            update(" integration.credentials", Some("arn:aws:iam::123456789012:role/x"), None),
        ),
        (
            integration("/contentHandling"),
            json!("CONVERT_TO_TEXT"),
            update(" integration.content-handling", Some("CONVERT_TO_TEXT"), None),
        ),
        (
            integration("/integrationResponses/200/responseTemplates"),
            json!({ "application/json": "{\n}" }),
            update(" integration.responses.200.templates.application/json", Some("'{\\n}'"), None),
        ),
        (
            integration("/integrationResponses/404/responseParameters"),
            json!({ "method.response.header.X": "'a'" }),
            update(" integration.responses.404.parameters.method.response.header.X", Some("''a''"), None),
        ),
        (
            integration("/integrationResponses/200/contentHandling"),
            json!("CONVERT_TO_BINARY"),
            update(" integration.responses.200.content-handling", Some("CONVERT_TO_BINARY"), None),
        ),
        (
            integration("/integrationResponses/404"),
            Value::Null,
            update(" integration.responses.404", None, Some(&quoted("404"))),
        ),
        (
            integration("/integrationResponses/404/selectionPattern"),
            json!(".*gone.*"),
            update(" integration.responses.404", Some("'.*gone.*'"), Some(&quoted("404"))),
        ),
        (
            integration("/integrationResponses/200/selectionPattern"),
            json!("2.."),
            update(" integration.responses.200", Some("'2..'"), Some("''")),
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut answer = answer.clone();
        set(&mut answer, &pointer, value);
        let seen = Definition::read(&gateway::read(&answer).await, &BTreeMap::new());
        assert_eq!(plain(declared.diff(&seen)), [expected], "{pointer}");
    }
}

#[tokio::test]
async fn what_api_gateway_leaves_out_is_its_default() {
    let declared = lab();
    let mut answer = gateway::resources_of(&declared.openapi("api"));
    let method = "/item/1/resourceMethods/POST";
    for pointer in ["/authorizationType", "/apiKeyRequired", "/methodIntegration/timeoutInMillis"] {
        set(&mut answer, &format!("{method}{pointer}"), Value::Null);
    }
    set(&mut answer, &format!("{method}/methodIntegration/passthroughBehavior"), Value::Null);
    set(&mut answer, &format!("{method}/methodIntegration/connectionType"), json!("INTERNET"));
    set(&mut answer, &format!("{method}/methodIntegration/requestTemplates"), json!({ "text/xml": "" }));
    let templates = format!("{method}/methodIntegration/integrationResponses/200/responseTemplates");
    set(&mut answer, &templates, json!({ "application/json": "" }));
    let model = json!({ "application/json": "Empty" });
    set(&mut answer, &format!("{method}/methodResponses/200/responseModels"), model);
    set(
        &mut answer,
        &format!("{method}/methodIntegration/integrationResponses/200/selectionPattern"),
        json!(""),
    );
    let seen = Definition::read(&gateway::read(&answer).await, &BTreeMap::new());
    assert_eq!(declared.diff(&seen), []);
}

/// Who reads the plan has to see whom a change lets in, and `up` asks about each of these.
#[tokio::test]
async fn a_protection_that_goes_says_who_may_call_from_then_on() {
    const METHOD: &str = "/item/1/resourceMethods/POST";
    let anybody = "anybody may call it from then on";
    let cases: [(&str, Value, Auth, &str); 6] = [
        ("authorizationType", json!("AWS_IAM"), Auth::None, anybody),
        ("authorizationType", json!("CUSTOM"), Auth::None, anybody),
        ("authorizationType", json!("CUSTOM"), Auth::Iam, "whoever IAM allows to may call it from then on"),
        (
            "authorizationType",
            json!("CUSTOM"),
            Auth::ApiKey,
            "whoever has an API key may call it from then on",
        ),
        ("apiKeyRequired", json!(true), Auth::None, anybody),
        (
            "requestValidatorId",
            json!("v1"),
            Auth::None,
            "requests that it turns away reach the function from then on",
        ),
    ];
    for (key, value, auth, means) in cases {
        let mut declared = route("POST", "/items");
        declared.auth = auth;
        let declared = of(&[declared]);
        let mut answer = gateway::resources_of(&declared.openapi("api"));
        set(&mut answer, &format!("{METHOD}/{key}"), value);
        let seen = Definition::read(&gateway::read(&answer).await, &BTreeMap::new());
        let changes = declared.diff(&seen);
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(
            (change.opening(), change.means(Kind::RestApi)),
            (Some("POST /items"), Some(means)),
            "{key}"
        );
    }
}

/// The other way round nobody gets in, and nobody is asked.
#[tokio::test]
async fn a_protection_that_comes_is_not_asked_about() {
    for auth in [Auth::Iam, Auth::ApiKey] {
        let mut closed = route("POST", "/items");
        closed.auth = auth;
        let changes = of(&[closed]).diff(&read_back(&of(&[route("POST", "/items")])).await);
        assert!(changes.len() == 1 && changes[0].opening().is_none(), "{changes:?}");
    }
}

#[tokio::test]
async fn unlike_protection_is_told_method_by_method() {
    let mut closed = route("GET", "/items");
    closed.auth = Auth::Iam;
    let declared = of(&[closed, route("POST", "/items")]);
    assert_eq!(declared.unlike_in_protection(&read_back(&declared).await), [""; 0]);
    let open = of(&[route("GET", "/items"), route("PUT", "/old")]);
    assert_eq!(
        declared.unlike_in_protection(&read_back(&open).await),
        [
            "GET /items has authorization NONE, not authorization AWS_IAM",
            "POST /items has no such method, not authorization NONE",
            "PUT /old has authorization NONE, not no such method",
        ]
    );
}

#[test]
fn resources_are_counted_by_the_parts_of_paths() {
    let cases: [(&[&str], usize); 5] =
        [(&["/"], 1), (&["/a"], 2), (&["/a/b"], 3), (&["/a/b", "/a/c", "/a"], 4), (&["/a/{x}", "/b"], 4)];
    for (paths, expected) in cases {
        let routes: Vec<Route> = paths.iter().map(|path| route("GET", path)).collect();
        assert_eq!(of(&routes).resources(), expected, "{paths:?}");
    }
}

/// API Gateway makes new ids with each import, and people know names.
#[tokio::test]
async fn authorizers_and_validators_are_called_by_their_names() {
    const METHOD: &str = "/item/1/resourceMethods/POST";
    let declared = lab();
    let mut answer = gateway::resources_of(&declared.openapi("api"));
    for (key, value) in [
        ("authorizationType", json!("CUSTOM")),
        ("authorizerId", json!("a1")),
        ("requestValidatorId", json!("v1")),
        ("authorizationScopes", json!(["shop/read", "shop/write"])),
    ] {
        set(&mut answer, &format!("{METHOD}/{key}"), value);
    }
    let names = [("a1", "checker"), ("v1", "body")].map(|(id, name)| (id.to_owned(), name.to_owned()));
    let seen = Definition::read(&gateway::read(&answer).await, &names.into());
    assert_eq!(
        plain(declared.diff(&seen)),
        [
            update(" authorization", Some("CUSTOM"), Some("NONE")),
            update(" authorizer", Some("checker"), None),
            update(" scopes", Some("shop/read shop/write"), None),
            update(" validator", Some("body"), None),
        ]
    );
}

#[tokio::test]
async fn a_method_that_nobody_declared_goes() {
    let declared = of(&[route("POST", "/items")]);
    let seen = read_back(&of(&[route("POST", "/items"), route("GET", "/items"), route("PUT", "/old")])).await;
    let gone = |field: &str| Change::Update {
        field: field.to_owned(),
        from: "present".into(),
        to: Shown::Nothing,
        impact: Impact::Loses { what: format!("route {field}"), means: "its requests fail from then on" },
    };
    assert_eq!(declared.diff(&seen), [gone("GET /items"), gone("PUT /old")]);
}

#[tokio::test]
async fn an_api_without_methods_differs_in_each_of_them() {
    let declared = of(&[route("GET", "/b"), route("GET", "/a")]);
    let seen = Definition::read(
        &gateway::read(&json!({ "item": [{ "id": "r", "path": "/" }] })).await,
        &BTreeMap::new(),
    );
    let missing = |field: &str| Change::Update {
        field: field.to_owned(),
        from: Shown::Nothing,
        to: "declared".into(),
        impact: Impact::None,
    };
    assert_eq!(declared.diff(&seen), [missing("GET /a"), missing("GET /b")]);
}

#[test]
fn a_fingerprint_is_the_same_for_the_same_definition() {
    let (get, put) = (route("GET", "/items"), route("PUT", "/items"));
    let fingerprint = of(&[get.clone(), put.clone()]).fingerprint();
    assert_eq!(fingerprint, of(&[put, get]).fingerprint(), "the order of routes does not matter");
    // It stands in the description of deployments that are already out there: another value deploys every API again.
    assert_eq!(lab().fingerprint(), "f173b55549aa436cf6a24214cd0e5ec02bf785c5ec4998ed7dc58b74146c8384");
}

/// However the lab is declared, and under whatever suffix.
#[test]
fn no_lab_that_is_deployed_is_deployed_again() {
    let manifests = [
        "",
        include_str!("../../../../../stack.toml"),
        "[functions.LambdaFunctionOverHttps]\npackage = \"function\"\n",
    ];
    for text in manifests {
        let routes = Manifest::parse(text, Path::new("stack.toml"), "").unwrap().api.routes;
        let fingerprint = |suffix: &str| Definition::of(&routes, suffix, &scope()).fingerprint();
        assert_eq!(
            fingerprint(""),
            "f173b55549aa436cf6a24214cd0e5ec02bf785c5ec4998ed7dc58b74146c8384",
            "{text}"
        );
        assert_eq!(
            fingerprint("-test"),
            "1166e03cb718a5b5a5f74ec9683c3741ec9e9f7720b331cf42935c11aba67868",
            "{text}"
        );
    }
}

#[test]
fn a_fingerprint_tells_definitions_apart() {
    let scopes = [
        scope(),
        crate::names::Scope { account: "210987654321".to_owned(), ..scope() },
        crate::names::Scope { region: "eu-west-1".to_owned(), ..scope() },
    ];
    let sets = route_sets();
    let fingerprints = sets.iter().flat_map(|(_, routes)| {
        scopes.iter().flat_map(move |scope| {
            ["", "-test"].map(|suffix| Definition::of(routes, suffix, scope).fingerprint())
        })
    });
    let all: BTreeSet<String> = fingerprints.collect();
    assert_eq!(all.len(), sets.len() * scopes.len() * 2);
}

use crate::engine::{Kind, Shown};
