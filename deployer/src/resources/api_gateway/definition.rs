//! A REST API's definition: rendered from the manifest as one OpenAPI document, read back from what API Gateway says,
//! and compared property by property. Pure; the calls are in `resources/rest_api.rs`.

mod observe;

use crate::engine::{Change, Impact};
use crate::manifest::{Auth, IntegrationKind, Route};
use crate::names::Scope;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The methods of an API, by path and method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Definition(BTreeMap<(String, String), Method>);

/// One method with its integration, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Method {
    authorization: String,
    api_key: bool,
    /// `None` for a method that was left half-built: nothing can be deployed then.
    integration: Option<Integration>,
    /// Statuses that the method may answer with, each with what it means. API Gateway does not give the meanings back.
    statuses: BTreeMap<String, String>,
    /// What no route declares and somebody added, by its name. None of it is ours.
    additions: BTreeMap<String, String>,
}

/// The authorization that is none.
const OPEN: &str = "NONE";

/// The addition that turns requests away which do not fit their model.
const VALIDATOR: &str = "validator";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Integration {
    kind: String,
    uri: String,
    http_method: String,
    passthrough: String,
    timeout_ms: i32,
    /// Selection pattern by status; the empty pattern is the default.
    responses: BTreeMap<String, String>,
}

impl Definition {
    pub(crate) fn of(routes: &[Route], suffix: &str, scope: &Scope) -> Self {
        let method = |route: &Route| {
            let (mut statuses, mut responses) = (BTreeMap::new(), BTreeMap::new());
            if route.integration == IntegrationKind::Aws {
                statuses.insert("200".to_owned(), "Done".to_owned());
                responses.insert("200".to_owned(), String::new());
                for (status, response) in route.error_responses.iter() {
                    statuses.insert(status.clone(), response.meaning.clone());
                    responses.insert(status.clone(), response.pattern.clone());
                }
            }
            Method {
                authorization: if route.auth == Auth::Iam { "AWS_IAM" } else { OPEN }.to_owned(),
                api_key: route.auth == Auth::ApiKey,
                statuses,
                integration: Some(Integration {
                    kind: match route.integration {
                        IntegrationKind::Aws => "AWS",
                        IntegrationKind::AwsProxy => "AWS_PROXY",
                    }
                    .to_owned(),
                    uri: scope.integration_uri(&format!("{}{suffix}", route.function)),
                    // Lambda is invoked by POST, whatever the client sent.
                    http_method: "POST".to_owned(),
                    passthrough: "WHEN_NO_MATCH".to_owned(),
                    timeout_ms: route.timeout_ms,
                    responses,
                }),
                additions: BTreeMap::new(),
            }
        };
        Self(routes.iter().map(|route| ((route.path.clone(), route.method.clone()), method(route))).collect())
    }

