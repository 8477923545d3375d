//! The calls that change an API.

use super::diff::RestApiUpdate;
use super::settings::{Tls, endpoint_type, patches};
use super::stage::{StageUpdate, description, unused};
use super::{NO_SUCH, Observed, Output, RestApi, observe};
use crate::aws::one_attempt;
use crate::engine::{ANSWER_UNCLEAR, Applied, Declared as _, Existing as _, Step, absent};
use crate::error::{Error, Result};
use crate::names::{Owner, Tags};
use crate::resources::api_gateway::definition::Definition;
use crate::resources::api_gateway::waits::{API_BUSY, DEFINITION_TAKEN, OTHER_RUN_DECIDES};
use aws_sdk_apigateway::config::Config;
use aws_sdk_apigateway::operation::get_rest_api::GetRestApiOutput;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    ApiStatus, EndpointConfiguration, EndpointType, Op, PatchOperation, PutMode, RestApi as SdkRestApi,
};
use std::collections::BTreeMap;

impl RestApi {
    pub(super) async fn create_and_deploy(
        &self,
        step: &Step<'_>,
        stage: StageUpdate,
    ) -> Result<Applied<Output, Observed>> {
        let Some(id) = self.create(step).await? else {
            let other = self.observe(step).await?;
            let other = other.filter(|other| self.existing.owner(other) == Owner::Ours);
            let other = other.ok_or_else(|| Error::new("the API of the other run is gone again"))?;
            let why = "another run made the API at the same moment".to_owned();
            return Ok(Applied::Outdated { observed: Some(other), why });
        };
        self.put_definition(step, &id, &self.definition, &Tls::default()).await?;
        self.deploy(step, &id, &self.definition).await?;
        self.update_stage(step, &id, &stage).await?;
        // Another run may have found this API before it was deployed, and have deployed it as well.
        self.delete_unused(step, &id).await?;
        Ok(Applied::Done(Output { id, spelling: BTreeMap::new() }))
    }

    pub(super) async fn update(&self, step: &Step<'_>, seen: &Observed, update: RestApiUpdate) -> Result<()> {
        let definition = self.wanted_definition(seen);
        // This comes first, so that a caller who may not change the definition has changed nothing and claimed
        // nothing.
        if update.redefines() || update.name.is_some() {
            self.put_definition(step, &seen.id, &definition, &seen.settings.tls).await?;
        }
        if update.settings.changes_endpoint() {
            self.update_endpoint(step, &seen.id, &seen.settings.endpoint, seen.settings.disabled).await?;
        }
        if !update.tags.is_empty() {
            self.tag(step, &seen.id, &self.wanted_tags(seen)).await?;
        }
        // API Gateway refuses to deploy to a stage with a canary.
        if update.stage.canary.is_some() {
            self.remove_canary(step, &seen.id).await?;
        }
        if update.redeploys() {
            self.deploy(step, &seen.id, &definition).await?;
        }
        self.update_stage(step, &seen.id, &update.stage).await?;
        // Old stages go only after the new one answers, so that people can move from one URL to the other.
        for (stage, _) in &update.old_stages {
            self.delete_stage(step, &seen.id, stage).await?;
        }
        if update.redeploys() || update.stage.canary.is_some() || !update.old_stages.is_empty() {
            self.delete_unused(step, &seen.id).await?;
        } else {
            for deployment in &update.old_deployments {
                delete_deployment(step, &seen.id, deployment).await?;
            }
        }
        for id in update.other_apis() {
            delete_api(step, id).await?;
        }
        Ok(())
    }

    /// Creates the API and returns its id; `None` if another run has made one, which stays.
    ///
    /// AWS would silently create a second API of the same name, so the call is never repeated blindly: when an answer
    /// is lost, the engine looks for our tags.
    async fn create(&self, step: &Step<'_>) -> Result<Option<String>> {
        let create = step
            .aws
            .apigateway
            .create_rest_api()
            .name(&self.existing.name)
            .endpoint_configuration(EndpointConfiguration::builder().types(EndpointType::Regional).build())
            .set_tags(Some(self.existing.scope.tags().into_iter().collect()));
        let create = || {
            let once = Config::builder().retry_config(one_attempt());
            step.call("apigateway:CreateRestApi", create.clone().customize().config_override(once).send())
        };
        let created = step.retry(&[&API_BUSY], create).await?;
        let id = created
            .id
            .clone()
            .ok_or_else(|| Error::new("API Gateway made an API and did not say its id; run up again"))?;
        let Some(other) = self.rival(step, &id).await? else {
            // The tags are checked, because without them nobody would find the API again.
            let tags: Tags = created.tags.clone().unwrap_or_default().into_iter().collect();
            if tags != self.existing.scope.tags() {
                self.tag(step, &id, &self.existing.scope.tags()).await?;
            }
            let endpoint = endpoint_type(created.endpoint_configuration());
            self.update_endpoint(step, &id, &endpoint, created.disable_execute_api_endpoint).await?;
            return Ok(Some(id));
        };
        step.note(format!("another run made it at the same moment: {other} stays, {id} goes"));
        // Only this run's API is deleted, because the other run may be using its own.
        delete_api(step, &id).await?;
        Ok(None)
    }

