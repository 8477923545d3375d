//! The REST API with its definition, deployment and stage. They are one thing to people, and have one owner.
//!
//! Names of APIs are not unique in AWS, so the stack's is found by its tags. The definition is one document:
//! `CreateRestApi` with the tags, `PutRestApi`, `CreateDeployment`. AWS does not show the definition inside a
//! deployment, so the deployment's description holds its fingerprint and the stage that it was made for.

mod apply;
mod diff;
mod observe;
mod search;
mod settings;
mod stage;

use self::apply::delete_api;
pub(crate) use self::diff::RestApiDiff;
use self::search::Candidate;
pub(crate) use self::search::Twin;
use self::settings::Settings;
use self::stage::{Stage, unused};
use crate::engine::{Applied, Declared, Existing, Id, Kind, Step};
use crate::error::{Error, Result};
use crate::manifest::Throttle;
use crate::names::{Owner, Scope, Tags};
use crate::resources::account_limits;
use crate::resources::api_gateway::definition::Definition;
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["NotFoundException"];

/// The tag of an adopted API whose paths keep their spelling, in place of the manifest's.
const PATHS_TAG: &str = "deployer:paths";

/// The most resources of a new API, the root among them, and the longest ARN of a method in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const RESOURCES: usize = 300;
const ARN_BYTES: usize = 1_600;

const TOO_MANY_RESOURCES: &str = "API Gateway gives a new API 300, one for each part of a path; take several routes together as ANY /…/{proxy+}, or split the stack";

/// An id of the usual length.
pub(crate) const SOME_API_ID: &str = "0123456789";

/// The API of a stack. It is found by its tags, and by its name only where no API has them.
#[derive(Clone, Debug)]
pub(crate) struct ExistingRestApi {
    pub(crate) name: String,
    /// The stage that serves the routes. Other stages may belong to somebody else.
    pub(crate) stage: String,
    pub(crate) scope: Scope,
}

/// An API as declared.
#[derive(Clone, Debug)]
pub(crate) struct RestApi {
    pub(crate) existing: ExistingRestApi,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) definition: Definition,
    /// The id of the API to adopt, where several untagged APIs have the name.
    pub(crate) adopt: Option<String>,
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
    /// Names of stages that we made under another name, and whether a web ACL protects each.
    pub(crate) old_stages: Vec<(String, bool)>,
    /// Stages that somebody else made.
    pub(crate) other_stages: Vec<String>,
    /// Our deployments that no stage uses any more.
    pub(crate) old_deployments: Vec<String>,
    /// Other APIs with our tags and name that were never deployed: a run whose answer was lost left them behind.
    pub(crate) leftovers: Vec<String>,
    /// Other APIs with our tags that may be in use.
    pub(crate) twins: Vec<Twin>,
    /// Other untagged APIs of the same name, while no API has our tags.
    pub(crate) rivals: Vec<String>,
    /// Custom domain names that lead to it. Empty unless it is to be deleted.
    pub(crate) mappings: Vec<String>,
}

/// What dependents need to know about the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) id: String,
    /// The spelling in AWS of each declared path: an adopted API keeps its own.
    pub(crate) spelling: BTreeMap<String, String>,
}

impl Output {
    /// Stands for an API that does not exist yet. All ids have the same length.
    pub(crate) fn unknown() -> Self {
        Self { id: SOME_API_ID.to_owned(), spelling: BTreeMap::new() }
    }

    pub(crate) fn path<'a>(&'a self, declared: &'a str) -> &'a str {
        self.spelling.get(declared).map_or(declared, String::as_str)
    }
}

impl Existing for ExistingRestApi {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::RestApi, &self.name)
    }

    /// Also reads the custom domains, which prevent a deletion.
    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let Some(seen) = self.read(step, None).await? else { return Ok(None) };
        let mappings = observe::mappings(step, &seen.id).await?;
        Ok(Some(Observed { mappings, ..seen }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        match self.scope.owner(&seen.tags) {
            Owner::Foreign(why) => Owner::Foreign(format!("(API {}) {why}", seen.id)),
            other => other,
        }
    }

    fn state(&self, seen: &Observed) -> String {
        let has = if seen.stage.is_some() { "stage" } else { "no stage" };
        let mut state = format!("{}, {has} {}", seen.id, self.stage);
        if !seen.other_stages.is_empty() {
            state.push_str(&format!("; not of this stack: stage {}", seen.other_stages.join(", ")));
        }
        state
    }

    /// Stages of others and custom domains would go with the API, and somebody uses them.
    fn blockers(&self, seen: &Observed) -> Vec<String> {
        let stages = |names: &[String], of: &str| -> Vec<String> {
            let stage = |name| format!("has the stage {name}{of}, which is not of this stack");
            names.iter().map(stage).collect()
        };
        let mut blockers = stages(&seen.other_stages, "");
        for twin in &seen.twins {
            blockers.extend(stages(&twin.other_stages, &format!(" of its other API {}", twin.id)));
        }
        let mapped = seen.mappings.iter();
        blockers.extend(mapped.map(|place| {
            format!(
                "is behind the custom domain {place}: remove that base path mapping first, if you mean it"
            )
        }));
        blockers
    }

    fn takes_along(&self, seen: &Observed) -> Vec<String> {
        seen.twins.iter().map(Twin::to_string).collect()
    }

    /// API Gateway deletes resources, methods, deployments and stages with the API.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        for id in std::iter::once(&seen.id).chain(seen.others()) {
            delete_api(step, id).await?;
        }
        Ok(())
    }
}