    /// What `PutRestApi` takes.
    pub(crate) fn openapi(&self, title: &str) -> Value {
        let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for ((path, name), method) in &self.0 {
            let name =
                if name == "ANY" { "x-amazon-apigateway-any-method".to_owned() } else { name.to_lowercase() };
            paths.entry(path).or_default().insert(name, method.openapi(path));
        }
        let mut document = json!({
            "openapi": "3.0.1",
            "info": { "title": title, "version": "1" },
            "paths": paths,
        });
        if self.0.values().any(|method| method.api_key) {
            document["components"] = json!({
                "securitySchemes": { "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" } }
            });
        }
        // A feature of serde_json's that any dependency may switch on keeps the order of insertion instead, and the
        // fingerprint of one definition would depend on how this program was built.
        document.sort_all_objects();
        document
    }

    /// The same for the same definition, whoever renders it: kept with the deployment, it says what is deployed.
    pub(crate) fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.openapi("").to_string());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same routes, with paths that differ from `seen` in their case alone spelled as they are there.
    ///
    /// The console lower-cases what people type, and their URLs are in use.
    pub(crate) fn spelled_like(&self, seen: &Self) -> Self {
        let methods = self.0.iter().map(|((path, name), method)| {
            let path = self.spelled(path, seen).unwrap_or(path);
            ((path.clone(), name.clone()), method.clone())
        });
        Self(methods.collect())
    }

    /// Each declared path with its spelling in `other`, which came out of [`Self::spelled_like`].
    pub(crate) fn spelling(&self, other: &Self) -> BTreeMap<String, String> {
        let declared = self.0.keys().map(|(path, _)| path);
        declared.filter_map(|path| Some((path.clone(), self.spelled(path, other)?.clone()))).collect()
    }

    /// A path is first of all itself. Where several are alike, none gives way: two routes would become one.
    fn spelled<'a>(&self, path: &str, there: &'a Self) -> Option<&'a String> {
        let alike = |other: &str| other.eq_ignore_ascii_case(path);
        let is_alone = !self.0.keys().any(|(other, _)| other != path && alike(other));
        let mut paths = there.0.keys().map(|(path, _)| path);
        let itself = paths.clone().find(|other| *other == path);
        itself.or_else(|| paths.find(|other| is_alone && alike(other)))
    }

    /// What differs from `seen`, in an order that reads well.
    pub(crate) fn diff(&self, seen: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, wanted) in &self.0 {
            match seen.0.get(key) {
                None => changes.extend(Change::update(shown(key), None, Some("declared"), Impact::None)),
                Some(method) => changes.extend(wanted.diff(method, &shown(key))),
            }
        }
        for key in seen.0.keys().filter(|key| !self.0.contains_key(key)) {
            let what = format!("route {}", shown(key));
            let impact = Impact::Loses { what, means: "its requests fail from then on" };
            changes.extend(Change::update(shown(key), Some("present"), None, impact));
        }
        changes
    }

    /// How `seen` protects its methods otherwise than declared, each in words: what must not be deployed. Methods that
    /// are not there, or are there and not declared, count: nobody knows how they are protected.
    pub(crate) fn unlike_in_protection(&self, seen: &Self) -> Vec<String> {
        let keys: BTreeSet<_> = self.0.keys().chain(seen.0.keys()).collect();
        let unlike = keys.into_iter().filter_map(|key| {
            let (wanted, seen) =
                (self.0.get(key).map(Method::protection), seen.0.get(key).map(Method::protection));
            let words =
                |protection: Option<String>| protection.unwrap_or_else(|| "no such method".to_owned());
            (wanted != seen).then(|| format!("{} has {}, not {}", shown(key), words(seen), words(wanted)))
        });
        unlike.collect()
    }

    /// How many resources API Gateway makes of the paths: one for each part, and the root.
    pub(crate) fn resources(&self) -> usize {
        let parts = self.0.keys().flat_map(|(path, _)| path.match_indices('/').map(|(at, _)| &path[..at]));
        let whole = self.0.keys().map(|(path, _)| path.trim_end_matches('/'));
        parts.chain(whole).chain([""]).collect::<BTreeSet<_>>().len()
    }

    /// The path and method that make the longest ARN.
    pub(crate) fn longest(&self) -> Option<(&str, &str)> {
        let routes = self.0.keys().map(|(path, method)| (path.as_str(), method.as_str()));
        routes.max_by_key(|(path, method)| path.len() + method.len())
    }
}

fn shown((path, method): &(String, String)) -> String {
    format!("{method} {path}")
}

impl Method {
    fn openapi(&self, path: &str) -> Value {
        let responses: Map<String, Value> = self
            .statuses
            .iter()
            .map(|(status, meaning)| (status.clone(), json!({ "description": meaning })))
            .collect();
        let mut operation = json!({ "responses": responses });
        let parameters: Vec<Value> = path_parameters(path)
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(integration) = &self.integration {
            operation["x-amazon-apigateway-integration"] = integration.openapi();
        }
        if self.authorization == "AWS_IAM" {
            operation["x-amazon-apigateway-auth"] = json!({ "type": "AWS_IAM" });
        }
        if self.api_key {
            operation["security"] = json!([{ "api_key": [] }]);
        }
        operation
    }

