//! The REST API with its definition, deployment and stage: one thing to people, and one owner.
//!
//! Names of APIs are not unique in AWS, so ours is found by its tags. The definition is one document, applied as one:
//! `CreateRestApi` with the tags, `PutRestApi`, `CreateDeployment`. A deployment's description holds the fingerprint of
//! what was deployed, because AWS does not show the definition inside a deployment.

use crate::aws::one_attempt;
use crate::definition::Definition;
use crate::engine::{Step, absent};
use crate::error::{Error, Result};
use crate::manifest::Throttle;
use crate::names::{Owner, Scope, Tags, diff_tags, tags_differ};
use crate::resource::{Change, Id, Kind, Resource};
use crate::retry::API_BUSY;
use aws_sdk_apigateway::config::Config;
use aws_sdk_apigateway::operation::get_stage::GetStageOutput;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    Deployment, EndpointConfiguration, EndpointType, Op, PatchOperation, PutMode, RestApi as SdkRestApi,
};
use std::collections::{BTreeMap, BTreeSet};

const NO_SUCH: &[&str] = &["NotFoundException"];

/// The most that API Gateway returns in one page.
const PAGE: i32 = 500;

/// What descriptions of our deployments begin with; the fingerprint follows.
const DEPLOYED: &str = "deployer definition ";

/// Says that an API's paths are spelled as they were when it was adopted, not as in the manifest.
const PATHS_TAG: &str = "deployer:paths";

/// The API that is, or would become, the stack's.
struct Candidate {
    api: SdkRestApi,
    twins: Vec<String>,
    rivals: Vec<String>,
}

/// An API as declared.
#[derive(Clone, Debug)]
pub(crate) struct RestApi {
    pub(crate) name: String,
    pub(crate) stage: String,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) definition: Definition,
    /// The one to take over, where several untagged APIs have the name.
    pub(crate) adopt: Option<String>,
    pub(crate) scope: Scope,
}

/// An API as API Gateway has it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) tags: Tags,
    pub(crate) endpoint: String,
    pub(crate) definition: Definition,
    pub(crate) stage: Option<Stage>,
    /// Our deployments that no longer serve.
    pub(crate) old_deployments: Vec<String>,
    /// More APIs with our tags: a run whose answer was lost left them behind. The oldest API is the one that stays.
    pub(crate) twins: Vec<String>,
    /// More APIs of the name that nobody has claimed, while none is ours.
    pub(crate) rivals: Vec<String>,
}

/// The stage that routes are called at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// What its deployment's description says was deployed.
    pub(crate) fingerprint: Option<String>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
}

/// What others need of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) id: String,
    /// How declared paths are really spelled: an adopted API keeps its own.
    pub(super) spelling: BTreeMap<String, String>,
}

impl Output {
    pub(crate) fn path<'a>(&'a self, declared: &'a str) -> &'a str {
        self.spelling.get(declared).map_or(declared, String::as_str)
    }
}

impl Resource for RestApi {
    type Needs = ();
    type Observed = Observed;
    type Output = Output;

