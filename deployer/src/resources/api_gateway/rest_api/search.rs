//! Finds the stack's API among all APIs of the account.

use super::stage::{Stage, others};
use super::{ExistingRestApi, observe};
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::names::{Owner, Tags};
use aws_sdk_apigateway::types::{Deployment, RestApi as SdkRestApi, Stage as SdkStage};

/// The API that is, or would become, the stack's.
pub(super) struct Candidate {
    pub(super) api: SdkRestApi,
    pub(super) leftovers: Vec<String>,
    pub(super) twins: Vec<Twin>,
    pub(super) rivals: Vec<String>,
}

/// Another API that carries the stack's tags and is not known to be a leftover of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The URL of each of its stages.
    pub(crate) urls: Vec<String>,
    /// Stages that somebody else made.
    pub(crate) other_stages: Vec<String>,
}

/// One of several APIs with the stack's tags, and what tells them apart.
struct Tagged {
    api: SdkRestApi,
    stages: Vec<SdkStage>,
    deployments: Vec<Deployment>,
}

impl ExistingRestApi {
    /// Splits APIs into ours, by their tags, and others. Each part is in the order of creation.
    pub(super) fn ours(&self, mut all: Vec<SdkRestApi>) -> (Vec<SdkRestApi>, Vec<SdkRestApi>) {
        all.sort_by_key(|api| (api.created_date.map(|date| date.as_nanos()), api.id.clone()));
        all.into_iter().partition(|api| self.owner_of(api) == Owner::Ours)
    }

    fn owner_of(&self, api: &SdkRestApi) -> Owner {
        let tags: Tags = api.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        self.scope.owner(&tags)
    }

    /// Returns our API, or else one that has our name.
    pub(super) async fn find(&self, step: &Step<'_>, adopt: Option<&str>) -> Result<Option<Candidate>> {
        let (mut ours, others) = self.ours(observe::apis(step).await?);
        if ours.len() > 1 {
            return self.choose(step, ours).await;
        }
        let alone = |api| Candidate { api, leftovers: Vec::new(), twins: Vec::new(), rivals: Vec::new() };
        if let Some(api) = ours.pop() {
            return Ok(Some(alone(api)));
        }
        if let Some(id) = adopt {
            let chosen = others.into_iter().find(|api| api.id() == Some(id));
            let api = chosen
                .ok_or_else(|| Error::usage(format!("there is no API {id} in {}", self.scope.region)))?;
            return Ok(Some(alone(api)));
        }
        let same_name = others.into_iter().filter(|api| api.name() == Some(&self.name));
        let (mut unclaimed, mut foreign): (Vec<_>, Vec<_>) =
            same_name.partition(|api| self.owner_of(api) == Owner::Unclaimed);
        let api = match (unclaimed.is_empty(), foreign.is_empty()) {
            (false, _) => unclaimed.remove(0),
            (true, false) => foreign.remove(0),
            (true, true) => return Ok(None),
        };
        let rivals = unclaimed.iter().filter_map(|api| api.id.clone()).collect();
        Ok(Some(Candidate { rivals, ..alone(api) }))
    }

    /// Chooses among several APIs with the stack's tags the one that people call: where we deployed the declared
    /// stage, else one with any stage, else the oldest. Every run chooses the same one.
    async fn choose(&self, step: &Step<'_>, ours: Vec<SdkRestApi>) -> Result<Option<Candidate>> {
        let mut tagged = Vec::new();
        for api in ours {
            let id = api.id.clone().unwrap_or_default();
            let (stages, deployments) =
                tokio::join!(observe::stages(step, &id), observe::deployments(step, &id));
            // Another run may have deleted it after it was listed.
            if let (Some(stages), Some(deployments)) = (stages?, deployments?) {
                tagged.push(Tagged { api, stages, deployments });
            }
        }
        // The sort is stable, so the oldest of equals comes first.
        tagged.sort_by_key(|one| self.standing(one));
        let mut tagged = tagged.into_iter();
        let Some(chosen) = tagged.next() else { return Ok(None) };
        let (leftovers, twins): (Vec<_>, Vec<_>) = tagged.partition(|one| self.is_leftover(one));
        Ok(Some(Candidate {
            api: chosen.api,
            leftovers: leftovers.into_iter().filter_map(|one| one.api.id).collect(),
            twins: twins.into_iter().map(|one| self.twin(step, one)).collect(),
            rivals: Vec::new(),
        }))
    }

    /// Ranks the API; smaller is better.
    fn standing(&self, one: &Tagged) -> u8 {
        let ours = Stage::read(&self.stage, &one.stages, &one.deployments);
        match (ours.is_some_and(|stage| stage.fingerprint.is_some()), one.stages.is_empty()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        }
    }

    /// Whether a run whose answer was lost left it behind, so that nobody ever had its URL.
    fn is_leftover(&self, one: &Tagged) -> bool {
        one.api.name() == Some(&self.name) && one.stages.is_empty() && one.deployments.is_empty()
    }

    fn twin(&self, step: &Step<'_>, one: Tagged) -> Twin {
        let id = one.api.id.unwrap_or_default();
        let names = one.stages.iter().filter_map(SdkStage::stage_name);
        Twin {
            urls: names.map(|stage| step.aws.invoke_url(&id, stage, "")).collect(),
            other_stages: others(&self.stage, &one.stages, &one.deployments).other.clone(),
            name: one.api.name.unwrap_or_default(),
            id,
        }
    }
}

impl std::fmt::Display for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "API {} ({})", self.name, self.id)?;
        match &self.urls[..] {
            [] => f.write_str(", which has no stage"),
            urls => write!(f, " at {}", urls.join(" and ")),
        }
    }
}