    fn diff(&self, seen: &Self, place: &str) -> Vec<Change> {
        let field = |name: &str| format!("{place} {name}");
        // Another protection is asked about whichever it was: whom it let in is not known here.
        let opens = |was_closed: bool, means| {
            if was_closed { Impact::LetsIn { what: place.to_owned(), means } } else { Impact::None }
        };
        let mut changes: Vec<Change> = Vec::new();
        changes.extend(Change::update(
            field("authorization"),
            seen.authorization.as_str(),
            self.authorization.as_str(),
            opens(seen.authorization != OPEN, self.who_may_call()),
        ));
        changes.extend(Change::update(
            field("api-key"),
            Some(seen.api_key),
            Some(self.api_key),
            opens(seen.api_key, self.who_may_call()),
        ));
        let statuses = |side: &Self| side.statuses.keys().cloned().collect::<Vec<_>>().join(", ");
        changes.extend(Change::update(field("responses"), statuses(seen), statuses(self), Impact::None));
        match (&self.integration, &seen.integration) {
            (Some(wanted), Some(seen)) => changes.extend(wanted.diff(seen, place)),
            (wanted, seen) => changes.extend(Change::update(
                field("integration"),
                seen.as_ref().map(|i| i.uri.clone()),
                wanted.as_ref().map(|i| i.uri.clone()),
                Impact::None,
            )),
        }
        changes.extend(seen.additions.iter().filter_map(|(name, text)| {
            let unchecked = "requests that it turns away reach the function from then on";
            Change::update(field(name), Some(text.as_str()), None, opens(name == VALIDATOR, unchecked))
        }));
        changes
    }

    /// Who gets through to the integration, as a sentence about the time after a change.
    fn who_may_call(&self) -> &'static str {
        match (self.authorization == OPEN, self.api_key) {
            (true, false) => "anybody may call it from then on",
            (true, true) => "whoever has an API key may call it from then on",
            (false, _) => "whoever IAM allows to may call it from then on",
        }
    }

    /// All that keeps requests out, in words.
    fn protection(&self) -> String {
        let key = if self.api_key { " and an API key" } else { "" };
        let validator = self.additions.get(VALIDATOR).map(|name| format!(" and the validator {name}"));
        format!("authorization {}{key}{}", self.authorization, validator.unwrap_or_default())
    }
}

impl Integration {
    fn openapi(&self) -> Value {
        let responses: Map<String, Value> = self
            .responses
            .iter()
            .map(|(status, pattern)| {
                let key = if pattern.is_empty() { "default" } else { pattern };
                (key.to_owned(), json!({ "statusCode": status }))
            })
            .collect();
        let mut integration = json!({
            "type": self.kind.to_lowercase(),
            "uri": self.uri,
            "httpMethod": self.http_method,
            "passthroughBehavior": self.passthrough.to_lowercase(),
            "timeoutInMillis": self.timeout_ms,
        });
        if !responses.is_empty() {
            integration["responses"] = Value::Object(responses);
        }
        integration
    }

    fn diff(&self, seen: &Self, place: &str) -> Vec<Change> {
        let field = |name: &str| format!("{place} integration.{name}");
        let text =
            |name: &str, seen: &str, wanted: &str| Change::update(field(name), seen, wanted, Impact::None);
        let mut changes: Vec<Change> = [
            text("type", &seen.kind, &self.kind),
            text("uri", &seen.uri, &self.uri),
            text("http-method", &seen.http_method, &self.http_method),
            text("passthrough", &seen.passthrough, &self.passthrough),
            Change::update(field("timeout-ms"), Some(seen.timeout_ms), Some(self.timeout_ms), Impact::None),
        ]
        .into_iter()
        .flatten()
        .collect();
        let statuses: BTreeSet<&String> = seen.responses.keys().chain(self.responses.keys()).collect();
        changes.extend(statuses.into_iter().filter_map(|status| {
            let of = |side: &Self| side.responses.get(status).map(|pattern| in_quotes(pattern));
            Change::update(field(&format!("responses.{status}")), of(seen), of(self), Impact::None)
        }));
        changes
    }
}

/// So that an empty pattern can be seen, and that a template is one line.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\n', "\\n"))
}

/// OpenAPI wants each one declared. `{proxy+}` takes the rest of a path, and is called `proxy`.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+'))
}

#[cfg(test)]
mod tests;
