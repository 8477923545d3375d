//! Settings of the API as a whole. Pure.

use crate::resource::Change;
use aws_sdk_apigateway::types::{ApiKeySourceType, EndpointType, Op, PatchOperation, RestApi};
use std::collections::BTreeMap;

/// As API Gateway has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) endpoint: EndpointType,
    /// The URL answers nobody, until it is enabled again.
    pub(crate) disabled: bool,
    /// What no manifest declares and somebody set, by its name. Each definition that is put takes all of it away.
    pub(crate) additions: BTreeMap<String, String>,
}

/// A resource policy as JSON. API Gateway writes it as it would stand inside a JSON string, with slashes escaped too
/// (`\/`); emulators write it as it is.
fn unescaped(policy: &str) -> String {
    let text = serde_json::from_str(&format!("\"{policy}\"")).unwrap_or_else(|_| policy.to_owned());
    text.replace("\\/", "/")
}

impl Settings {
    pub(super) fn read(api: &RestApi) -> Self {
        let endpoint = api.endpoint_configuration().and_then(|endpoint| endpoint.types().first());
        let mut additions = BTreeMap::new();
        let mut add = |name: &str, text: String| drop(additions.insert(name.to_owned(), text));
        if let Some(policy) = api.policy().filter(|policy| !policy.is_empty()) {
            add("policy", unescaped(policy));
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
        Self {
            endpoint: endpoint.cloned().unwrap_or(EndpointType::Edge),
            disabled: api.disable_execute_api_endpoint(),
            additions,
        }
    }

    pub(super) fn diff(&self) -> Vec<Change> {
        let regional = EndpointType::Regional;
        let mut changes: Vec<Change> =
            Change::update("endpoint", self.endpoint.as_str(), regional.as_str()).into_iter().collect();
        let answers = |disabled: bool| if disabled { "disabled" } else { "enabled" };
        changes.extend(Change::update("default-endpoint", answers(self.disabled), answers(false)));
        changes.extend(
            self.additions.iter().filter_map(|(name, text)| Change::update(name, Some(text.as_str()), None)),
        );
        changes
    }

    pub(super) fn is_regional(&self) -> bool {
        self.endpoint == EndpointType::Regional
    }

    /// For what a definition does not hold.
    pub(super) fn patches(&self) -> Vec<PatchOperation> {
        let replace = |path: String, value: &str| {
            PatchOperation::builder().op(Op::Replace).path(path).value(value).build()
        };
        let mut patches = Vec::new();
        if !self.is_regional() {
            let path = format!("/endpointConfiguration/types/{}", self.endpoint.as_str());
            patches.push(replace(path, EndpointType::Regional.as_str()));
        }
        if self.disabled {
            patches.push(replace("/disableExecuteApiEndpoint".to_owned(), "false"));
        }
        patches
    }
}
