//! Reads APIs and their parts from API Gateway, page by page.

use super::NO_SUCH;
use crate::engine::{Step, absent, pages};
use crate::error::Result;
use aws_sdk_apigateway::config::Intercept;
use aws_sdk_apigateway::operation::get_resources::GetResources;
use aws_sdk_apigateway::types::{
    Authorizer, Deployment, DomainName, GatewayResponse, Model, RequestValidator, Resource, RestApi, Stage,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, Error, Output,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin as _;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;

/// API Gateway's largest page.
const PAGE: i32 = 500;

/// The code of a refused permission.
const DENIED: &[&str] = &["AccessDeniedException", "UnauthorizedException"];

/// Lists all APIs of the account and region.
pub(super) async fn apis(step: &Step<'_>) -> Result<Vec<RestApi>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_rest_apis().limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetRestApis", list.clone().send())).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

/// Lists an API's resources with their methods; `None` when there is no such API.
pub(super) async fn resources(step: &Step<'_>, id: &str) -> Result<Option<Vec<Resource>>> {
    let all = pages(async |position| {
        let list = step.aws.apigateway.get_resources().rest_api_id(id).embed("methods").limit(PAGE);
        let list = list.set_position(position);
        let list = || {
            step.call("apigateway:GetResources", list.clone().customize().interceptor(WithoutNulls).send())
        };
        let page = step.retry(&[], list).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    });
    absent(all.await, NO_SUCH)
}

/// Lists an API's deployments; `None` when there is no such API.
pub(super) async fn deployments(step: &Step<'_>, id: &str) -> Result<Option<Vec<Deployment>>> {
    let all = pages(async |position| {
        let list = step.aws.apigateway.get_deployments().rest_api_id(id).limit(PAGE).set_position(position);
        let list = || step.call("apigateway:GetDeployments", list.clone().send());
        let page = step.retry(&[], list).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    });
    absent(all.await, NO_SUCH)
}

/// Lists an API's stages, which always come in one page; `None` when there is no such API.
pub(super) async fn stages(step: &Step<'_>, id: &str) -> Result<Option<Vec<Stage>>> {
    let list = step.aws.apigateway.get_stages().rest_api_id(id);
    let list = || step.call("apigateway:GetStages", list.clone().send());
    Ok(absent(step.retry(&[], list).await, NO_SUCH)?.map(|page| page.item.unwrap_or_default()))
}

/// The parts of an API that no manifest declares. Putting a definition removes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// What each is, by the name that a plan shows.
    pub(super) additions: BTreeMap<String, String>,
    /// The names of authorizers and validators, by their ids.
    pub(super) names: BTreeMap<String, String>,
}

/// The models that every new API has.
const GIVEN_MODELS: [&str; 2] = ["Empty", "Error"];

/// Reads an API's authorizers, validators, models and gateway responses; `None` when there is no such API.
pub(super) async fn parts(step: &Step<'_>, id: &str) -> Result<Option<Parts>> {
    let (authorizers, validators, models, responses) = tokio::join!(
        Box::pin(authorizers(step, id)),
        Box::pin(validators(step, id)),
        Box::pin(models(step, id)),
        Box::pin(responses(step, id))
    );
    let (Some(authorizers), Some(validators), Some(models), Some(responses)) = (
        absent(authorizers, NO_SUCH)?,
        absent(validators, NO_SUCH)?,
        absent(models, NO_SUCH)?,
        absent(responses, NO_SUCH)?,
    ) else {
        return Ok(None);
    };
    let mut parts = Parts::default();
    let mut add = |kind: &str, name: &str, text: String| {
        parts.additions.insert(format!("{kind} {name}"), text);
    };
    for one in &authorizers {
        let kind = one.r#type().map_or("", |kind| kind.as_str());
        let source = one.identity_source().unwrap_or("no identity source");
        add("authorizer", one.name().unwrap_or_default(), format!("{kind}, {source}"));
    }
    for one in &validators {
        let checks = [("body", one.validate_request_body), ("parameters", one.validate_request_parameters)];
        let checks: Vec<&str> = checks.into_iter().filter(|(_, on)| *on).map(|(what, _)| what).collect();
        let text = if checks.is_empty() { "nothing".to_owned() } else { checks.join(" and ") };
        add("validator", one.name().unwrap_or_default(), text);
    }
    for one in models.iter().filter(|model| !model.name().is_some_and(|name| GIVEN_MODELS.contains(&name))) {
        add("model", one.name().unwrap_or_default(), one.content_type().unwrap_or("present").to_owned());
    }
    // Unchanged responses are listed too.
    for one in responses.iter().filter(|response| !response.default_response) {
        let kind = one.response_type().map_or("", |kind| kind.as_str());
        let status = one.status_code().map_or("present".to_owned(), |status| format!("HTTP {status}"));
        add("gateway-response", kind, status);
    }
    let ids = authorizers.into_iter().map(|one| (one.id, one.name));
    let ids = ids.chain(validators.into_iter().map(|one| (one.id, one.name)));
    parts.names = ids.filter_map(|(id, name)| Some((id?, name?))).collect();
    Ok(Some(parts))
}

async fn authorizers(step: &Step<'_>, id: &str) -> Result<Vec<Authorizer>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_authorizers().rest_api_id(id).limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetAuthorizers", list.clone().send())).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

async fn validators(step: &Step<'_>, id: &str) -> Result<Vec<RequestValidator>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_request_validators().rest_api_id(id).limit(PAGE);
        let list = list.set_position(position);
        let list = || step.call("apigateway:GetRequestValidators", list.clone().send());
        let page = step.retry(&[], list).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

async fn models(step: &Step<'_>, id: &str) -> Result<Vec<Model>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_models().rest_api_id(id).limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetModels", list.clone().send())).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

async fn responses(step: &Step<'_>, id: &str) -> Result<Vec<GatewayResponse>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_gateway_responses().rest_api_id(id).limit(PAGE);
        let list = list.set_position(position);
        let list = || step.call("apigateway:GetGatewayResponses", list.clone().send());
        let page = step.retry(&[], list).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

/// Lists the custom domain names that lead to an API, each with its mapping. API Gateway refuses to delete the API
/// until they are gone. The list is also empty where the caller may not read them, because the deletion says so then.
pub(super) async fn mappings(step: &Step<'_>, id: &str) -> Result<Vec<String>> {
    let domains = pages(async |position| {
        let list = step.aws.apigateway.get_domain_names().limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetDomainNames", list.clone().send())).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    });
    let Some(domains) = absent(domains.await, DENIED)? else { return Ok(Vec::new()) };
    let of_domain = async |domain: &DomainName| {
        let mapped = pages(async |position| {
            let list = step.aws.apigateway.get_base_path_mappings().limit(PAGE).set_position(position);
            let list = list.set_domain_name(domain.domain_name.clone());
            // Names of private custom domains are not unique.
            let list = list.set_domain_name_id(domain.domain_name_id.clone());
            let list = || step.call("apigateway:GetBasePathMappings", list.clone().send());
            let page = step.retry(&[], list).await?;
            Ok((page.items.unwrap_or_default(), page.position))
        });
        let gone_or_denied = [NO_SUCH, DENIED].concat();
        let mapped = absent(mapped.await, &gone_or_denied)?.unwrap_or_default().into_iter();
        let name = domain.domain_name.as_deref().unwrap_or_default();
        let ours = mapped.filter(|mapping| mapping.rest_api_id() == Some(id));
        Ok(ours
            .map(|mapping| format!("{name}/{}", mapping.base_path().unwrap_or_default()))
            .collect::<Vec<_>>())
    };
    let all: Vec<Result<Vec<String>>> = join_all(domains.iter().map(of_domain)).await;
    Ok(all.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// Removes nulls from an answer before the SDK reads it.
///
/// API Gateway returns an empty mapping template as null, which every integration made in the console has. The SDK's
/// model has no nulls in maps, so the SDK would refuse the whole answer.
#[derive(Debug)]
struct WithoutNulls;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for WithoutNulls {
    fn name(&self) -> &'static str {
        "WithoutNulls"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let sdk = GetResources::new().config().ok_or("GetResources has no configuration")?;
        cfg.interceptor_state().store_put(SharedResponseDeserializer::new(Lenient(sdk)));
        Ok(())
    }
}

/// Lets the SDK read the answer without nulls.
#[derive(Debug)]
struct Lenient(FrozenLayer);

impl DeserializeResponse for Lenient {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        cfg: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let strict = self.0.load::<SharedResponseDeserializer>();
        let strict = strict.ok_or_else(|| OrchestratorError::other("GetResources has no deserializer"))?;
        match without_nulls(response) {
            Some(clean) => strict.deserialize_nonstreaming_with_config(&clean, cfg),
            None => strict.deserialize_nonstreaming_with_config(response, cfg),
        }
    }
}

fn without_nulls(response: &HttpResponse) -> Option<HttpResponse> {
    let mut body: Value = serde_json::from_slice(response.body().bytes()?).ok()?;
    drop_nulls(&mut body);
    let mut clean = HttpResponse::new(response.status(), SdkBody::from(body.to_string()));
    *clean.headers_mut() = response.headers().clone();
    Some(clean)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