    /// Returns the API of another run that this run's API has to give way to.
    ///
    /// Two runs at once may each create an API. Each lists the APIs after creating its own, so at least one of them
    /// sees both. If both do, the creation order decides. If only one does, the other has gone on regardless of the
    /// order, because AWS dates APIs by the second. So the run whose API comes first waits to see which it was.
    async fn rival(&self, step: &Step<'_>, id: &str) -> Result<Option<String>> {
        let all = self.existing.ours(observe::apis(step).await?).0;
        let ids: Vec<&str> = all.iter().filter_map(SdkRestApi::id).collect();
        match ids.split_first() {
            None => Ok(None),
            Some((first, others)) if *first == id => {
                for other in others {
                    let decided = async || match observe::deployments(step, other).await? {
                        None => Ok(Some(false)),
                        Some(deployments) => Ok((!deployments.is_empty()).then_some(true)),
                    };
                    if step.until(&OTHER_RUN_DECIDES, decided).await? {
                        return Ok(Some((*other).to_owned()));
                    }
                }
                Ok(None)
            }
            Some((first, _)) => Ok(Some((*first).to_owned())),
        }
    }

    /// Puts the whole definition and reads it back. Nothing is deployed that is not protected as declared.
    ///
    /// # Errors
    /// Fails when API Gateway has stored another definition. Nothing is deployed then.
    async fn put_definition(
        &self,
        step: &Step<'_>,
        id: &str,
        definition: &Definition,
        tls: &Tls,
    ) -> Result<()> {
        let mut document = definition.openapi(&self.existing.name);
        if let Some(document) = document.as_object_mut() {
            document.extend(tls.extensions());
        }
        let put = step
            .aws
            .apigateway
            .put_rest_api()
            .rest_api_id(id)
            .mode(PutMode::Overwrite)
            .fail_on_warnings(true)
            .body(Blob::new(document.to_string()));
        step.retry(&[&API_BUSY], || step.call("apigateway:PutRestApi", put.clone().send())).await?;
        let mut unlike = Vec::new();
        let looked = step.until(&DEFINITION_TAKEN, async || {
            let resources = observe::resources(step, id).await?;
            let gone = || Error::new(format!("the API {id} was deleted meanwhile"));
            let taken = Definition::read(&resources.ok_or_else(gone)?, &BTreeMap::new());
            unlike = definition.unlike_in_protection(&taken);
            Ok(unlike.is_empty().then_some(()))
        });
        looked.await.map_err(|error| {
            if unlike.is_empty() {
                return error;
            }
            error.context(&format!(
                "API Gateway has not taken the definition as declared, so it is not deployed ({})",
                unlike.join("; ")
            ))
        })
    }

    /// Sets tags and waits until they are visible, because they say whose the API is.
    async fn tag(&self, step: &Step<'_>, id: &str, tags: &Tags) -> Result<()> {
        let tag = step.aws.apigateway.tag_resource().resource_arn(self.existing.scope.rest_api_arn(id));
        let tag = tag.set_tags(Some(tags.clone().into_iter().collect()));
        step.retry(&[&API_BUSY], || step.call("apigateway:TagResource", tag.clone().send())).await?;
        step.until(&ANSWER_UNCLEAR, async || {
            let seen = get(step, id).await?.tags.unwrap_or_default();
            Ok(tags.iter().all(|(key, value)| seen.get(key) == Some(value)).then_some(()))
        })
        .await
        .map_err(|error| error.context(&format!("the API {id} does not show the tags that were set")))
    }

    /// Removes the canary. All requests then go to the stage's own deployment.
    async fn remove_canary(&self, step: &Step<'_>, id: &str) -> Result<()> {
        let remove = PatchOperation::builder().op(Op::Remove).path("/canarySettings").build();
        let update = step.aws.apigateway.update_stage().rest_api_id(id).stage_name(&self.existing.stage);
        let update = update.patch_operations(remove);
        step.retry(&[&API_BUSY], || step.call("apigateway:UpdateStage", update.clone().send())).await?;
        Ok(())
    }

