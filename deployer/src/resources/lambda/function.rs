//! A Lambda function: its code, its configuration, and the waits between two changes of it.

mod apply;
mod configuration;
mod diff;
mod observe;
mod runtimes;

pub(crate) use diff::FunctionDiff;
pub(crate) use observe::Variables;

use crate::engine::{Applied, Declared, Existing, Id, Kind, Step, absent};
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use crate::names::{Owner, Scope, Tags, log_group_of};
use crate::packaging::Package;
use crate::resources::iam::role;
use crate::resources::lambda::waits::FUNCTION_BUSY;
use aws_sdk_lambda::types::{LastUpdateStatus, LoggingConfig, PackageType, State};
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The tag that holds the id of the role that the function was made with. A role that is deleted and created again has
/// the same ARN, but the KMS grant for the function's environment still names the old one, and every invocation fails.
const ROLE_ID_TAG: &str = "deployer:role-id";

/// The tag that says how the code of a function in the local AWS was compiled, which cannot be seen otherwise.
const BUILD_TAG: &str = "deployer:build";

/// The value of that tag after a zip has replaced a build.
const NO_BUILD: &str = "none";

/// What most changes of a function mean for its callers.
const GO_ON: &str = "requests go on meanwhile";

/// A function under its name, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingFunction {
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

/// A function as declared.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) existing: ExistingFunction,
    pub(crate) description: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) memory: i32,
    pub(crate) timeout: i32,
    pub(crate) architecture: Architecture,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) tracing: bool,
    pub(crate) reserved_concurrency: Option<i32>,
    pub(crate) role: String,
}

/// A function as Lambda has it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) state: State,
    pub(crate) last_update: LastUpdateStatus,
    pub(crate) package_type: PackageType,
    pub(crate) description: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) memory: i32,
    pub(crate) timeout: i32,
    pub(crate) architecture: String,
    pub(crate) variables: Variables,
    pub(crate) tracing: bool,
    /// Log format and log group.
    pub(crate) logging: Option<LoggingConfig>,
    pub(crate) reserved_concurrency: Option<i32>,
    pub(crate) role_arn: String,
    pub(crate) code_sha256: String,
    /// The size of its zip, in bytes.
    pub(crate) code_size: usize,
    /// The revision id. It changes with each change, and differs for another function of the same name.
    pub(crate) revision: Option<String>,
    /// The URL where the code can be downloaded for some minutes.
    pub(crate) code_url: Option<String>,
    /// Why the code cannot be downloaded. Checked only where another runtime or handler is declared, because only then
    /// the old code is needed.
    pub(crate) code_out_of_reach: Option<String>,
    pub(crate) tags: Tags,
}

/// What a function needs: its role, and its code. Without a package the code is not compared.
pub(crate) type Needs = (role::Output, Option<Package>);

/// What the permission needs of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Whether this run has made it, so that it has no permissions yet.
    pub(crate) fresh: bool,
}

impl Existing for ExistingFunction {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Function, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let get = step.aws.lambda.get_function().function_name(&self.name);
        let get = || step.call("lambda:GetFunction", get.clone().send());
        match absent(step.retry(&[], get).await, NO_SUCH)? {
            Some(found) => self.read(step, found).map(Some),
            None => Ok(None),
        }
    }

    fn owner(&self, seen: &Observed) -> Owner {
        // It is being deleted already, and a run only waits for that.
        if seen.state == State::Deleting { Owner::Ours } else { self.scope.owner(&seen.tags) }
    }

    fn state(&self, seen: &Observed) -> String {
        let condition = settled_state(seen).to_lowercase();
        let build = seen.tags.get(BUILD_TAG).filter(|build| *build != NO_BUILD);
        let build = build.map(|build| format!(", {build} build")).unwrap_or_default();
        let variables = match seen.variables {
            Variables::Readable(_) => "",
            Variables::Unreadable(_) => ", variables unreadable",
        };
        format!("{condition}, {} MB, {}{build}{variables}", seen.memory, seen.architecture)
    }

    /// Lambda deletes the resource policy with the function.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        if seen.state == State::Deleting {
            return self.until_gone(step, None).await;
        }
        let delete = step.aws.lambda.delete_function().function_name(&self.name);
        let delete = || step.call("lambda:DeleteFunction", delete.clone().send());
        if absent(step.retry(&[&FUNCTION_BUSY], delete).await, NO_SUCH)?.is_some() {
            // The revision also changes when a change ends, so one that is under way tells nothing.
            let settled = settled_state(&seen) == "Active";
            self.until_gone(step, seen.revision.filter(|_| settled)).await?;
        }
        Ok(())
    }
}

