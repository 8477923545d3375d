//! The stage that routes are called at, and whose the API's other stages are. Pure.

use super::RestApi;
use crate::engine::{Change, Difference, Impact};
use crate::manifest::Throttle;
use crate::resources::account_limits::DEFAULT_REQUESTS;
use aws_sdk_apigateway::types::{Deployment, Op, PatchOperation, Stage as SdkStage};
use std::collections::{BTreeMap, BTreeSet};

/// What descriptions of our deployments begin with. The stage's name and the fingerprint follow.
const DEPLOYED: &str = "deployer definition ";

/// The limits of an account in the regions that have smaller ones.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const SMALLER_REQUESTS: Throttle = Throttle { rate: 2_500.0, burst: 1_250 };

/// The declared stage, as API Gateway has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// What its deployment's description says was deployed, if we deployed it there.
    pub(crate) fingerprint: Option<String>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
    /// A second deployment that takes a part of the requests, in words. No manifest declares one.
    pub(crate) canary: Option<String>,
}

/// Stages beside the declared one, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    /// Those that we made, and whether a web ACL is in front of each.
    pub(super) old: Vec<(String, bool)>,
    /// Those that somebody else made.
    pub(super) other: Vec<String>,
}

impl Stage {
    pub(super) fn read(name: &str, stages: &[SdkStage], deployments: &[Deployment]) -> Option<Self> {
        let stage = stages.iter().find(|stage| stage.stage_name() == Some(name))?;
        let canary = stage.canary_settings().map(|canary| {
            let deployment = canary.deployment_id().unwrap_or("nothing");
            format!("{} % of requests to deployment {deployment}", canary.percent_traffic())
        });
        Some(Self {
            fingerprint: deployed_by_us(stage, deployments).map(str::to_owned),
            throttle: limits(stage),
            variables: stage.variables.clone().unwrap_or_default().into_iter().collect(),
            canary,
        })
    }

    /// Leaves out limits that the stage shows although nobody has set them. `account` is what the account lets through,
    /// where that is known.
    pub(super) fn leave_out_limits_of(&mut self, account: Option<&Throttle>) {
        self.throttle.take_if(|limits| is_filled_in(limits, account));
    }
}

/// Settings that belong to the stage and not to what is deployed there, as far as they differ.
#[derive(Clone, Debug)]
pub(crate) struct StageUpdate {
    name: String,
    /// In words. No manifest declares one, so one that is there goes.
    pub(super) canary: Option<Difference<Option<String>>>,
    throttle: Option<Difference<Option<Throttle>>>,
    variables: BTreeMap<String, Difference<Option<String>>>,
}

impl StageUpdate {
    /// Compares with a stage that has just been made where there is none yet.
    pub(super) fn between(observed: Option<&Stage>, declared: &RestApi) -> Self {
        let none = BTreeMap::new();
        let before = observed.map_or(&none, |stage| &stage.variables);
        let names: BTreeSet<&String> = before.keys().chain(declared.variables.keys()).collect();
        let variables = names.into_iter().filter_map(|name| {
            let (observed, declared) = (before.get(name).cloned(), declared.variables.get(name).cloned());
            Some((name.clone(), Difference::between(observed, declared)?))
        });
        Self {
            name: declared.existing.stage.clone(),
            canary: Difference::between(observed.and_then(|stage| stage.canary.clone()), None),
            throttle: Difference::between(observed.and_then(|stage| stage.throttle), declared.throttle),
            variables: variables.collect(),
        }
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let canary = self.canary.as_ref().map(|canary| {
            let what = format!("the canary of stage {}", self.name);
            let means = "all requests go to what is declared from then on";
            canary.update("canary", Impact::Loses { what, means })
        });
        let throttle = self.throttle.as_ref().map(|limits| {
            Difference {
                observed: shown(limits.observed.as_ref()),
                declared: shown(limits.declared.as_ref()),
            }
            .update("throttle", Impact::None)
        });
        let variables = self.variables.iter();
        let variables =
            variables.map(|(name, value)| value.update(format!("variables.{name}"), Impact::None));
        canary.into_iter().chain(throttle).chain(variables)
    }

