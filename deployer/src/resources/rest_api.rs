//! The REST API with its definition, deployment and stage: one thing to people, and one owner.
//!
//! Names of APIs are not unique in AWS, so ours is found by its tags. The definition is one document, applied as one:
//! `CreateRestApi` with the tags, `PutRestApi`, `CreateDeployment`. A deployment's description holds the fingerprint of
//! what was deployed, because AWS does not show the definition inside a deployment, and the stage that it was made for.

mod changing;
mod finding;
mod reading;
mod settings;
mod stage;

use self::changing::{delete_api, delete_deployment};
use self::finding::Candidate;
use self::settings::Settings;
use self::stage::{Stage, short, unused};
use crate::definition::Definition;
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::manifest::Throttle;
use crate::names::{Owner, Scope, Tags, diff_tags, tags_differ};
use crate::resource::{Change, Id, Kind, Resource};
use crate::retry::API_BUSY;
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["NotFoundException"];

/// Says that an API's paths are spelled as they were when it was adopted, not as in the manifest.
const PATHS_TAG: &str = "deployer:paths";

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
    pub(crate) settings: Settings,
    pub(crate) definition: Definition,
    pub(crate) stage: Option<Stage>,
    /// Stages that we made under another name than the declared one.
    pub(crate) old_stages: Vec<String>,
    /// Stages that somebody else made.
    pub(crate) other_stages: Vec<String>,
    /// Our deployments that no longer serve.
    pub(crate) old_deployments: Vec<String>,
    /// More APIs with our tags: a run whose answer was lost left them behind. The oldest API is the one that stays.
    pub(crate) twins: Vec<String>,
    /// More APIs of the name that nobody has claimed, while none is ours.
    pub(crate) rivals: Vec<String>,
}

/// What others need of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        let Some(Candidate { api, twins, rivals }) = self.find(step).await? else {
            return Ok(None);
        };
        let id = api.id.clone().unwrap_or_default();
        let (resources, stages, deployments) = tokio::join!(
            reading::resources(step, &id),
            reading::stages(step, &id),
            reading::deployments(step, &id)
        );
        let (Some(resources), Some(stages), Some(deployments)) = (resources?, stages?, deployments?) else {
            // Deleted since it was listed.
            return Ok(None);
        };
        let (old_stages, other_stages) = stage::others(&self.stage, &stages, &deployments);
        Ok(Some(Observed {
            settings: Settings::read(&api),
            name: api.name.unwrap_or_default(),
            tags: api.tags.unwrap_or_default().into_iter().collect(),
            definition: Definition::read(&resources),
            old_deployments: unused(&deployments, &stages),
            stage: Stage::read(self, &stages, &deployments),
            old_stages,
            other_stages,
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
        let Some(seen) = seen else {
            return vec![Change::Create];
        };
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
        changes.extend(seen.settings.diff());
        changes.extend(definition.diff(&seen.definition));
        let wanted = definition.fingerprint();
        match &seen.stage {
            None => changes.extend(Change::update("stage", None, Some(self.stage.as_str()))),
            Some(stage) => {
                let deployed = stage.fingerprint.as_deref().map(short);
                changes.extend(Change::update("deployed-definition", deployed, Some(short(&wanted))));
                changes.extend(stage.diff(self.throttle.as_ref(), &self.variables));
            }
        }
        changes
            .extend(seen.old_stages.iter().filter_map(|name| Change::update("old-stage", Some(name), None)));
        changes.extend(
            seen.old_deployments.iter().filter_map(|id| Change::update("old-deployment", Some(id), None)),
        );
        let twin = |id: &String| format!("{id} (made after {}, which stays)", seen.id);
        changes
            .extend(seen.twins.iter().filter_map(|id| Change::update("duplicate-api", Some(twin(id)), None)));
        changes
    }

    fn output(&self, seen: &Observed) -> Output {
        Output { id: seen.id.clone(), spelling: self.definition.spelling(&self.wanted_definition(seen)) }
    }

    fn state(&self, seen: &Observed) -> String {
        let has = if seen.stage.is_some() { "stage" } else { "no stage" };
        let mut state = format!("{}, {has} {}", seen.id, self.stage);
        if !seen.other_stages.is_empty() {
            state.push_str(&format!("; not of this stack: stage {}", seen.other_stages.join(", ")));
        }
        state
    }

    /// Deleting the API would take them along, and somebody calls them.
    fn blockers(&self, seen: &Observed) -> Vec<String> {
        let others = seen.other_stages.iter();
        others.map(|name| format!("has the stage {name}, which is not of this stack")).collect()
    }

    async fn apply(&self, step: &Step<'_>, (): (), seen: Option<Observed>) -> Result<Output> {
        let seen = match seen {
            Some(seen) => seen,
            None => match self.create(step).await? {
                Some(id) => {
                    self.put_definition(step, &id, &self.definition).await?;
                    self.deploy(step, &id, &self.definition).await?;
                    self.update_stage(step, &id, None).await?;
                    return Ok(Output { id, spelling: BTreeMap::new() });
                }
                None => {
                    let other = self.observe(step).await?.filter(|other| self.owner(other) == Owner::Ours);
                    other.ok_or_else(|| Error::new("the API of the other run is gone again"))?
                }
            },
        };
        let changes = self.diff(Some(&()), Some(&seen));
        if tags_differ(&changes) {
            let tag = step.aws.apigateway.tag_resource().resource_arn(self.scope.rest_api_arn(&seen.id));
            let tag = tag.set_tags(Some(self.wanted_tags(&seen).into_iter().collect()));
            step.retry(&[&API_BUSY], || step.call("apigateway:TagResource", tag.clone().send())).await?;
        }
        self.update_settings(step, &seen).await?;
        let definition = self.wanted_definition(&seen);
        let redefined = !definition.diff(&seen.definition).is_empty() || !seen.settings.additions.is_empty();
        if redefined || seen.name != self.name {
            self.put_definition(step, &seen.id, &definition).await?;
        }
        let deployed = seen.stage.as_ref().and_then(|stage| stage.fingerprint.as_deref());
        // A definition that was put right is deployed again, also where what serves has the right fingerprint: of two runs
        // with different manifests at one moment, each may have deployed what the other one had put.
        let redeployed = redefined || deployed != Some(definition.fingerprint().as_str());
        if redeployed {
            self.deploy(step, &seen.id, &definition).await?;
        }
        self.update_stage(step, &seen.id, seen.stage.as_ref()).await?;
        // Only now that the stage stands: people move from one URL to the other.
        for stage in &seen.old_stages {
            self.delete_stage(step, &seen.id, stage).await?;
        }
        let mut old = seen.old_deployments.clone();
        if redeployed || !seen.old_stages.is_empty() {
            let (deployments, stages) =
                tokio::join!(reading::deployments(step, &seen.id), reading::stages(step, &seen.id));
            old = unused(&deployments?.unwrap_or_default(), &stages?.unwrap_or_default());
        }
        for deployment in old {
            delete_deployment(step, &seen.id, &deployment).await?;
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
}

#[cfg(test)]
mod tests;
