//! The stage that routes are called at, and whose the API's other stages are. Pure.

use super::RestApi;
use crate::manifest::Throttle;
use crate::resource::Change;
use aws_sdk_apigateway::types::{Deployment, Stage as SdkStage};
use std::collections::{BTreeMap, BTreeSet};

/// What descriptions of our deployments begin with. The stage's name and the fingerprint follow.
const DEPLOYED: &str = "deployer definition ";

/// The limits that API Gateway shows when only something else is set for all methods, such as logging. They are those of
/// an account.
const FILLED_IN: Throttle = Throttle { rate: 10_000.0, burst: 5_000 };

/// The declared stage, as API Gateway has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// What its deployment's description says was deployed, if we deployed it there.
    pub(crate) fingerprint: Option<String>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Stage {
    pub(super) fn read(api: &RestApi, stages: &[SdkStage], deployments: &[Deployment]) -> Option<Self> {
        let stage = stages.iter().find(|stage| stage.stage_name() == Some(&api.stage))?;
        Some(Self {
            fingerprint: deployed_by_us(stage, deployments).map(str::to_owned),
            throttle: throttle(stage, api.throttle.is_some()),
            variables: stage.variables.clone().unwrap_or_default().into_iter().collect(),
        })
    }

    /// What belongs to the stage and not to what is deployed there.
    pub(super) fn diff(
        &self,
        throttle: Option<&Throttle>,
        variables: &BTreeMap<String, String>,
    ) -> Vec<Change> {
        let throttle = Change::update("throttle", shown(self.throttle.as_ref()), shown(throttle));
        let names: BTreeSet<&String> = self.variables.keys().chain(variables.keys()).collect();
        let variables = names.into_iter().filter_map(|name| {
            let of = |variables: &BTreeMap<String, String>| variables.get(name).cloned();
            Change::update(format!("variables.{name}"), of(&self.variables), of(variables))
        });
        throttle.into_iter().chain(variables).collect()
    }
}

/// How a deployment of ours is described.
pub(super) fn description(stage: &str, fingerprint: &str) -> String {
    format!("{DEPLOYED}for {stage}: {fingerprint}")
}

/// Enough of a fingerprint to tell two apart.
pub(super) fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}

/// The names of all stages but the declared one: those that we made, and those of others.
///
/// Ours serves what we deployed for it. Who makes a stage by hand may point it to a deployment of ours, too, but that
/// one was made for another.
pub(super) fn others(
    declared: &str,
    stages: &[SdkStage],
    deployments: &[Deployment],
) -> (Vec<String>, Vec<String>) {
    let others = stages.iter().filter(|stage| stage.stage_name() != Some(declared));
    let (ours, others): (Vec<_>, Vec<_>) =
        others.partition(|stage| deployed_by_us(stage, deployments).is_some());
    let names = |stages: Vec<&SdkStage>| stages.into_iter().filter_map(|s| s.stage_name.clone()).collect();
    (names(ours), names(others))
}

/// Our deployments that no stage needs. API Gateway refuses to delete one that serves at any.
pub(super) fn unused(deployments: &[Deployment], stages: &[SdkStage]) -> Vec<String> {
    let serves = |id: &str| stages.iter().any(|stage| stage.deployment_id() == Some(id));
    let ours = deployments.iter().filter(|one| one.description().is_some_and(|d| d.starts_with(DEPLOYED)));
    ours.filter_map(|deployment| deployment.id.clone()).filter(|id| !serves(id)).collect()
}

/// The fingerprint of what serves at a stage, when it is a deployment that we made for that stage.
fn deployed_by_us<'a>(stage: &SdkStage, deployments: &'a [Deployment]) -> Option<&'a str> {
    let serving = deployments.iter().find(|one| one.id() == stage.deployment_id())?;
    serving.description()?.strip_prefix(&description(stage.stage_name()?, ""))
}

/// `None` where the stage has no limit of its own: minus one, or what API Gateway fills in.
fn throttle(stage: &SdkStage, declared: bool) -> Option<Throttle> {
    let all = stage.method_settings()?.get("*/*")?;
    let limits = Throttle { rate: all.throttling_rate_limit(), burst: all.throttling_burst_limit() };
    let unlimited = limits.rate < 0.0 && limits.burst < 0;
    (!unlimited && (declared || limits != FILLED_IN)).then_some(limits)
}

fn shown(throttle: Option<&Throttle>) -> Option<String> {
    throttle.map(|t| format!("{} a second, {} at once", t.rate, t.burst))
}