impl Declared for Function {
    type Existing = ExistingFunction;
    type Needs = Needs;
    type Diff = FunctionDiff;
    type Output = Output;

    fn existing(&self) -> &ExistingFunction {
        &self.existing
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let Some(mut seen) = self.existing.observe(step).await? else { return Ok(None) };
        if seen.package_type == PackageType::Zip && self.starts_otherwise(&seen) {
            seen.code_out_of_reach = observe::out_of_reach(step, seen.code_url.as_deref()).await;
        }
        Ok(Some(seen))
    }

    fn diff(&self, needs: Option<&Needs>, seen: Option<&Observed>) -> FunctionDiff {
        FunctionDiff::between(self, needs, seen)
    }

    fn output(&self, _seen: &Observed) -> Output {
        Output { fresh: false }
    }

    async fn apply(
        &self,
        step: &Step<'_>,
        needs: Needs,
        seen: Option<Observed>,
        diff: FunctionDiff,
    ) -> Result<Applied<Output, Observed>> {
        match (diff, seen) {
            (FunctionDiff::Update(update), Some(_)) if update.must_wait() => {
                self.until_ready(step, false).await?;
                let observed = self.observe(step).await?;
                let why = format!("the function {} was changing", self.existing.name);
                return Ok(Applied::Outdated { observed, why });
            }
            (FunctionDiff::Update(update), Some(seen)) => {
                self.update(step, needs, &seen, &update).await?;
                return Ok(Applied::Done(Output { fresh: false }));
            }
            (FunctionDiff::Replace(_), Some(seen)) => self.existing.delete(step, seen).await?,
            (FunctionDiff::Create { awaits_deletion: true }, _) => {
                self.existing.until_gone(step, None).await?;
            }
            (FunctionDiff::Refused(change), _) => return Err(Error::new(change.to_string())),
            _ => {}
        }
        self.create(step, needs).await.map(Applied::Done)
    }
}

impl ExistingFunction {
    /// An answer without the function does not mean that the function is absent.
    fn unsaid(&self) -> Error {
        Error::new(format!("Lambda answered without the function {}", self.name))
    }

    /// Returns the log group that it writes to, which may not be the stack's.
    pub(crate) fn observed_log_group(&self, seen: &Observed) -> String {
        let set = seen.logging.as_ref().and_then(LoggingConfig::log_group).filter(|name| !name.is_empty());
        set.map_or_else(|| log_group_of(&self.name), str::to_owned)
    }
}

impl Function {
    /// Returns a warning about the declaration, if there is one.
    pub(crate) fn warning(&self) -> Option<String> {
        runtimes::warning(&self.existing.name, &self.runtime)
    }

    /// Whether runtime or handler differ from the declaration.
    fn starts_otherwise(&self, seen: &Observed) -> bool {
        seen.runtime != self.runtime || seen.handler != self.handler
    }

    fn role_arn(&self) -> String {
        self.existing.scope.role_arn(&self.role)
    }

    fn wanted_tags(&self, (role, package): &Needs, seen: &Tags) -> Tags {
        let mut tags = self.existing.scope.tags();
        tags.insert(ROLE_ID_TAG.to_owned(), role.role_id.clone());
        match package {
            Some(Package { build: Some(build), .. }) => {
                tags.insert(BUILD_TAG.to_owned(), build.name().to_owned());
            }
            Some(Package { build: None, .. }) if seen.contains_key(BUILD_TAG) => {
                tags.insert(BUILD_TAG.to_owned(), NO_BUILD.to_owned());
            }
            _ => {}
        }
        tags
    }
}

/// Joins Lambda's two state fields into one word. An inactive function counts as active, because its next invocation
/// makes it ready again.
fn settled_state(seen: &Observed) -> &str {
    match (&seen.state, &seen.last_update) {
        (State::Active | State::Inactive, LastUpdateStatus::InProgress) => "Updating",
        (State::Active | State::Inactive, LastUpdateStatus::Failed) => "Update failed",
        (State::Active | State::Inactive, _) => "Active",
        (state, _) => state.as_str(),
    }
}

#[cfg(test)]
mod tests;
