//! What API Gateway answers to questions, page by page.

use super::NO_SUCH;
use crate::engine::{Step, absent, pages};
use crate::error::Result;
use aws_sdk_apigateway::config::Intercept;
use aws_sdk_apigateway::operation::get_resources::GetResources;
use aws_sdk_apigateway::types::{Deployment, Resource, RestApi, Stage};
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
use serde_json::Value;

/// The most that API Gateway returns in one page.
const PAGE: i32 = 500;

/// Every API of the account and region.
pub(super) async fn apis(step: &Step<'_>) -> Result<Vec<RestApi>> {
    pages(async |position| {
        let list = step.aws.apigateway.get_rest_apis().limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetRestApis", list.clone().send())).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    })
    .await
}

/// An API's resources with their methods; `None` when there is no such API.
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

/// An API's deployments; `None` when there is no such API.
pub(super) async fn deployments(step: &Step<'_>, id: &str) -> Result<Option<Vec<Deployment>>> {
    let all = pages(async |position| {
        let list = step.aws.apigateway.get_deployments().rest_api_id(id).limit(PAGE).set_position(position);
        let list = || step.call("apigateway:GetDeployments", list.clone().send());
        let page = step.retry(&[], list).await?;
        Ok((page.items.unwrap_or_default(), page.position))
    });
    absent(all.await, NO_SUCH)
}

/// All of an API's stages, in one page always; `None` when there is no such API.
pub(super) async fn stages(step: &Step<'_>, id: &str) -> Result<Option<Vec<Stage>>> {
    let list = step.aws.apigateway.get_stages().rest_api_id(id);
    let list = || step.call("apigateway:GetStages", list.clone().send());
    Ok(absent(step.retry(&[], list).await, NO_SUCH)?.map(|page| page.item.unwrap_or_default()))
}

/// Takes nulls out of an answer before the SDK reads it.
///
/// API Gateway returns an empty mapping template as null, as every integration has one that was made in the console.
/// The model that the SDK is made from knows of no nulls in maps, and the SDK would refuse the whole answer.
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

/// The SDK's own reading, of an answer without nulls.
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
