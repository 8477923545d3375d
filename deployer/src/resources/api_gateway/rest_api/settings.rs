//! Settings of the API as a whole. Pure.

use crate::engine::{Change, Difference, Impact};
use aws_sdk_apigateway::types::{
    ApiKeySourceType, EndpointConfiguration, EndpointType, Op, PatchOperation, RestApi, SecurityPolicy,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The settings as API Gateway has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) endpoint: EndpointType,
    /// Whether the default endpoint is disabled, so that the URL answers nobody.
    pub(crate) disabled: bool,
    /// Settings that no manifest declares, by name. Putting a definition removes all of them.
    pub(crate) additions: BTreeMap<String, String>,
    pub(crate) tls: Tls,
}

/// The TLS versions that the endpoint accepts. No manifest declares them, and putting a definition resets them unless
/// it repeats them. So our definitions repeat them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    /// `None` for API Gateway's default.
    pub(crate) security_policy: Option<String>,
    pub(crate) access_mode: Option<String>,
}

impl Tls {
    fn read(api: &RestApi) -> Self {
        let policy = api.security_policy().filter(|policy| **policy != SecurityPolicy::Tls10);
        Self {
            security_policy: policy.map(|policy| policy.as_str().to_owned()),
            access_mode: api.endpoint_access_mode().map(|mode| mode.as_str().to_owned()),
        }
    }

    /// Returns the keys of a definition that keep these settings.
    pub(super) fn extensions(&self) -> Map<String, Value> {
        let policy = ("x-amazon-apigateway-security-policy", &self.security_policy);
        let mode = ("x-amazon-apigateway-endpoint-access-mode", &self.access_mode);
        let set = [policy, mode].into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        set.map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect()
    }
}

/// Decodes a resource policy. API Gateway returns it escaped as inside a JSON string, slashes included (`\/`);
/// emulators return plain JSON.
fn unescaped(policy: &str) -> String {
    let text = serde_json::from_str(&format!("\"{policy}\"")).unwrap_or_else(|_| policy.to_owned());
    text.replace("\\/", "/")
}

impl Settings {
    pub(super) fn read(api: &RestApi) -> Self {
        let mut additions = BTreeMap::new();
        let mut add = |name: &str, text: String| drop(additions.insert(name.to_owned(), text));
        if let Some(policy) = api.policy().filter(|policy| !policy.is_empty()) {
            add(POLICY, unescaped(policy));
        }
        if !api.binary_media_types().is_empty() {
            add("binary-media-types", api.binary_media_types().join(", "));
        }
        if let Some(bytes) = api.minimum_compression_size() {
            add("minimum-compression-size", bytes.to_string());
        }
        if let Some(source) = api.api_key_source().filter(|source| **source != ApiKeySourceType::Header) {
            add("api-key-source", source.as_str().to_owned());
        }
        let endpoint = endpoint_type(api.endpoint_configuration());
        let mut tls = Tls::read(api);
        // Each endpoint type has its own security policies.
        if endpoint != EndpointType::Regional
            && let Some(policy) = std::mem::take(&mut tls).security_policy
        {
            add(SECURITY_POLICY, policy);
        }
        Self { endpoint, disabled: api.disable_execute_api_endpoint(), additions, tls }
    }
}

/// The settings of an API that differ from what every API of a stack has.
#[derive(Clone, Debug)]
pub(crate) struct SettingsDiff {
    /// What a prompt calls the API.
    api: String,
    endpoint: Option<Difference<EndpointType>>,
    /// Whether the default endpoint is disabled.
    disabled: Option<Difference<bool>>,
    /// Settings that no manifest declares, by their names.
    pub(super) additions: BTreeMap<String, String>,
}

impl SettingsDiff {
    pub(super) fn between(observed: &Settings, api: String) -> Self {
        Self {
            api,
            endpoint: Difference::between(observed.endpoint.clone(), EndpointType::Regional),
            disabled: Difference::between(observed.disabled, false),
            additions: observed.additions.clone(),
        }
    }

    pub(super) fn changes_endpoint(&self) -> bool {
        self.endpoint.is_some() || self.disabled.is_some()
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let endpoint = self.endpoint.as_ref().map(|endpoint| {
            let shown =
                Difference { observed: endpoint.observed.as_str(), declared: endpoint.declared.as_str() };
            shown.update("endpoint", self.endpoint_impact(endpoint))
        });
        let disabled = self.disabled.as_ref().map(|disabled| {
            let answers = |disabled| if disabled { "disabled" } else { "enabled" };
            let (what, means) = (format!("the URL of {}", self.api), "the URL answers from then on");
            Difference { observed: answers(disabled.observed), declared: answers(disabled.declared) }
                .update("default-endpoint", Impact::LetsIn { what, means })
        });
        let additions = self.additions.iter().map(|(name, text)| {
            Difference { observed: Some(text.as_str()), declared: None }
                .update(name.as_str(), self.addition_impact(name))
        });
        endpoint.into_iter().chain(disabled).chain(additions)
    }

    fn endpoint_impact(&self, endpoint: &Difference<EndpointType>) -> Impact {
        match endpoint.observed {
            EndpointType::Private => Impact::LetsIn {
                what: self.api.clone(),
                means: "it was private, and the internet reaches it from then on; its id stays",
            },
            _ => Impact::Notice("in place: id and URL stay; takes up to a minute"),
        }
    }

    fn addition_impact(&self, name: &str) -> Impact {
        match name {
            POLICY => Impact::LetsIn {
                what: format!("{}, without its resource policy", self.api),
                means: "whom it keeps out may call from then on",
            },
            SECURITY_POLICY => Impact::LetsIn {
                what: format!("{}, by older TLS", self.api),
                means: "clients with older versions of TLS get in from then on",
            },
            _ => Impact::None,
        }
    }
}

/// Returns the endpoint type. API Gateway's default is edge.
pub(super) fn endpoint_type(configuration: Option<&EndpointConfiguration>) -> EndpointType {
    let endpoint = configuration.and_then(|configuration| configuration.types().first());
    endpoint.cloned().unwrap_or(EndpointType::Edge)
}

/// Returns the patches that make the endpoint regional and enabled. A definition cannot do that.
pub(super) fn patches(endpoint: &EndpointType, disabled: bool) -> Vec<PatchOperation> {
    let replace =
        |path: String, value: &str| PatchOperation::builder().op(Op::Replace).path(path).value(value).build();
    let mut patches = Vec::new();
    if *endpoint != EndpointType::Regional {
        let path = format!("/endpointConfiguration/types/{}", endpoint.as_str());
        patches.push(replace(path, EndpointType::Regional.as_str()));
    }
    if disabled {
        patches.push(replace("/disableExecuteApiEndpoint".to_owned(), "false"));
    }
    patches
}

/// Names of additions.
const POLICY: &str = "policy";
const SECURITY_POLICY: &str = "security-policy";
