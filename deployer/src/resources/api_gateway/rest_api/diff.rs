//! How an API differs from its declaration.

use super::settings::SettingsDiff;
use super::stage::{StageUpdate, short};
use super::{ARN_BYTES, Observed, RESOURCES, RestApi, SOME_API_ID, TOO_MANY_RESOURCES, Twin};
use crate::engine::{Change, Diff, Difference, Existing, Impact, Shown, TagsDiff};
use crate::resources::api_gateway::definition::Definition;

/// What is to be done about an API.
#[derive(Clone, Debug)]
pub(crate) enum RestApiDiff {
    /// There is none.
    Create(RestApiCreation),
    /// Properties that differ.
    Update(Box<RestApiUpdate>),
}

/// An API that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct RestApiCreation {
    limits: Vec<Change>,
    /// What `CreateDeployment` does not set.
    pub(super) stage: StageUpdate,
}

/// The parts of an API that differ.
#[derive(Clone, Debug)]
pub(crate) struct RestApiUpdate {
    pub(super) tags: TagsDiff,
    /// Several untagged APIs have the name.
    ambiguous: Option<Difference<String>>,
    /// What API Gateway would refuse.
    limits: Vec<Change>,
    pub(super) name: Option<Difference<String>>,
    pub(super) settings: SettingsDiff,
    /// The definition is put as a whole, so all that `apply` needs to know is whether anything in it differs.
    definition: Vec<Change>,
    /// Set when there is no stage of the declared name.
    missing_stage: Option<Difference<Option<String>>>,
    /// Fingerprints of what serves at the stage.
    deployed: Option<Difference<Option<String>>>,
    pub(super) stage: StageUpdate,
    /// Names of stages that we made before, and whether a web ACL is in front of each.
    pub(super) old_stages: Vec<(String, bool)>,
    pub(super) old_deployments: Vec<String>,
    leftovers: Vec<Leftover>,
    twins: Vec<Twin>,
}

/// An API that a run whose answer was lost left behind.
#[derive(Clone, Debug)]
struct Leftover {
    id: String,
    stays: String,
}

impl RestApiDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &RestApi) -> Self {
        match observed {
            None => Self::Create(RestApiCreation {
                limits: exceeded_limits(declared, &declared.definition, None),
                stage: StageUpdate::between(None, declared),
            }),
            Some(observed) => Self::Update(Box::new(RestApiUpdate::between(observed, declared))),
        }
    }
}

impl RestApiUpdate {
    fn between(observed: &Observed, declared: &RestApi) -> Self {
        let definition = declared.wanted_definition(observed);
        let api = declared.existing.id().to_string();
        let (missing_stage, deployed) = match &observed.stage {
            None => (Difference::between(None, Some(declared.existing.stage.clone())), None),
            Some(stage) => {
                let fingerprint = Some(definition.fingerprint());
                (None, Difference::between(stage.fingerprint.clone(), fingerprint))
            }
        };
        let ambiguous = (!observed.rivals.is_empty()).then(|| Difference {
            observed: format!("{}, {}", observed.id, observed.rivals.join(", ")),
            declared: "one of them".to_owned(),
        });
        let leftover = |id: &String| Leftover { id: id.clone(), stays: observed.id.clone() };
        Self {
            tags: TagsDiff::between(&observed.tags, &declared.wanted_tags(observed)),
            ambiguous,
            limits: exceeded_limits(declared, &definition, Some(&observed.id)),
            name: Difference::between(observed.name.clone(), declared.existing.name.clone()),
            settings: SettingsDiff::between(&observed.settings, api),
            definition: definition.diff(&observed.definition),
            missing_stage,
            deployed,
            stage: StageUpdate::between(observed.stage.as_ref(), declared),
            old_stages: observed.old_stages.clone(),
            old_deployments: observed.old_deployments.clone(),
            leftovers: observed.leftovers.iter().map(leftover).collect(),
            twins: observed.twins.clone(),
        }
    }

    /// Whether the definition in AWS has to be put anew, and so is deployed anew.
    pub(super) fn redefines(&self) -> bool {
        !self.definition.is_empty() || !self.settings.additions.is_empty()
    }

