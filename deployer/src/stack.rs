//! The resources of a stack. `walk` has their dependencies, `destroy` the order of deletion.

mod build;
mod destroy;
pub(crate) mod orphans;
mod proof;
mod walk;

use crate::aws::Aws;
use crate::config::Config;
use crate::error::Result;
use crate::names::log_group_of;
use crate::packaging::{Packages, Place};
use crate::proof::Proof;
use crate::resources::api_gateway::rest_api::{self, RestApi};
use crate::resources::dynamodb::scaling::Scaling;
use crate::resources::dynamodb::table::{ExistingTable, Table};
use crate::resources::iam::policy::Policy;
use crate::resources::iam::role::Role;
use crate::resources::lambda::function::Function;
use crate::resources::lambda::permission::Permission;
use crate::resources::logs::log_group::LogGroup;
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};
use orphans::DeclaredNames;
use proof::Shown;
use std::collections::BTreeSet;

/// All declared resources, under their final names.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    roles: Vec<Role>,
    policies: Vec<Policy>,
    log_groups: Vec<LogGroup>,
    tables: Vec<Table>,
    /// One for each table, even when its capacity does not scale.
    scalings: Vec<Scaling>,
    functions: Vec<Function>,
    api: Option<RestApi>,
    permissions: Vec<Permission>,
    /// The URL that is shown, and its proof.
    shown: Shown,
}

impl Stack {
    /// Returns a declared function, by its name in AWS.
    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.existing.name == name)
    }

    /// Returns the log group of a declared function, by the function's name in AWS.
    pub(crate) fn log_group(&self, function: &str) -> Option<&LogGroup> {
        self.log_groups.iter().find(|group| group.existing.name == log_group_of(function))
    }

    /// Returns warnings about the declaration, a sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.functions.iter().filter_map(Function::warning).collect()
    }

    pub(crate) fn api(&self) -> Option<&RestApi> {
        self.api.as_ref()
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &ExistingTable> {
        self.tables.iter().map(|table| &table.existing)
    }

    pub(crate) fn declared(&self) -> DeclaredNames {
        DeclaredNames {
            functions: self.functions.iter().map(|function| function.existing.name.clone()).collect(),
            log_groups: self.log_groups.iter().map(|group| group.existing.name.clone()).collect(),
            tables: self.tables.iter().map(|table| table.existing.name.clone()).collect(),
            roles: self.roles.iter().map(|role| role.existing.name.clone()).collect(),
        }
    }

    /// Returns the same stack, in which the untagged log groups of these functions count as ours.
    pub(crate) fn claiming_logs_of(mut self, functions: &BTreeSet<String>) -> Self {
        for group in &mut self.log_groups {
            let name = &group.existing.name;
            group.existing.claims_unowned = functions.iter().any(|function| log_group_of(function) == *name);
        }
        self
    }

    /// Returns the same stack, which adopts the API of this id.
    pub(crate) fn adopting_api(mut self, id: Option<&str>) -> Self {
        if let Some(api) = &mut self.api {
            api.adopt = id.map(str::to_owned);
        }
        self
    }

    /// The URL that takes the proof. A stack without one has the URL of its first route, or of its stage where all paths have
    /// parameters.
    pub(crate) fn invoke_url(&self, aws: &Aws, output: &rest_api::Output) -> Option<String> {
        let stage = &self.api.as_ref()?.existing.stage;
        Some(aws.invoke_url(&output.id, stage, &self.shown.path(|declared| output.path(declared))))
    }

    /// The request that the invoke URL takes, or why there is none.
    pub(crate) fn proof(&self) -> Result<&Proof, &str> {
        self.shown.proof.as_ref().map_err(String::as_str)
    }

    /// Starts to build the package of each function.
    ///
    /// # Errors
    /// Fails for a declared zip that cannot be used.
    pub(crate) fn packages(config: &Config) -> Result<Packages> {
        let functions = config.manifest.functions.iter();
        let place = Place {
            machine: config.machine.clone(),
            root: config.root.clone(),
            build: config.build,
            local: config.target.local,
        };
        Packages::start(functions.map(|(name, function)| (config.named(name), function)), &place)
    }
}

/// An output that several dependents await.
type Known<'a, T> = Shared<LocalBoxFuture<'a, T>>;

fn known<'a, T: Clone>(step: impl Future<Output = T> + 'a) -> Known<'a, T> {
    step.boxed_local().shared()
}
