//! A Lambda function: its code, its configuration, and the waits between two changes of it.

mod changing;

use super::role;
use crate::engine::{Step, absent};
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use crate::names::{Owner, Scope, Tags, diff_tags, log_group_of};
use crate::packaging::Package;
use crate::resource::{Change, Id, Kind, Resource, Shown};
use crate::retry::FUNCTION_BUSY;
use aws_sdk_lambda::types::{
    FunctionConfiguration, LastUpdateStatus, LoggingConfig, PackageType, State, TracingMode,
};
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The tag that remembers which role the function was made with. A role that was deleted and made again has the same
/// ARN, but the key grant of the function's environment still names the old one, and every invocation fails.
const ROLE_ID_TAG: &str = "deployer:role-id";

/// The tag that says how the code of a function of the local AWS was compiled, which nobody can tell from the outside.
const BUILD_TAG: &str = "deployer:build";

/// A function as declared.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
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
    pub(crate) scope: Scope,
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
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) tracing: bool,
    /// How it logs, and where to.
    pub(crate) logging: Option<LoggingConfig>,
    pub(crate) reserved_concurrency: Option<i32>,
    pub(crate) role_arn: String,
    pub(crate) code_sha256: String,
    /// Another one after each change, and of another function of the same name.
    pub(crate) revision: Option<String>,
    /// Where the code can be downloaded, for some minutes.
    pub(crate) code_url: Option<String>,
    pub(crate) tags: Tags,
}

/// What the permission needs of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Made by this run, so it has no permissions yet, whatever was seen before.
    pub(crate) fresh: bool,
}

impl Resource for Function {
    /// Without a package the code is not compared.
    type Needs = (role::Output, Option<Package>);
    type Observed = Observed;
    type Output = Output;

    fn id(&self) -> Id {
        Id::new(Kind::Function, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let get = step.aws.lambda.get_function().function_name(&self.name);
        let get = || step.call("lambda:GetFunction", get.clone().send());
        let Some(found) = absent(step.retry(&[], get).await, NO_SUCH)? else {
            return Ok(None);
        };
        let Some(configuration) = found.configuration else {
            return Ok(None);
        };
        if let Some(why) = found.tags_error {
            // Without them it would be taken for somebody else's.
            return Err(Error::new(format!("the tags of {} cannot be read: {}", self.name, why.message()))
                .hint("Your own permissions lack lambda:ListTags."));
        }
        let tags = found.tags.unwrap_or_default().into_iter().collect();
        let reserved = found.concurrency.and_then(|c| c.reserved_concurrent_executions);
        let code_url = found.code.and_then(|code| code.location);
        Ok(Some(observed(configuration, tags, reserved, code_url)))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        // It is going already; all that anybody does about it is wait.
        if seen.state == State::Deleting { Owner::Ours } else { self.scope.owner(&seen.tags) }
    }

    fn diff(&self, needs: Option<&Self::Needs>, seen: Option<&Observed>) -> Vec<Change> {
        let Some(seen) = seen else {
            return vec![Change::Create];
        };
        if seen.state == State::Deleting {
            return vec![Change::Create];
        }
        if seen.package_type != PackageType::Zip {
            return vec![Change::Refused {
                field: "package-type".to_owned(),
                from: seen.package_type.as_str().into(),
                to: "Zip".into(),
                why: "Lambda keeps what a function was made of: delete it by hand, or declare another name"
                    .to_owned(),
            }];
        }
        if let Some(why) = Self::replacement(needs, seen) {
            return vec![why];
        }
        let mut changes = self.diff_tags(needs, seen);
        changes.extend(Change::update("state", Some(settled_state(seen)), Some("Active")));
        if let Some((_, Some(package))) = needs {
            changes.extend(Change::update("code", seen.code_sha256.as_str(), &package.sha256));
        }
        changes.extend(Change::update("architecture", seen.architecture.as_str(), self.architecture.name()));
        changes.extend(self.diff_configuration(seen));
        changes.extend(Change::update(
            "reserved-concurrency",
            seen.reserved_concurrency,
            self.reserved_concurrency,
        ));
        changes
    }

    fn output(&self, _seen: &Observed) -> Output {
        Output { fresh: false }
    }

    fn state(&self, seen: &Observed) -> String {
        let condition = settled_state(seen).to_lowercase();
        let build = seen.tags.get(BUILD_TAG).map(|build| format!(", {build} build")).unwrap_or_default();
        format!("{condition}, {} MB, {}{build}", seen.memory, seen.architecture)
    }

    async fn apply(&self, step: &Step<'_>, needs: Self::Needs, seen: Option<Observed>) -> Result<Output> {
        let Some(seen) = seen else {
            return self.create(step, needs).await;
        };
        if seen.state == State::Deleting {
            self.until_gone(step, None).await?;
            return self.create(step, needs).await;
        }
        if Self::replacement(Some(&needs), &seen).is_some() {
            self.delete(step, seen).await?;
            return self.create(step, needs).await;
        }
        self.update(step, needs, seen).await
    }

    /// Takes the function's resource policy along.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        if seen.state == State::Deleting {
            return self.until_gone(step, None).await;
        }
        let delete = step.aws.lambda.delete_function().function_name(&self.name);
        let delete = || step.call("lambda:DeleteFunction", delete.clone().send());
        if absent(step.retry(&[&FUNCTION_BUSY], delete).await, NO_SUCH)?.is_some() {
            // Lambda gives another one when a change ends, so that of one under way tells nothing.
            let settled = settled_state(&seen) == "Active";
            self.until_gone(step, seen.revision.filter(|_| settled)).await?;
        }
        Ok(())
    }
}