    /// What `UpdateStage` takes, but for the canary, which has to go before anything is deployed.
    pub(super) fn patches(&self) -> Vec<PatchOperation> {
        let patch = |op: Op, path: String, value: Option<String>| {
            PatchOperation::builder().op(op).path(path).set_value(value).build()
        };
        let mut patches = Vec::new();
        if let Some(throttle) = &self.throttle {
            // The paths name every method of every resource; minus one is no limit of the stage's own.
            let (rate, burst) = throttle.declared.map_or((-1.0, -1), |limits| (limits.rate, limits.burst));
            for (name, value) in [("rateLimit", rate.to_string()), ("burstLimit", burst.to_string())] {
                patches.push(patch(Op::Replace, format!("/*/*/throttling/{name}"), Some(value)));
            }
        }
        for (name, value) in &self.variables {
            let op = if value.declared.is_some() { Op::Replace } else { Op::Remove };
            patches.push(patch(op, format!("/variables/{name}"), value.declared.clone()));
        }
        patches
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

/// All stages but the declared one.
///
/// Ours serves what we deployed for it. Who makes a stage by hand may point it to a deployment of ours, too, but that
/// one was made for another.
pub(super) fn others(declared: &str, stages: &[SdkStage], deployments: &[Deployment]) -> Others {
    let mut others = Others::default();
    for stage in stages {
        let Some(name) = stage.stage_name.clone().filter(|name| name != declared) else { continue };
        if deployed_by_us(stage, deployments).is_some() {
            others.old.push((name, stage.web_acl_arn().is_some_and(|arn| !arn.is_empty())));
        } else {
            others.other.push(name);
        }
    }
    others
}

/// Our deployments that no stage needs. API Gateway refuses to delete one that serves at any.
pub(super) fn unused(deployments: &[Deployment], stages: &[SdkStage]) -> Vec<String> {
    let is_canary = |stage: &SdkStage, id: &str| {
        stage.canary_settings().is_some_and(|canary| canary.deployment_id() == Some(id))
    };
    let serves =
        |id: &str| stages.iter().any(|stage| stage.deployment_id() == Some(id) || is_canary(stage, id));
    let ours = deployments.iter().filter(|one| one.description().is_some_and(|d| d.starts_with(DEPLOYED)));
    ours.filter_map(|deployment| deployment.id.clone()).filter(|id| !serves(id)).collect()
}

/// The fingerprint of what serves at a stage, when it is a deployment that we made for that stage.
fn deployed_by_us<'a>(stage: &SdkStage, deployments: &'a [Deployment]) -> Option<&'a str> {
    let serving = deployments.iter().find(|one| one.id() == stage.deployment_id())?;
    serving.description()?.strip_prefix(&description(stage.stage_name()?, ""))
}

/// The limits that the stage shows for all of its methods; minus one is none.
fn limits(stage: &SdkStage) -> Option<Throttle> {
    let all = stage.method_settings()?.get("*/*")?;
    let limits = Throttle { rate: all.throttling_rate_limit(), burst: all.throttling_burst_limit() };
    let unlimited = limits.rate < 0.0 && limits.burst < 0;
    (!unlimited).then_some(limits)
}

/// Whether API Gateway shows them only because something else is set for all methods, such as logging: then they are the
/// account's. Where those are not known, they are taken for what AWS gives new accounts.
fn is_filled_in(limits: &Throttle, account: Option<&Throttle>) -> bool {
    match account {
        Some(account) => limits == account,
        None => [DEFAULT_REQUESTS, SMALLER_REQUESTS].contains(limits),
    }
}

fn shown(throttle: Option<&Throttle>) -> Option<String> {
    throttle.map(|t| format!("{} a second, {} at once", t.rate, t.burst))
}