    fn id(&self) -> Id {
        Id::new(Kind::RestApi, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let Some(Candidate { api, twins, rivals }) = self.find(step).await? else { return Ok(None) };
        let id = api.id.unwrap_or_default();
        let get_stage = step.aws.apigateway.get_stage().rest_api_id(&id).stage_name(&self.stage);
        let get_stage = || step.call("apigateway:GetStage", get_stage.clone().send());
        let (resources, stage, deployments) =
            tokio::join!(resources(step, &id), step.retry(&[], get_stage), deployments(step, &id));
        let (Some(resources), Some(deployments)) = (absent(resources, NO_SUCH)?, absent(deployments, NO_SUCH)?)
        else {
            // Deleted since it was listed.
            return Ok(None);
        };
        let stage = absent(stage, NO_SUCH)?;
        let serving = stage.as_ref().and_then(|stage| stage.deployment_id());
        Ok(Some(Observed {
            name: api.name.unwrap_or_default(),
            tags: api.tags.unwrap_or_default().into_iter().collect(),
            endpoint: api
                .endpoint_configuration
                .and_then(|endpoint| endpoint.types().first().map(|kind| kind.as_str().to_owned()))
                .unwrap_or_else(|| "EDGE".to_owned()),
            definition: Definition::read(&resources),
            old_deployments: deployments
                .iter()
                .filter(|d| d.id() != serving && fingerprint(d).is_some())
                .filter_map(|d| d.id().map(str::to_owned))
                .collect(),
            stage: stage.as_ref().map(|stage| Stage {
                fingerprint: deployments.iter().find(|d| d.id() == serving).and_then(fingerprint),
                throttle: throttle(stage),
                variables: stage.variables.clone().unwrap_or_default().into_iter().collect(),
            }),
            twins,
            rivals,
            id,
        }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        match self.scope.owner(&seen.tags) {
            Owner::Foreign(why) => Owner::Foreign(format!("(API {}) {why}", seen.id)),
            other => other,
        }
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> Vec<Change> {
        let Some(seen) = seen else { return vec![Change::Create] };
        let mut changes = diff_tags(&self.wanted_tags(seen), &seen.tags);
        if !seen.rivals.is_empty() {
            changes.push(Change::Refused {
                field: "api".to_owned(),
                from: format!("{}, {}", seen.id, seen.rivals.join(", ")).into(),
                to: "one of them".into(),
                why: "several APIs have this name; choose with --adopt-api ID".to_owned(),
            });
        }
        let definition = self.wanted_definition(seen);
        changes.extend(Change::update("name", seen.name.as_str(), &self.name));
        changes.extend(Change::update("endpoint", seen.endpoint.as_str(), EndpointType::Regional.as_str()));
        changes.extend(definition.diff(&seen.definition));
        let wanted = definition.fingerprint();
        match &seen.stage {
            None => changes.extend(Change::update("stage", None, Some(self.stage.as_str()))),
            Some(stage) => {
                changes.extend(Change::update(
                    "deployed-definition",
                    stage.fingerprint.as_deref().map(short),
                    Some(short(&wanted)),
                ));
                changes.extend(Change::update("throttle", shown(stage.throttle.as_ref()), shown(self.throttle.as_ref())));
                let names: BTreeSet<&String> = stage.variables.keys().chain(self.variables.keys()).collect();
                changes.extend(names.into_iter().filter_map(|name| {
                    let of = |variables: &BTreeMap<String, String>| variables.get(name).cloned();
                    Change::update(format!("variables.{name}"), of(&stage.variables), of(&self.variables))
                }));
            }
        }
        changes.extend(seen.old_deployments.iter().filter_map(|id| Change::update("old-deployment", Some(id), None)));
        let twin = |id: &String| format!("{id} (made after {}, which stays)", seen.id);
        changes.extend(seen.twins.iter().filter_map(|id| Change::update("duplicate-api", Some(twin(id)), None)));
        changes
    }

    fn output(&self, seen: &Observed) -> Output {
        Output { id: seen.id.clone(), spelling: self.definition.spelling(&self.wanted_definition(seen)) }
    }

    fn state(&self, seen: &Observed) -> String {
        match &seen.stage {
            Some(_) => format!("{}, stage {}", seen.id, self.stage),
            None => format!("{}, no stage {}", seen.id, self.stage),
        }
    }

    async fn apply(&self, step: &Step<'_>, (): (), seen: Option<Observed>) -> Result<Output> {
        let Some(seen) = seen else {
            let id = self.create(step).await?;
            self.put_definition(step, &id, &self.definition).await?;
            self.deploy(step, &id, &self.definition).await?;
            self.update_stage(step, &id, None).await?;
            return Ok(Output { id, spelling: BTreeMap::new() });
        };
        let changes = self.diff(Some(&()), Some(&seen));
        if tags_differ(&changes) {
            let tag = step.aws.apigateway.tag_resource().resource_arn(self.scope.rest_api_arn(&seen.id));
            let tag = tag.set_tags(Some(self.wanted_tags(&seen).into_iter().collect()));
            step.retry(&[&API_BUSY], || step.call("apigateway:TagResource", tag.clone().send())).await?;
        }
        if seen.endpoint != EndpointType::Regional.as_str() {
            self.make_regional(step, &seen).await?;
        }
        let definition = self.wanted_definition(&seen);
        let redefined = !definition.diff(&seen.definition).is_empty() || seen.name != self.name;
        if redefined {
            self.put_definition(step, &seen.id, &definition).await?;
        }
        let deployed = seen.stage.as_ref().and_then(|stage| stage.fingerprint.as_deref());
        let mut old = seen.old_deployments.clone();
        if redefined || deployed != Some(definition.fingerprint().as_str()) {
            self.deploy(step, &seen.id, &definition).await?;
            old = self.unused_deployments(step, &seen.id).await?;
        }
        self.update_stage(step, &seen.id, seen.stage.as_ref()).await?;
        for deployment in old {
            let delete = step.aws.apigateway.delete_deployment().rest_api_id(&seen.id).deployment_id(deployment);
            let delete = || step.call("apigateway:DeleteDeployment", delete.clone().send());
            absent(step.retry(&[&API_BUSY], delete).await, NO_SUCH)?;
        }
        for twin in &seen.twins {
            delete_api(step, twin).await?;
        }
        Ok(self.output(&seen))
    }

    /// Takes resources, methods, deployments and stages along.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        for id in std::iter::once(&seen.id).chain(&seen.twins) {
            delete_api(step, id).await?;
        }
        Ok(())
    }
}

impl RestApi {
    /// An adopted API keeps the spelling of its paths, now and in every later run: a tag remembers it.
    fn keeps_paths(&self, seen: &Observed) -> bool {
        seen.tags.contains_key(PATHS_TAG) || self.scope.owner(&seen.tags) == Owner::Unclaimed
    }

    fn wanted_tags(&self, seen: &Observed) -> Tags {
        let mut tags = self.scope.tags();
        if self.keeps_paths(seen) {
            tags.insert(PATHS_TAG.to_owned(), "as-adopted".to_owned());
        }
        tags
    }

    fn wanted_definition(&self, seen: &Observed) -> Definition {
        if self.keeps_paths(seen) {
            self.definition.spelled_like(&seen.definition)
        } else {
            self.definition.clone()
        }
    }

    /// Ours, by its tags; when there is none, what has our name.
    async fn find(&self, step: &Step<'_>) -> Result<Option<Candidate>> {
        let mut all = Vec::new();
        let mut position = None;
        loop {
            let list = step.aws.apigateway.get_rest_apis().limit(PAGE).set_position(position);
            let page = step.retry(&[], || step.call("apigateway:GetRestApis", list.clone().send())).await?;
            all.extend(page.items.unwrap_or_default());
            position = page.position;
            if position.is_none() {
                break;
            }
        }
        // Every run has to choose the same one: the oldest.
        all.sort_by_key(|api| (api.created_date.map(|date| date.as_nanos()), api.id.clone()));
        let owner = |api: &SdkRestApi| {
            let tags: Tags = api.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
            self.scope.owner(&tags)
        };
        let ids = |apis: &[SdkRestApi]| apis.iter().filter_map(|api| api.id.clone()).collect();
        let (mut ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|api| owner(api) == Owner::Ours);
        if !ours.is_empty() {
            let api = ours.remove(0);
            return Ok(Some(Candidate { api, twins: ids(&ours), rivals: Vec::new() }));
        }
        if let Some(id) = &self.adopt {
            let chosen = others.into_iter().find(|api| api.id() == Some(id));
            let api = chosen.ok_or_else(|| Error::usage(format!("there is no API {id} in {}", self.scope.region)))?;
            return Ok(Some(Candidate { api, twins: Vec::new(), rivals: Vec::new() }));
        }
        let same_name = others.into_iter().filter(|api| api.name() == Some(&self.name));
        let (mut unclaimed, mut foreign): (Vec<_>, Vec<_>) =
            same_name.partition(|api| owner(api) == Owner::Unclaimed);
        let api = match (unclaimed.is_empty(), foreign.is_empty()) {
            (false, _) => unclaimed.remove(0),
            (true, false) => foreign.remove(0),
            (true, true) => return Ok(None),
        };
        Ok(Some(Candidate { api, twins: Vec::new(), rivals: ids(&unclaimed) }))
    }

    /// AWS would make a second API of the same name without a word, so nothing is sent twice: the engine looks for our
    /// tags when the answer is lost.
    async fn create(&self, step: &Step<'_>) -> Result<String> {
        let create = step
            .aws
            .apigateway
            .create_rest_api()
            .name(&self.name)
            .endpoint_configuration(EndpointConfiguration::builder().types(EndpointType::Regional).build())
            .set_tags(Some(self.scope.tags().into_iter().collect()));
        let create = || {
            let once = Config::builder().retry_config(one_attempt());
            step.call("apigateway:CreateRestApi", create.clone().customize().config_override(once).send())
        };
        let created = step.retry(&[&API_BUSY], create).await?;
        created.id.ok_or_else(|| Error::new("API Gateway made an API and did not say its id; run up again"))
    }

    async fn put_definition(&self, step: &Step<'_>, id: &str, definition: &Definition) -> Result<()> {
        let put = step
            .aws
            .apigateway
            .put_rest_api()
            .rest_api_id(id)
            .mode(PutMode::Overwrite)
            .fail_on_warnings(true)
            .body(Blob::new(definition.openapi(&self.name).to_string()));
        step.retry(&[&API_BUSY], || step.call("apigateway:PutRestApi", put.clone().send())).await?;
        Ok(())
    }

    /// One call makes the deployment and points the stage at it, and makes the stage when there is none.
    async fn deploy(&self, step: &Step<'_>, id: &str, definition: &Definition) -> Result<()> {
        let create = step
            .aws
            .apigateway
            .create_deployment()
            .rest_api_id(id)
            .stage_name(&self.stage)
            .description(format!("{DEPLOYED}{}", definition.fingerprint()));
        let create = || {
            let once = Config::builder().retry_config(one_attempt());
            step.call("apigateway:CreateDeployment", create.clone().customize().config_override(once).send())
        };
        step.retry(&[&API_BUSY], create).await?;
        Ok(())
    }

    async fn unused_deployments(&self, step: &Step<'_>, id: &str) -> Result<Vec<String>> {
        let stage = step.aws.apigateway.get_stage().rest_api_id(id).stage_name(&self.stage);
        let stage = || step.call("apigateway:GetStage", stage.clone().send());
        let (stage, all) = tokio::join!(step.retry(&[], stage), deployments(step, id));
        let serving = stage?.deployment_id;
        Ok(all?
            .iter()
            .filter(|d| fingerprint(d).is_some())
            .filter_map(|d| d.id.clone())
            .filter(|id| Some(id) != serving.as_ref())
            .collect())
    }

    /// Settings that belong to the stage and not to what is deployed there.
    async fn update_stage(&self, step: &Step<'_>, id: &str, seen: Option<&Stage>) -> Result<()> {
        let patches = self.stage_patches(seen);
        if patches.is_empty() {
            return Ok(());
        }
        let update = step.aws.apigateway.update_stage().rest_api_id(id).stage_name(&self.stage);
        let update = update.set_patch_operations(Some(patches));
        step.retry(&[&API_BUSY], || step.call("apigateway:UpdateStage", update.clone().send())).await?;
        Ok(())
    }

    fn stage_patches(&self, seen: Option<&Stage>) -> Vec<PatchOperation> {
        let patch = |op: Op, path: String, value: Option<String>| {
            PatchOperation::builder().op(op).path(path).set_value(value).build()
        };
        let mut patches = Vec::new();
        if self.throttle.as_ref() != seen.and_then(|stage| stage.throttle.as_ref()) {
            // The paths name every method of every resource; minus one is no limit of the stage's own.
            let (rate, burst) = self.throttle.as_ref().map_or((-1.0, -1), |wanted| (wanted.rate, wanted.burst));
            patches.push(patch(Op::Replace, "/*/*/throttling/rateLimit".to_owned(), Some(rate.to_string())));
            patches.push(patch(Op::Replace, "/*/*/throttling/burstLimit".to_owned(), Some(burst.to_string())));
        }
        let none = BTreeMap::new();
        let variables = seen.map_or(&none, |stage| &stage.variables);
        for (name, value) in self.variables.iter().filter(|(name, value)| variables.get(*name) != Some(value)) {
            patches.push(patch(Op::Replace, format!("/variables/{name}"), Some(value.clone())));
        }
        for name in variables.keys().filter(|name| !self.variables.contains_key(*name)) {
            patches.push(patch(Op::Remove, format!("/variables/{name}"), None));
        }
        patches
    }

    /// In place: the id, and so the URL, stays.
    async fn make_regional(&self, step: &Step<'_>, seen: &Observed) -> Result<()> {
        let replace = PatchOperation::builder()
            .op(Op::Replace)
            .path(format!("/endpointConfiguration/types/{}", seen.endpoint))
            .value(EndpointType::Regional.as_str())
            .build();
        let update = step.aws.apigateway.update_rest_api().rest_api_id(&seen.id).patch_operations(replace);
        step.retry(&[&API_BUSY], || step.call("apigateway:UpdateRestApi", update.clone().send())).await?;
        Ok(())
    }
}

async fn delete_api(step: &Step<'_>, id: &str) -> Result<()> {
    let delete = step.aws.apigateway.delete_rest_api().rest_api_id(id);
    let delete = || step.call("apigateway:DeleteRestApi", delete.clone().send());
    absent(step.retry(&[&API_BUSY], delete).await, NO_SUCH)?;
    Ok(())
}

async fn resources(step: &Step<'_>, id: &str) -> Result<Vec<aws_sdk_apigateway::types::Resource>> {
    let mut all = Vec::new();
    let mut position = None;
    loop {
        let list = step.aws.apigateway.get_resources().rest_api_id(id).embed("methods").limit(PAGE);
        let list = list.set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetResources", list.clone().send())).await?;
        all.extend(page.items.unwrap_or_default());
        position = page.position;
        if position.is_none() {
            return Ok(all);
        }
    }
}

async fn deployments(step: &Step<'_>, id: &str) -> Result<Vec<Deployment>> {
    let mut all = Vec::new();
    let mut position = None;
    loop {
        let list = step.aws.apigateway.get_deployments().rest_api_id(id).limit(PAGE).set_position(position);
        let page = step.retry(&[], || step.call("apigateway:GetDeployments", list.clone().send())).await?;
        all.extend(page.items.unwrap_or_default());
        position = page.position;
        if position.is_none() {
            return Ok(all);
        }
    }
}

/// What was deployed, when the deployment is ours.
fn fingerprint(deployment: &Deployment) -> Option<String> {
    deployment.description()?.strip_prefix(DEPLOYED).map(str::to_owned)
}

fn throttle(stage: &GetStageOutput) -> Option<Throttle> {
    let all = stage.method_settings()?.get("*/*")?;
    (all.throttling_rate_limit() >= 0.0 && all.throttling_burst_limit() >= 0)
        .then(|| Throttle { rate: all.throttling_rate_limit(), burst: all.throttling_burst_limit() })
}

fn shown(throttle: Option<&Throttle>) -> Option<String> {
    throttle.map(|t| format!("{} a second, {} at once", t.rate, t.burst))
}

/// Enough of a fingerprint to tell two apart.
fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}
