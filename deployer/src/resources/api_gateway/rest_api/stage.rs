//! The stage that serves the routes, and the API's other stages. Pure.

use super::RestApi;
use crate::engine::{Change, Difference, Impact};
use crate::manifest::Throttle;
use crate::resources::account_limits::DEFAULT_REQUESTS;
use aws_sdk_apigateway::types::{Deployment, Op, PatchOperation, Stage as SdkStage};
use std::collections::{BTreeMap, BTreeSet};

/// The prefix of our deployments' descriptions. The stage's name and the fingerprint follow.
const DEPLOYED: &str = "deployer definition ";

/// The default limits of an account in the regions with smaller ones.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const SMALLER_REQUESTS: Throttle = Throttle { rate: 2_500.0, burst: 1_250 };

/// The declared stage, as API Gateway has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// The fingerprint in the deployment's description, if we deployed it for this stage.
    pub(crate) fingerprint: Option<String>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) variables: BTreeMap<String, String>,
    /// The canary in words: a second deployment that serves a part of the requests. No manifest declares one.
    pub(crate) canary: Option<String>,
}

/// The other stages of the API, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    /// Stages that we made, and whether a web ACL protects each.
    pub(super) old: Vec<(String, bool)>,
    /// Stages of others.
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

    /// Drops limits that the stage shows although nobody has set them. `account` is the account's limit, if known.
    pub(super) fn leave_out_limits_of(&mut self, account: Option<&Throttle>) {
        self.throttle.take_if(|limits| is_filled_in(limits, account));
    }
}

/// Settings that belong to the stage and not to what is deployed there, as far as they differ.
#[derive(Clone, Debug)]
pub(crate) struct StageUpdate {
    name: String,
    /// The canary in words. No manifest declares one, so an existing one is removed.
    pub(super) canary: Option<Difference<Option<String>>>,
    throttle: Option<Difference<Option<Throttle>>>,
    variables: BTreeMap<String, Difference<Option<String>>>,
}

impl StageUpdate {
    /// Compares a stage. Without one, it compares with a new stage.
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

    /// Returns the patches for `UpdateStage`, except for the canary, which must go before a deployment.
    pub(super) fn patches(&self) -> Vec<PatchOperation> {
        let patch = |op: Op, path: String, value: Option<String>| {
            PatchOperation::builder().op(op).path(path).set_value(value).build()
        };
        let mut patches = Vec::new();
        if let Some(throttle) = &self.throttle {
            // The paths mean every method of every resource. Minus one means no limit of the stage's own.
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

/// Returns the description of our deployments.
pub(super) fn description(stage: &str, fingerprint: &str) -> String {
    format!("{DEPLOYED}for {stage}: {fingerprint}")
}

/// Shortens a fingerprint for people.
pub(super) fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}

/// Returns all stages except the declared one.
///
/// A stage is ours when it serves a deployment that we made for it. A stage made by hand may point to a deployment of
/// ours, which was made for another stage.
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

/// Returns our deployments that no stage uses. API Gateway refuses to delete one in use.
pub(super) fn unused(deployments: &[Deployment], stages: &[SdkStage]) -> Vec<String> {
    let is_canary = |stage: &SdkStage, id: &str| {
        stage.canary_settings().is_some_and(|canary| canary.deployment_id() == Some(id))
    };
    let serves =
        |id: &str| stages.iter().any(|stage| stage.deployment_id() == Some(id) || is_canary(stage, id));
    let ours = deployments.iter().filter(|one| one.description().is_some_and(|d| d.starts_with(DEPLOYED)));
    ours.filter_map(|deployment| deployment.id.clone()).filter(|id| !serves(id)).collect()
}

/// Returns the fingerprint of what a stage serves, if we deployed it for that stage.
fn deployed_by_us<'a>(stage: &SdkStage, deployments: &'a [Deployment]) -> Option<&'a str> {
    let serving = deployments.iter().find(|one| one.id() == stage.deployment_id())?;
    serving.description()?.strip_prefix(&description(stage.stage_name()?, ""))
}

/// Returns the limits that the stage shows for all methods. Minus one means none.
fn limits(stage: &SdkStage) -> Option<Throttle> {
    let all = stage.method_settings()?.get("*/*")?;
    let limits = Throttle { rate: all.throttling_rate_limit(), burst: all.throttling_burst_limit() };
    let unlimited = limits.rate < 0.0 && limits.burst < 0;
    (!unlimited).then_some(limits)
}

/// Whether API Gateway shows the account's limits only because something else, such as logging, is set for all
/// methods. Where the account's limits are unknown, AWS's defaults stand in.
fn is_filled_in(limits: &Throttle, account: Option<&Throttle>) -> bool {
    match account {
        Some(account) => limits == account,
        None => [DEFAULT_REQUESTS, SMALLER_REQUESTS].contains(limits),
    }
}

fn shown(throttle: Option<&Throttle>) -> Option<String> {
    throttle.map(|t| format!("{} a second, {} at once", t.rate, t.burst))
}
