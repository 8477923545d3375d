//! How the configuration of a function differs from its declaration: everything that `UpdateFunctionConfiguration` sets.

use super::{Function, GO_ON, Observed, Variables};
use crate::engine::{Change, Difference, Impact, Shown};
use crate::names::log_group_of;
use std::collections::BTreeSet;

/// The settings that differ.
#[derive(Clone, Debug)]
pub(crate) struct ConfigurationDiff {
    description: Option<Difference<String>>,
    runtime: Option<Difference<String>>,
    handler: Option<Difference<String>>,
    /// In MB.
    memory: Option<Difference<i32>>,
    /// In seconds.
    timeout: Option<Difference<i32>>,
    tracing: Option<Difference<bool>>,
    /// ARNs.
    role: Option<Difference<String>>,
    pub(super) log_group: Option<Difference<String>>,
    environment: Vec<VariableDiff>,
}

/// An environment variable that differs. Values are secrets, so only its name is kept.
#[derive(Clone, Debug)]
struct VariableDiff {
    name: String,
    exists: bool,
    is_declared: bool,
}

impl ConfigurationDiff {
    pub(super) fn between(observed: &Observed, declared: &Function) -> Self {
        let text =
            |observed: &str, declared: &str| Difference::between(observed.to_owned(), declared.to_owned());
        Self {
            description: text(&observed.description, &declared.description),
            runtime: text(&observed.runtime, &declared.runtime),
            handler: text(&observed.handler, &declared.handler),
            memory: Difference::between(observed.memory, declared.memory),
            timeout: Difference::between(observed.timeout, declared.timeout),
            tracing: Difference::between(observed.tracing, declared.tracing),
            role: text(&observed.role_arn, &declared.role_arn()),
            log_group: Difference::between(
                declared.existing.observed_log_group(observed),
                log_group_of(&declared.existing.name),
            ),
            environment: variables(observed, declared),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes().is_empty()
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        let go_on = || Impact::Notice(GO_ON);
        // The policy of its role is for this group only: what it logs elsewhere is lost.
        let moves = Impact::Notice("logs go there from then on; what the other group holds stays");
        let environment = self.environment.iter().map(VariableDiff::change);
        [
            self.description.as_ref().map(|text| text.update("description", Impact::None)),
            self.runtime.as_ref().map(|name| name.update("runtime", Impact::None)),
            self.handler.as_ref().map(|name| name.update("handler", Impact::None)),
            self.memory.as_ref().map(|mb| mb.update("memory", go_on())),
            self.timeout.as_ref().map(|seconds| seconds.update("timeout", go_on())),
            self.tracing.as_ref().map(|on| on.update("tracing", Impact::None)),
            self.role.as_ref().map(|arn| arn.update("role", Impact::None)),
            self.log_group.as_ref().map(|name| name.update("log-group", moves)),
        ]
        .into_iter()
        .flatten()
        .chain(environment)
        .collect()
    }
}

impl VariableDiff {
    fn change(&self) -> Change {
        let shown = |exists: bool| if exists { Shown::secret() } else { Shown::Nothing };
        Difference { observed: shown(self.exists), declared: shown(self.is_declared) }
            .update(format!("environment.{}", self.name), Impact::Notice(GO_ON))
    }
}

/// What cannot be read cannot be compared, and is not written either.
fn variables(observed: &Observed, declared: &Function) -> Vec<VariableDiff> {
    let Variables::Readable(variables) = &observed.variables else { return Vec::new() };
    let environment = &declared.environment;
    let names: BTreeSet<&String> = variables.keys().chain(environment.keys()).collect();
    let differing = names.into_iter().filter(|name| variables.get(*name) != environment.get(*name));
    let diff = |name: &String| VariableDiff {
        name: name.clone(),
        exists: variables.contains_key(name),
        is_declared: environment.contains_key(name),
    };
    differing.map(diff).collect()
}
