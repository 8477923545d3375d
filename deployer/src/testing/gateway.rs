//! What API Gateway makes of an OpenAPI document, by its developer guide: the import, and the form in which
//! `GetResources` answers afterwards, with everything that API Gateway fills in by itself.

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::types::Resource;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The body of a `GetResources` answer after `document` was imported into an empty API.
///
/// # Panics
/// What API Gateway warns of or refuses: keys that it does not know, an integration response without its method
/// response, a path parameter that is not declared.
pub(crate) fn resources_of(document: &Value) -> Value {
    let declared = document["paths"].as_object().unwrap();
    let mut paths = BTreeSet::from(["/".to_owned()]);
    for path in declared.keys() {
        let parts: Vec<&str> = path.trim_matches('/').split('/').filter(|part| !part.is_empty()).collect();
        paths.extend((1..=parts.len()).map(|depth| format!("/{}", parts[..depth].join("/"))));
    }
    let items: Vec<Value> = paths
        .iter()
        .enumerate()
        .map(|(index, path)| {
            let id = format!("res{index}");
            let mut resource = json!({ "id": id, "path": path });
            if path != "/" {
                resource["parentId"] = json!("res0");
                resource["pathPart"] = json!(path.rsplit('/').next());
            }
            if let Some(item) = declared.get(path) {
                let methods = item.as_object().unwrap().iter();
                let methods = methods.map(|(name, operation)| method(document, path, &id, name, operation));
                resource["resourceMethods"] = Value::Object(methods.collect());
            }
            resource
        })
        .collect();
    json!({ "item": items })
}

/// The same, as the SDK reads it.
pub(crate) async fn read(answer: &Value) -> Vec<Resource> {
    let body = answer.to_string();
    let rule = mock!(Client::get_resources).then_http_response(move || {
        HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body.clone()))
    });
    let client = mock_client!(aws_sdk_apigateway, RuleMode::MatchAny, [&rule]);
    client.get_resources().rest_api_id("api1").send().await.unwrap().items.unwrap_or_default()
}

fn method(document: &Value, path: &str, resource: &str, name: &str, operation: &Value) -> (String, Value) {
    only(
        operation,
        &[
            "parameters",
            "responses",
            "security",
            "x-amazon-apigateway-auth",
            "x-amazon-apigateway-integration",
        ],
    );
    let name = match name {
        "x-amazon-apigateway-any-method" => "ANY".to_owned(),
        verb => verb.to_uppercase(),
    };
    let auth = operation.pointer("/x-amazon-apigateway-auth/type").and_then(Value::as_str).unwrap_or("NONE");
    let mut method = json!({
        "httpMethod": name,
        "authorizationType": auth,
        "apiKeyRequired": needs_api_key(document, operation),
    });
    let parameters = parameters(path, operation);
    if !parameters.is_empty() {
        method["requestParameters"] = json!(parameters);
    }
    let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
    if !statuses.is_empty() {
        let responses = statuses.iter().map(|status| ((*status).clone(), json!({ "statusCode": status })));
        method["methodResponses"] = Value::Object(responses.collect());
    }
    if let Some(declared) = operation.get("x-amazon-apigateway-integration") {
        method["methodIntegration"] = integration(resource, declared, &statuses);
    }
    (name, method)
}

fn integration(resource: &str, declared: &Value, statuses: &[&String]) -> Value {
    only(declared, &["type", "uri", "httpMethod", "passthroughBehavior", "timeoutInMillis", "responses"]);
    let upper = |key: &str| declared[key].as_str().unwrap().to_uppercase();
    let mut integration = json!({
        "type": upper("type"),
        "uri": declared["uri"],
        "httpMethod": declared["httpMethod"],
        "passthroughBehavior": upper("passthroughBehavior"),
        "timeoutInMillis": declared["timeoutInMillis"],
        "cacheNamespace": resource,
        "cacheKeyParameters": [],
    });
    let responses = declared.get("responses").and_then(Value::as_object).into_iter().flatten();
    let responses: Map<String, Value> = responses
        .map(|(pattern, response)| {
            only(response, &["statusCode"]);
            let status = response["statusCode"].as_str().unwrap().to_owned();
            assert!(statuses.contains(&&status), "No method response exists for method: {status}");
            let answer = match pattern.as_str() {
                "default" => json!({ "statusCode": status }),
                pattern => json!({ "statusCode": status, "selectionPattern": pattern }),
            };
            (status, answer)
        })
        .collect();
    if !responses.is_empty() {
        integration["integrationResponses"] = Value::Object(responses);
    }
    integration
}

/// An API key is asked for by a security scheme of exactly this form.
fn needs_api_key(document: &Value, operation: &Value) -> bool {
    let schemes = operation.get("security").and_then(Value::as_array).into_iter().flatten();
    schemes.flat_map(|scheme| scheme.as_object().unwrap().keys()).any(|name| {
        let scheme = &document["components"]["securitySchemes"][name];
        assert_eq!(scheme, &json!({ "type": "apiKey", "name": "x-api-key", "in": "header" }), "{name}");
        true
    })
}

fn parameters(path: &str, operation: &Value) -> BTreeMap<String, bool> {
    let declared = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let declared: BTreeMap<String, bool> = declared
        .map(|parameter| {
            assert_eq!(parameter["in"], "path");
            let name = parameter["name"].as_str().unwrap();
            (format!("method.request.path.{name}"), parameter["required"].as_bool().unwrap())
        })
        .collect();
    for part in path.split('/').filter(|part| part.starts_with('{')) {
        let name = part.trim_matches(['{', '}', '+']);
        assert!(declared.contains_key(&format!("method.request.path.{name}")), "{part} is not declared");
    }
    declared
}

fn only(object: &Value, known: &[&str]) {
    for key in object.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "API Gateway would warn of {key}");
    }
}
