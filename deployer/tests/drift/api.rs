//! The REST API: what is defined, what is deployed, and the stage.

use super::row::{EVERYTHING, FUNCTION, Row, Stack, one};
use serde_json::{Value, json};
use support::aws::items;

const THING: &str = "REST API DynamoDBOperations";
const ROUTE: &str = "POST /DynamoDBManager";

/// A change of the definition goes out as a whole, is deployed, and the deployment of before goes.
const REDEFINE: &[&str] = &["PutRestApi", "CreateDeployment", "DeleteDeployment"];
const STAGE: &[&str] = &["UpdateStage"];

const ANYBODY: &str = "anybody may call it from then on";

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "endpoint",
        change: |stack| {
            stack.patch("", "replace", "/endpointConfiguration/types/REGIONAL", "EDGE");
            one(THING, &["endpoint: EDGE → REGIONAL (in place: id and URL stay; takes up to a minute)"])
        },
        repair: &["UpdateRestApi"],
    },
    Row {
        name: "name",
        change: |stack| {
            stack.patch("", "replace", "/name", "mine");
            one(THING, &["name: mine → DynamoDBOperations"])
        },
        repair: &["PutRestApi"],
    },
    Row {
        name: "the URL switched off",
        change: |stack| {
            stack.patch("", "replace", "/disableExecuteApiEndpoint", "true");
            one(THING, &["default-endpoint: disabled → enabled (the URL answers from then on)"])
        },
        repair: &["UpdateRestApi"],
    },
    Row {
        name: "a resource policy",
        change: |stack| {
            stack.patch("", "replace", "/policy", EVERYTHING);
            one(THING, &[&format!("policy: {EVERYTHING} → (none) (whom it keeps out may call from then on)")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "other settings of the API",
        change: |stack| {
            stack.patch("", "add", "/binaryMediaTypes/image~1png", "");
            stack.patch("", "replace", "/minimumCompressionSize", "1024");
            stack.patch("", "replace", "/apiKeySource", "AUTHORIZER");
            let changes = [
                "api-key-source: AUTHORIZER → (none)",
                "binary-media-types: image/png → (none)",
                "minimum-compression-size: 1024 → (none)",
            ];
            one(THING, &changes)
        },
        repair: REDEFINE,
    },
    Row {
        name: "a resource with a method too many",
        change: |stack| {
            let root = stack.resource("/");
            let made = stack.gateway("POST", &root, &json!({ "pathPart": "extra" }));
            let path = format!("/resources/{}/methods/GET", made["id"].as_str().unwrap());
            stack.gateway("PUT", &path, &json!({ "authorizationType": "NONE" }));
            stack.gateway("PUT", &format!("{path}/integration"), &json!({ "type": "MOCK" }));
            one(THING, &["GET /extra: present → (none) (its requests fail from then on)"])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a method removed",
        change: |stack| {
            stack.gateway("DELETE", &route(stack), &Value::Null);
            one(THING, &[&format!("{ROUTE}: (none) → declared")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a resource removed",
        change: |stack| {
            stack.gateway("DELETE", &stack.resource("/DynamoDBManager"), &Value::Null);
            one(THING, &[&format!("{ROUTE}: (none) → declared")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "authorization",
        change: |stack| {
            stack.patch(&route(stack), "replace", "/authorizationType", "AWS_IAM");
            one(THING, &[&format!("{ROUTE} authorization: AWS_IAM → NONE ({ANYBODY})")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "API key",
        change: |stack| {
            stack.patch(&route(stack), "replace", "/apiKeyRequired", "true");
            one(THING, &[&format!("{ROUTE} api-key: true → false ({ANYBODY})")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "parts that nobody declared",
        change: |stack| {
            let validator = json!({ "name": "body", "validateRequestBody": true });
            let made = stack.gateway("POST", "/requestvalidators", &validator);
            stack.patch(&route(stack), "replace", "/requestValidatorId", made["id"].as_str().unwrap());
            let authorizer = json!({
                "name": "checker", "type": "TOKEN", "identitySource": "method.request.header.Authorization",
                "authorizerUri": integration(stack)["uri"],
            });
            stack.gateway("POST", "/authorizers", &authorizer);
            let model = json!({ "name": "Order", "contentType": "application/json", "schema": "{}" });
            stack.gateway("POST", "/models", &model);
            stack.gateway("PUT", "/gatewayresponses/THROTTLED", &json!({ "statusCode": "503" }));
            let unchecked = "requests that it turns away reach the function from then on";
            let changes = [
                "authorizer checker: TOKEN, method.request.header.Authorization → (none)",
                "gateway-response THROTTLED: HTTP 503 → (none)",
                "model Order: application/json → (none)",
                "validator body: body → (none)",
                &format!("{ROUTE} validator: body → (none) ({unchecked})"),
            ];
            one(THING, &changes)
        },
        repair: REDEFINE,
    },
    Row {
        name: "a canary",
        change: |stack| {
            let made = stack.gateway("POST", "/deployments", &json!({ "description": "mine" }));
            let id = made["id"].as_str().unwrap();
            stack.patch("/stages/Prod", "replace", "/canarySettings/deploymentId", id);
            stack.patch("/stages/Prod", "replace", "/canarySettings/percentTraffic", "12.5");
            let meaning = "(all requests go to what is declared from then on)";
            one(THING, &[&format!("canary: 12.5 % of requests to deployment {id} → (none) {meaning}")])
        },
        repair: STAGE,
    },
    Row {
        name: "a method response added",
        change: |stack| {
            stack.gateway("PUT", &format!("{}/responses/418", route(stack)), &json!({}));
            let ours = "200, 400, 404, 409, 413, 429, 500, 503";
            let both = "200, 400, 404, 409, 413, 418, 429, 500, 503";
            one(THING, &[&format!("{ROUTE} responses: {both} → {ours}")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "integration removed",
        change: |stack| {
            let uri = integration(stack)["uri"].as_str().unwrap().to_owned();
            stack.gateway("DELETE", &format!("{}/integration", route(stack)), &Value::Null);
            one(THING, &[&format!("{ROUTE} integration: (none) → {uri}")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "type of the integration",
        change: |stack| {
            let mut changed = integration(stack);
            changed["type"] = "AWS_PROXY".into();
            stack.gateway("PUT", &format!("{}/integration", route(stack)), &changed);
            let again = ["200", "400", "404", "409", "413", "429", "500", "503"];
            let path = format!("{}/integration/responses", route(stack));
            for status in again {
                let response = json!({ "selectionPattern": changed["integrationResponses"][status]["selectionPattern"] });
                stack.gateway("PUT", &format!("{path}/{status}"), &response);
            }
            one(THING, &[&format!("{ROUTE} integration.type: AWS_PROXY → AWS")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "URI of the integration",
        change: |stack| {
            let ours = integration(stack)["uri"].as_str().unwrap().to_owned();
            let other = ours.replace(FUNCTION, "another");
            stack.patch(&format!("{}/integration", route(stack)), "replace", "/uri", &other);
            one(THING, &[&format!("{ROUTE} integration.uri: {other} → {ours}")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "method of the integration",
        change: |stack| {
            stack.patch(&format!("{}/integration", route(stack)), "replace", "/httpMethod", "GET");
            one(THING, &[&format!("{ROUTE} integration.http-method: GET → POST")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "what passes the integration without a template",
        change: |stack| {
            let place = format!("{}/integration", route(stack));
            stack.patch(&place, "replace", "/passthroughBehavior", "NEVER");
            one(THING, &[&format!("{ROUTE} integration.passthrough: NEVER → WHEN_NO_MATCH")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "timeout of the integration",
        change: |stack| {
            let place = format!("{}/integration", route(stack));
            stack.patch(&place, "replace", "/timeoutInMillis", "3000");
            one(THING, &[&format!("{ROUTE} integration.timeout-ms: 3000 → 29000")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a request template",
        change: |stack| {
            let place = format!("{}/integration", route(stack));
            stack.patch(&place, "add", "/requestTemplates/application~1json", "{}");
            one(THING, &[&format!("{ROUTE} integration.templates.application/json: '{{}}' → (none)")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a request parameter",
        change: |stack| {
            let name = "method.request.querystring.page";
            stack.patch(&route(stack), "add", &format!("/requestParameters/{name}"), "true");
            one(THING, &[&format!("{ROUTE} parameters.{name}: required → (none)")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a parameter of the integration",
        change: |stack| {
            let name = "integration.request.header.X";
            let place = format!("{}/integration", route(stack));
            stack.patch(&place, "add", &format!("/requestParameters/{name}"), "'a'");
            one(THING, &[&format!("{ROUTE} integration.parameters.{name}: ''a'' → (none)")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a role of the integration",
        change: |stack| {
            let role = "arn:aws:iam::000000000000:role/theirs";
            stack.patch(&format!("{}/integration", route(stack)), "replace", "/credentials", role);
            one(THING, &[&format!("{ROUTE} integration.credentials: {role} → (none)")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "a template and a parameter of an integration response",
        change: |stack| {
            let header = "method.response.header.X";
            let answer = format!("{}/responses/200", route(stack));
            stack.patch(&answer, "add", &format!("/responseParameters/{header}"), "true");
            let place = format!("{}/integration/responses/200", route(stack));
            stack.patch(&place, "add", &format!("/responseParameters/{header}"), "'a'");
            stack.patch(&place, "add", "/responseTemplates/application~1json", "{}");
            let inner = format!("{ROUTE} integration.responses.200");
            let changes = [
                format!("{inner}.parameters.{header}: ''a'' → (none)"),
                format!("{inner}.templates.application/json: '{{}}' → (none)"),
                format!("{ROUTE} responses.200.parameters.{header}: present → (none)"),
            ];
            one(THING, &changes.each_ref().map(String::as_str))
        },
        repair: REDEFINE,
    },
    Row {
        name: "pattern of an integration response",
        change: |stack| {
            let place = format!("{}/integration/responses/503", route(stack));
            stack.patch(&place, "replace", "/selectionPattern", "Out of order");
            let change = "integration.responses.503: 'Out of order' → 'Service unavailable: .*'";
            one(THING, &[&format!("{ROUTE} {change}")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "an integration response removed",
        change: |stack| {
            let place = format!("{}/integration/responses/503", route(stack));
            stack.gateway("DELETE", &place, &Value::Null);
            let change = "integration.responses.503: (none) → 'Service unavailable: .*'";
            one(THING, &[&format!("{ROUTE} {change}")])
        },
        repair: REDEFINE,
    },
    Row {
        name: "another deployment at the stage",
        change: |stack| {
            let (id, fingerprint) = deployed(stack);
            let made = stack.gateway("POST", "/deployments", &json!({ "description": "mine" }));
            stack.patch("/stages/Prod", "replace", "/deploymentId", made["id"].as_str().unwrap());
            let deployed =
                format!("deployed-definition: (none) → {fingerprint} (one new deployment; the URL stays)");
            one(THING, &[&deployed, &format!("old-deployment: {id} → (none)")])
        },
        repair: &["CreateDeployment", "DeleteDeployment"],
    },
    Row {
        name: "the stage removed",
        change: |stack| {
            let (id, _) = deployed(stack);
            stack.gateway("DELETE", "/stages/Prod", &Value::Null);
            let stage = "stage: (none) → Prod (the URL answers from then on)";
            one(THING, &[stage, &format!("old-deployment: {id} → (none)")])
        },
        repair: &["CreateDeployment", "DeleteDeployment"],
    },
    Row {
        name: "throttling, of which there was none",
        change: |stack| {
            throttle(stack, "10", "5");
            one(THING, &["throttle: 10 a second, 5 at once → (none)"])
        },
        repair: STAGE,
    },
    Row {
        name: "a stage variable added",
        change: |stack| {
            stack.patch("/stages/Prod", "replace", "/variables/extra", "1");
            one(THING, &["variables.extra: 1 → (none)"])
        },
        repair: STAGE,
    },
    Row {
        name: "tag of the API",
        change: |stack| {
            let path = format!("/tags/arn:aws:apigateway:us-east-1::/restapis/{}?tagKeys=team", stack.api);
            stack.aws.rest("apigateway", "DELETE", &path, &Value::Null);
            one(THING, &["tags.team: (none) → shop"])
        },
        repair: &["TagResource"],
    },
];

pub(crate) const FULL: &[Row] = &[
    Row {
        name: "throttling removed",
        change: |stack| {
            throttle(stack, "-1", "-1");
            one(THING, &["throttle: (none) → 100 a second, 200 at once"])
        },
        repair: STAGE,
    },
    Row {
        name: "other throttling",
        change: |stack| {
            throttle(stack, "100", "9");
            one(THING, &["throttle: 100 a second, 9 at once → 100 a second, 200 at once"])
        },
        repair: STAGE,
    },
    Row {
        name: "a stage variable removed",
        change: |stack| {
            stack.patch("/stages/Prod", "remove", "/variables/level", "");
            one(THING, &["variables.level: (none) → debug"])
        },
        repair: STAGE,
    },
    Row {
        name: "a stage variable changed",
        change: |stack| {
            stack.patch("/stages/Prod", "replace", "/variables/mode", "slow");
            one(THING, &["variables.mode: slow → fast"])
        },
        repair: STAGE,
    },
    Row {
        name: "authorization of a declared route",
        change: |stack| {
            let place = format!("{}/methods/GET", stack.resource("/items/{id}"));
            stack.patch(&place, "replace", "/authorizationType", "NONE");
            one(THING, &["GET /items/{id} authorization: NONE → AWS_IAM"])
        },
        repair: REDEFINE,
    },
    Row {
        name: "API key of a declared route",
        change: |stack| {
            let place = format!("{}/methods/PUT", stack.resource("/items/{id}"));
            stack.patch(&place, "replace", "/apiKeyRequired", "false");
            one(THING, &["PUT /items/{id} api-key: false → true"])
        },
        repair: REDEFINE,
    },
    Row {
        name: "timeout of a declared route",
        change: |stack| {
            let place = format!("{}/methods/GET/integration", stack.resource("/items/{id}"));
            stack.patch(&place, "replace", "/timeoutInMillis", "29000");
            one(THING, &["GET /items/{id} integration.timeout-ms: 29000 → 5000"])
        },
        repair: REDEFINE,
    },
];

/// Where the lab's only method is.
fn route(stack: &Stack) -> String {
    format!("{}/methods/POST", stack.resource("/DynamoDBManager"))
}

fn integration(stack: &Stack) -> Value {
    stack.of_api(&format!("{}/integration", route(stack)))
}

/// The deployment at the stage: its id, and what the plan calls it.
fn deployed(stack: &Stack) -> (String, String) {
    let id = stack.of_api("/stages/Prod")["deploymentId"].clone();
    let all = items(&stack.of_api("/deployments")["item"]);
    let deployment = all.iter().find(|one| one["id"] == id).unwrap();
    let description = deployment["description"].as_str().unwrap();
    let fingerprint = description.rsplit(' ').next().unwrap();
    (id.as_str().unwrap().to_owned(), fingerprint[..12].to_owned())
}

fn throttle(stack: &Stack, rate: &str, burst: &str) {
    stack.patch("/stages/Prod", "replace", "/*/*/throttling/rateLimit", rate);
    stack.patch("/stages/Prod", "replace", "/*/*/throttling/burstLimit", burst);
}
