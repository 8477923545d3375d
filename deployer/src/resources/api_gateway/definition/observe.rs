//! Reads a definition from API Gateway's answer, without what API Gateway fills in by itself.

use super::{Definition, Integration, Method, OPEN, VALIDATOR, in_quotes, path_parameters};
use aws_sdk_apigateway::types as sdk;
use std::collections::{BTreeMap, HashMap};

/// API Gateway's longest integration timeout, and its default.
const TIMEOUT_MS: i32 = 29_000;

type Additions = BTreeMap<String, String>;

impl Definition {
    /// Reads an answer of `GetResources` with embedded methods. `names` maps ids of authorizers and validators to
    /// names, because every import makes new ids and people know only names.
    pub(crate) fn read(resources: &[sdk::Resource], names: &BTreeMap<String, String>) -> Self {
        let mut methods = BTreeMap::new();
        for resource in resources {
            let path = resource.path().unwrap_or_default();
            for (name, method) in resource.resource_methods().into_iter().flatten() {
                methods.insert((path.to_owned(), name.clone()), Method::read(method, path, names));
            }
        }
        Self(methods)
    }
}

impl Method {
    fn read(method: &sdk::Method, path: &str, names: &BTreeMap<String, String>) -> Self {
        let responses = method.method_responses().into_iter().flatten();
        let statuses = responses.map(|(status, _)| (status.clone(), String::new())).collect();
        Self {
            authorization: method.authorization_type().unwrap_or(OPEN).to_owned(),
            api_key: method.api_key_required().unwrap_or_default(),
            integration: method.method_integration().map(Integration::read),
            statuses,
            additions: additions(method, path, names),
        }
    }
}

impl Integration {
    fn read(integration: &sdk::Integration) -> Self {
        let responses = integration.integration_responses().into_iter().flatten();
        Self {
            kind: integration.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            uri: integration.uri().unwrap_or_default().to_owned(),
            http_method: integration.http_method().unwrap_or_default().to_owned(),
            passthrough: integration.passthrough_behavior().unwrap_or("WHEN_NO_MATCH").to_owned(),
            timeout_ms: match integration.timeout_in_millis() {
                0 => TIMEOUT_MS,
                timeout => timeout,
            },
            responses: responses
                .map(|(status, response)| {
                    (status.clone(), response.selection_pattern().unwrap_or_default().to_owned())
                })
                .collect(),
        }
    }
}

/// Collects everything that changes requests or answers and that no route declares. Models and descriptions change
/// neither.
fn additions(method: &sdk::Method, path: &str, names: &BTreeMap<String, String>) -> Additions {
    let mut all = Additions::new();
    // Path parameters come from the path.
    let own: Vec<String> = path_parameters(path).map(|name| format!("method.request.path.{name}")).collect();
    for (name, required) in method.request_parameters().into_iter().flatten() {
        if !own.contains(name) {
            let how = if *required { "required" } else { "optional" };
            all.insert(format!("parameters.{name}"), how.to_owned());
        }
    }
    let name_of = |id: &str| names.get(id).map_or(id, String::as_str).to_owned();
    if let Some(id) = method.request_validator_id() {
        all.insert(VALIDATOR.to_owned(), name_of(id));
    }
    if let Some(id) = method.authorizer_id() {
        all.insert("authorizer".to_owned(), name_of(id));
    }
    if !method.authorization_scopes().is_empty() {
        all.insert("scopes".to_owned(), method.authorization_scopes().join(" "));
    }
    for (status, response) in method.method_responses().into_iter().flatten() {
        for name in response.response_parameters().into_iter().flatten().map(|(name, _)| name) {
            all.insert(format!("responses.{status}.parameters.{name}"), "present".to_owned());
        }
    }
    if let Some(integration) = method.method_integration() {
        add_integration(&mut all, integration);
    }
    all
}

fn add_integration(all: &mut Additions, integration: &sdk::Integration) {
    add_texts(all, "integration.templates", integration.request_templates());
    add_texts(all, "integration.parameters", integration.request_parameters());
    add_text(all, "integration.credentials", integration.credentials());
    add_text(all, "integration.content-handling", integration.content_handling().map(|how| how.as_str()));
    for (status, response) in integration.integration_responses().into_iter().flatten() {
        let place = format!("integration.responses.{status}");
        add_texts(all, &format!("{place}.templates"), response.response_templates());
        add_texts(all, &format!("{place}.parameters"), response.response_parameters());
        let content_handling = response.content_handling().map(|how| how.as_str());
        add_text(all, &format!("{place}.content-handling"), content_handling);
    }
}

fn add_text(all: &mut Additions, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        all.insert(name.to_owned(), text.to_owned());
    }
}

/// API Gateway writes an empty template as null.
fn add_texts(all: &mut Additions, place: &str, texts: Option<&HashMap<String, String>>) {
    let texts = texts.into_iter().flatten().filter(|(_, text)| !text.is_empty());
    all.extend(texts.map(|(name, text)| (format!("{place}.{name}"), in_quotes(text))));
}