impl Function {
    /// One that is only to be looked at and deleted.
    pub(crate) fn undeclared(name: &str, scope: &Scope) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            runtime: String::new(),
            handler: String::new(),
            memory: 0,
            timeout: 0,
            architecture: Architecture::X86_64,
            environment: BTreeMap::new(),
            tracing: false,
            reserved_concurrency: None,
            role: String::new(),
            scope: scope.clone(),
        }
    }

    /// What cannot be mended in place.
    fn replacement(needs: Option<&<Self as Resource>::Needs>, seen: &Observed) -> Option<Change> {
        if seen.state == State::Failed {
            return Some(Change::Replace {
                field: "state".to_owned(),
                from: "Failed".into(),
                to: "Active".into(),
                why: "Lambda could not make it, and does not try again".to_owned(),
            });
        }
        let has_ciphertext = !seen.environment.is_empty();
        let before = seen.tags.get(ROLE_ID_TAG)?;
        // A plan knows no role where there is none, and the one that `up` makes is another one.
        let after = needs.map_or("(a new role)", |(role, _)| role.role_id.as_str());
        (has_ciphertext && before != after).then(|| Change::Replace {
            field: "role-id".to_owned(),
            from: before.as_str().into(),
            to: after.into(),
            why: "its role was deleted and made again, and the key of its environment still answers only to the \
                  old one; the API answers 500 for some seconds"
                .to_owned(),
        })
    }

    /// The log group that it writes to. Somebody may have set another one than the stack's.
    pub(crate) fn observed_log_group(&self, seen: &Observed) -> String {
        let set = seen.logging.as_ref().and_then(LoggingConfig::log_group).filter(|name| !name.is_empty());
        set.map_or_else(|| log_group_of(&self.name), str::to_owned)
    }

    fn wanted_tags(&self, (role, package): &<Self as Resource>::Needs) -> Tags {
        let mut tags = self.scope.tags();
        tags.insert(ROLE_ID_TAG.to_owned(), role.role_id.clone());
        if let Some(build) = package.as_ref().and_then(|package| package.build) {
            tags.insert(BUILD_TAG.to_owned(), build.name().to_owned());
        }
        tags
    }

    fn diff_tags(&self, needs: Option<&<Self as Resource>::Needs>, seen: &Observed) -> Vec<Change> {
        let Some(needs) = needs else { return diff_tags(&self.scope.tags(), &seen.tags) };
        let mut changes = diff_tags(&self.wanted_tags(needs), &seen.tags);
        if has_stale_build_tag(needs, seen) {
            changes.extend(Change::update(format!("tags.{BUILD_TAG}"), seen.tags.get(BUILD_TAG), None));
        }
        changes
    }

    /// Everything that `UpdateFunctionConfiguration` sets.
    fn diff_configuration(&self, seen: &Observed) -> Vec<Change> {
        let role_arn = self.scope.role_arn(&self.role);
        let mut changes: Vec<Change> = [
            Change::update("description", seen.description.as_str(), &self.description),
            Change::update("runtime", seen.runtime.as_str(), &self.runtime),
            Change::update("handler", seen.handler.as_str(), &self.handler),
            Change::update("memory", Some(seen.memory), Some(self.memory)),
            Change::update("timeout", Some(seen.timeout), Some(self.timeout)),
            Change::update("tracing", Some(seen.tracing), Some(self.tracing)),
            Change::update("role", seen.role_arn.as_str(), &role_arn),
            // The policy of its role is for this group only: what it logs elsewhere is lost.
            Change::update("log-group", self.observed_log_group(seen), log_group_of(&self.name)),
        ]
        .into_iter()
        .flatten()
        .collect();
        // Values are secrets: only the names are ever shown.
        let names: std::collections::BTreeSet<&String> =
            seen.environment.keys().chain(self.environment.keys()).collect();
        for name in names {
            let (from, to) = (seen.environment.get(name), self.environment.get(name));
            if from != to {
                let shown = |value: Option<&String>| value.map_or(Shown::Nothing, |_| Shown::secret());
                changes.push(Change::Update {
                    field: format!("environment.{name}"),
                    from: shown(from),
                    to: shown(to),
                });
            }
        }
        changes
    }
}