    /// Deletes our unused deployments: the previous one, and that of another run at the same moment.
    async fn delete_unused(&self, step: &Step<'_>, id: &str) -> Result<()> {
        let (deployments, stages) = tokio::join!(observe::deployments(step, id), observe::stages(step, id));
        for deployment in unused(&deployments?.unwrap_or_default(), &stages?.unwrap_or_default()) {
            delete_deployment(step, id, &deployment).await?;
        }
        Ok(())
    }

    /// Creates a deployment and points the stage at it. The same call creates the stage where there is none.
    async fn deploy(&self, step: &Step<'_>, id: &str, definition: &Definition) -> Result<()> {
        let create = step
            .aws
            .apigateway
            .create_deployment()
            .rest_api_id(id)
            .stage_name(&self.existing.stage)
            .description(description(&self.existing.stage, &definition.fingerprint()));
        let create = || {
            let once = Config::builder().retry_config(one_attempt());
            step.call("apigateway:CreateDeployment", create.clone().customize().config_override(once).send())
        };
        step.retry(&[&API_BUSY], create).await?;
        Ok(())
    }

    /// Updates the settings that belong to the stage and not to what is deployed there.
    async fn update_stage(&self, step: &Step<'_>, id: &str, stage: &StageUpdate) -> Result<()> {
        let patches = stage.patches();
        if patches.is_empty() {
            return Ok(());
        }
        let update = step.aws.apigateway.update_stage().rest_api_id(id).stage_name(&self.existing.stage);
        let update = update.set_patch_operations(Some(patches));
        step.retry(&[&API_BUSY], || step.call("apigateway:UpdateStage", update.clone().send())).await?;
        Ok(())
    }

    async fn delete_stage(&self, step: &Step<'_>, id: &str, stage: &str) -> Result<()> {
        let delete = step.aws.apigateway.delete_stage().rest_api_id(id).stage_name(stage);
        let delete = || step.call("apigateway:DeleteStage", delete.clone().send());
        absent(step.retry(&[&API_BUSY], delete).await, NO_SUCH)?;
        Ok(())
    }

    /// Changes the endpoint in place: id and URL stay.
    async fn update_endpoint(
        &self,
        step: &Step<'_>,
        id: &str,
        endpoint: &EndpointType,
        disabled: bool,
    ) -> Result<()> {
        let wrong = patches(endpoint, disabled);
        if wrong.is_empty() {
            return Ok(());
        }
        let update = step.aws.apigateway.update_rest_api().rest_api_id(id);
        let update = update.set_patch_operations(Some(wrong));
        step.retry(&[&API_BUSY], || step.call("apigateway:UpdateRestApi", update.clone().send())).await?;
        // API Gateway takes no other change until the endpoint has moved.
        step.until(&API_BUSY.cadence, async || {
            let api = get(step, id).await?;
            match &api.api_status {
                None | Some(ApiStatus::Available) => {
                    let endpoint = endpoint_type(api.endpoint_configuration());
                    Ok(patches(&endpoint, api.disable_execute_api_endpoint).is_empty().then_some(()))
                }
                Some(ApiStatus::Failed) => {
                    let why = api.api_status_message.unwrap_or_default();
                    Err(Error::new(format!("API Gateway could not make the API {id} regional: {why}")))
                }
                Some(_) => Ok(None),
            }
        })
        .await
    }
}

/// Reads one API.
async fn get(step: &Step<'_>, id: &str) -> Result<GetRestApiOutput> {
    let get = step.aws.apigateway.get_rest_api().rest_api_id(id);
    step.retry(&[], || step.call("apigateway:GetRestApi", get.clone().send())).await
}

/// Deletes a deployment, unless a stage uses it again meanwhile.
async fn delete_deployment(step: &Step<'_>, api: &str, id: &str) -> Result<()> {
    let delete = step.aws.apigateway.delete_deployment().rest_api_id(api).deployment_id(id);
    let delete = || step.call("apigateway:DeleteDeployment", delete.clone().send());
    match step.retry(&[&API_BUSY], delete).await {
        Err(error) if error.aws().is_some_and(|aws| aws.message.contains("Active stages")) => Ok(()),
        other => absent(other, NO_SUCH).map(|_| ()),
    }
}

pub(super) async fn delete_api(step: &Step<'_>, id: &str) -> Result<()> {
    let delete = step.aws.apigateway.delete_rest_api().rest_api_id(id);
    let delete = || step.call("apigateway:DeleteRestApi", delete.clone().send());
    absent(step.retry(&[&API_BUSY], delete).await, NO_SUCH)?;
    Ok(())
}