    /// Whether a new deployment is made.
    ///
    /// A definition that was put right is deployed also where what serves has the right fingerprint: of two runs with
    /// different manifests at one moment, each may have deployed what the other one had put.
    pub(super) fn redeploys(&self) -> bool {
        self.redefines() || self.missing_stage.is_some() || self.deployed.is_some()
    }

    /// The ids of all other APIs that go.
    pub(super) fn other_apis(&self) -> impl Iterator<Item = &String> {
        self.leftovers.iter().map(|leftover| &leftover.id).chain(self.twins.iter().map(|twin| &twin.id))
    }

    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.tags.changes().collect();
        changes.extend(
            self.ambiguous
                .as_ref()
                .map(|apis| apis.refused("api", "several APIs have this name; choose with --adopt-api ID")),
        );
        changes.extend(self.limits.iter().cloned());
        changes.extend(self.name.as_ref().map(|name| name.update("name", Impact::None)));
        changes.extend(self.settings.changes());
        changes.extend(self.definition.iter().cloned());
        let answers = Impact::Notice("the URL answers from then on");
        changes.extend(self.missing_stage.as_ref().map(|stage| stage.update("stage", answers)));
        changes.extend(self.deployed.as_ref().map(deployment_change));
        if self.missing_stage.is_none() {
            changes.extend(self.stage.changes());
        }
        changes
            .extend(self.old_stages.iter().map(|(name, has_web_acl)| old_stage_change(name, *has_web_acl)));
        let deployments = self.old_deployments.iter();
        changes.extend(deployments.map(|id| removed(id, "old-deployment", Impact::None)));
        changes.extend(self.leftovers.iter().map(Leftover::change));
        changes.extend(self.twins.iter().map(|twin| {
            let means = "it has this stack's tags; its URLs stop answering, and a new API gets others";
            let what = twin.to_string();
            removed(&what.clone(), "other-api", Impact::Loses { what, means })
        }));
        changes
    }
}

impl Leftover {
    fn change(&self) -> Change {
        let shown = format!("{} (of this name and never deployed; {} stays)", self.id, self.stays);
        let impact = Impact::Notice("left by a run whose answer was lost; nobody was given its URL");
        removed(&shown, "duplicate-api", impact)
    }
}

impl Diff for RestApiDiff {
    fn changes(&self) -> Vec<Change> {
        match self {
            Self::Create(creation) => {
                std::iter::once(Change::Create).chain(creation.limits.iter().cloned()).collect()
            }
            Self::Update(update) => update.changes(),
        }
    }
}

fn removed(what: &str, field: &str, impact: Impact) -> Change {
    Difference { observed: Some(what), declared: None }.update(field, impact)
}

fn deployment_change(fingerprints: &Difference<Option<String>>) -> Change {
    let short = |fingerprint: &Option<String>| fingerprint.as_deref().map(short);
    Difference { observed: short(&fingerprints.observed), declared: short(&fingerprints.declared) }
        .update("deployed-definition", Impact::Notice("one new deployment; the URL stays"))
}

fn old_stage_change(name: &str, has_web_acl: bool) -> Change {
    let means = if has_web_acl {
        "not declared any more: its URL stops answering, and no web ACL is in front of the new one"
    } else {
        "not declared any more: its URL stops answering"
    };
    removed(name, "old-stage", Impact::Loses { what: format!("stage {name}"), means })
}

/// Returns what API Gateway would refuse halfway. `id` is that of the API, if it exists.
fn exceeded_limits(declared: &RestApi, definition: &Definition, id: Option<&str>) -> Vec<Change> {
    let refused = |field: &str, shown: String, why: &str| {
        Difference { observed: Shown::Nothing, declared: shown.into() }.refused(field, why)
    };
    let mut changes = Vec::new();
    let resources = definition.resources();
    // AWS raises this quota only for an API that exists: whether it has, only a try can tell.
    if resources > RESOURCES && id.is_none() {
        changes.push(refused("resources", resources.to_string(), TOO_MANY_RESOURCES));
    }
    if let Some((path, method)) = definition.longest() {
        let existing = &declared.existing;
        let arn = existing.scope.arn_of_route(id.unwrap_or(SOME_API_ID), &existing.stage, method, path);
        if arn.len() > ARN_BYTES {
            let shown = format!("an ARN of {} bytes for {method} {path}", arn.len());
            changes.push(refused("route", shown, "API Gateway takes 1,600; declare a shorter path"));
        }
    }
    changes
}