/// Whether the tag tells of a build, and the code is a zip that was ready.
fn has_stale_build_tag((_, package): &<Function as Resource>::Needs, seen: &Observed) -> bool {
    let is_ready = package.as_ref().is_some_and(|package| package.build.is_none());
    is_ready && seen.tags.contains_key(BUILD_TAG)
}

/// Values that Lambda leaves out are its defaults.
fn observed(
    c: FunctionConfiguration,
    tags: Tags,
    reserved_concurrency: Option<i32>,
    code_url: Option<String>,
) -> Observed {
    Observed {
        state: c.state.unwrap_or(State::Active),
        last_update: c.last_update_status.unwrap_or(LastUpdateStatus::Successful),
        package_type: c.package_type.unwrap_or(PackageType::Zip),
        description: c.description.unwrap_or_default(),
        runtime: c.runtime.map(|runtime| runtime.as_str().to_owned()).unwrap_or_default(),
        handler: c.handler.unwrap_or_default(),
        memory: c.memory_size.unwrap_or(128),
        timeout: c.timeout.unwrap_or(3),
        architecture: c
            .architectures
            .and_then(|all| all.first().map(|one| one.as_str().to_owned()))
            .unwrap_or_else(|| "x86_64".to_owned()),
        environment: c.environment.and_then(|e| e.variables).unwrap_or_default().into_iter().collect(),
        tracing: c.tracing_config.and_then(|t| t.mode) == Some(TracingMode::Active),
        logging: c.logging_config,
        reserved_concurrency,
        role_arn: c.role.unwrap_or_default(),
        code_sha256: c.code_sha256.unwrap_or_default(),
        revision: c.revision_id,
        code_url,
        tags,
    }
}

/// One word for what Lambda says in two fields. An idle function is made ready again by its next invocation.
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