impl Declared for RestApi {
    type Existing = ExistingRestApi;
    type Needs = ();
    type Diff = RestApiDiff;
    type Output = Output;

    fn existing(&self) -> &ExistingRestApi {
        &self.existing
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let Some(mut seen) = self.existing.read(step, self.adopt.as_deref()).await? else { return Ok(None) };
        if let Some(stage) = &mut seen.stage
            && self.throttle.is_none()
            && stage.throttle.is_some()
        {
            // API Gateway may show the account's limits as the stage's, so they are compared with the account's.
            stage.leave_out_limits_of(account_limits::requests(step).await.as_ref());
        }
        Ok(Some(seen))
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> RestApiDiff {
        RestApiDiff::between(seen, self)
    }

    fn output(&self, seen: &Observed) -> Output {
        Output { id: seen.id.clone(), spelling: self.definition.spelling(&self.wanted_definition(seen)) }
    }

    async fn apply(
        &self,
        step: &Step<'_>,
        (): (),
        seen: Option<Observed>,
        diff: RestApiDiff,
    ) -> Result<Applied<Output, Observed>> {
        match (diff, seen) {
            (RestApiDiff::Update(update), Some(seen)) => {
                self.update(step, &seen, *update).await?;
                Ok(Applied::Done(self.output(&seen)))
            }
            (RestApiDiff::Create(creation), _) => self.create_and_deploy(step, creation.stage).await,
            (RestApiDiff::Update(_), None) => Err(Error::new("there is no API to update")),
        }
    }
}

impl Observed {
    /// Returns the ids of all other APIs with the stack's tags.
    fn others(&self) -> impl Iterator<Item = &String> {
        self.leftovers.iter().chain(self.twins.iter().map(|twin| &twin.id))
    }
}

impl ExistingRestApi {
    /// Reads everything except custom domains, which only a deletion needs. `adopt` is the id of an API to adopt.
    async fn read(&self, step: &Step<'_>, adopt: Option<&str>) -> Result<Option<Observed>> {
        let Some(Candidate { api, leftovers, twins, rivals }) = Box::pin(self.find(step, adopt)).await?
        else {
            return Ok(None);
        };
        let id = api.id.clone().unwrap_or_default();
        let (resources, stages, deployments, parts) = tokio::join!(
            // Boxed, because all of these futures at once are large for a thread's stack.
            Box::pin(observe::resources(step, &id)),
            Box::pin(observe::stages(step, &id)),
            Box::pin(observe::deployments(step, &id)),
            Box::pin(observe::parts(step, &id))
        );
        let (Some(resources), Some(stages), Some(deployments), Some(parts)) =
            (resources?, stages?, deployments?, parts?)
        else {
            // It was deleted after it was listed.
            return Ok(None);
        };
        let mut settings = Settings::read(&api);
        settings.additions.extend(parts.additions);
        let others = stage::others(&self.stage, &stages, &deployments);
        Ok(Some(Observed {
            settings,
            name: api.name.unwrap_or_default(),
            tags: api.tags.unwrap_or_default().into_iter().collect(),
            definition: Definition::read(&resources, &parts.names),
            old_deployments: unused(&deployments, &stages),
            stage: Stage::read(&self.stage, &stages, &deployments),
            old_stages: others.old,
            other_stages: others.other,
            leftovers,
            twins,
            rivals,
            mappings: Vec::new(),
            id,
        }))
    }
}

impl RestApi {
    /// Whether the API keeps its own spelling of paths. An adopted one does, in every later run: a tag says so.
    fn keeps_paths(&self, seen: &Observed) -> bool {
        seen.tags.contains_key(PATHS_TAG) || self.existing.scope.owner(&seen.tags) == Owner::Unclaimed
    }

    fn wanted_tags(&self, seen: &Observed) -> Tags {
        let mut tags = self.existing.scope.tags();
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
