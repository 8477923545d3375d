//! A Lambda function: its code, its configuration, and the waits between two changes of it.

mod apply;
mod observe;
mod runtimes;

pub(crate) use observe::Variables;

use crate::engine::{Change, Declared, Existing, Id, Impact, Kind, Shown, Step, absent, diff_tags};
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use crate::names::{Owner, Scope, Tags, log_group_of};
use crate::packaging::{LARGEST_ZIP, Package};
use crate::resources::iam::role;
use crate::resources::lambda::waits::FUNCTION_BUSY;
use aws_sdk_lambda::types::{LastUpdateStatus, LoggingConfig, PackageType, State};
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The tag that remembers which role the function was made with. A role that was deleted and made again has the same
/// ARN, but the key grant of the function's environment still names the old one, and every invocation fails.
const ROLE_ID_TAG: &str = "deployer:role-id";

/// The tag that says how the code of a function of the local AWS was compiled, which nobody can tell from the outside.
const BUILD_TAG: &str = "deployer:build";

/// The value of that tag when a zip has taken the place of a build.
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
    /// How it logs, and where to.
    pub(crate) logging: Option<LoggingConfig>,
    pub(crate) reserved_concurrency: Option<i32>,
    pub(crate) role_arn: String,
    pub(crate) code_sha256: String,
    /// Of its zip, in bytes.
    pub(crate) code_size: usize,
    /// Another one after each change, and of another function of the same name.
    pub(crate) revision: Option<String>,
    /// Where the code can be downloaded, for some minutes.
    pub(crate) code_url: Option<String>,
    /// Why it cannot be downloaded there. Only looked at where another runtime or handler is declared, which the old code
    /// is needed for.
    pub(crate) code_out_of_reach: Option<String>,
    pub(crate) tags: Tags,
}

/// What the permission needs of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Made by this run, so it has no permissions yet, whatever was seen before.
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
        // It is going already; all that anybody does about it is wait.
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

impl Declared for Function {
    type Existing = ExistingFunction;
    /// Without a package the code is not compared.
    type Needs = (role::Output, Option<Package>);
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
        if let Some(why) = self.replacement(needs, seen) {
            return vec![why];
        }
        let mut changes = self.diff_tags(needs, seen);
        changes.extend(Change::update(
            "state",
            Some(settled_state(seen)),
            Some("Active"),
            Impact::Notice("waited for"),
        ));
        changes.extend(self.diff_code(needs, seen));
        changes.extend(Change::update(
            "architecture",
            seen.architecture.as_str(),
            self.architecture.name(),
            Impact::Notice("requests go on meanwhile; every instance starts anew"),
        ));
        changes.extend(self.diff_configuration(seen));
        changes.extend(Change::update(
            "reserved-concurrency",
            seen.reserved_concurrency,
            self.reserved_concurrency,
            Impact::None,
        ));
        changes
    }

    fn output(&self, _seen: &Observed) -> Output {
        Output { fresh: false }
    }

    async fn apply(&self, step: &Step<'_>, needs: Self::Needs, seen: Option<Observed>) -> Result<Output> {
        let Some(seen) = seen else {
            return self.create(step, needs).await;
        };
        if seen.state == State::Deleting {
            self.existing.until_gone(step, None).await?;
            return self.create(step, needs).await;
        }
        if self.replacement(Some(&needs), &seen).is_some() {
            self.existing.delete(step, seen).await?;
            return self.create(step, needs).await;
        }
        self.update(step, needs, seen).await
    }
}

impl ExistingFunction {
    /// Absent is what Lambda says to be absent, not what it says nothing of.
    fn unsaid(&self) -> Error {
        Error::new(format!("Lambda answered without the function {}", self.name))
    }

    /// The log group that it writes to. Somebody may have set another one than the stack's.
    pub(crate) fn observed_log_group(&self, seen: &Observed) -> String {
        let set = seen.logging.as_ref().and_then(LoggingConfig::log_group).filter(|name| !name.is_empty());
        set.map_or_else(|| log_group_of(&self.name), str::to_owned)
    }
}

impl Function {
    /// What people should know of what they declare.
    pub(crate) fn warning(&self) -> Option<String> {
        runtimes::warning(&self.existing.name, &self.runtime)
    }

    /// Whether the code is started in another way than is declared.
    fn starts_otherwise(&self, seen: &Observed) -> bool {
        seen.runtime != self.runtime || seen.handler != self.handler
    }

    /// What cannot be mended in place: it is made again, but not over variables that nobody here can read.
    fn replacement(&self, needs: Option<&<Self as Declared>::Needs>, seen: &Observed) -> Option<Change> {
        let (field, from, to, why) = self.reason_to_replace(needs, seen)?;
        let field = field.to_owned();
        Some(match &seen.variables {
            Variables::Readable(_) => Change::Replace { field, from, to, why: why.to_owned() },
            Variables::Unreadable(unreadable) => {
                let way_out = "making it again would lose its environment variables, which cannot be read; have yourself \
                               granted kms:Decrypt on their key, or delete the function by hand";
                Change::Refused {
                    field,
                    from,
                    to,
                    why: format!("{why}; {way_out} ({})", unreadable.trim_end()),
                }
            }
        })
    }

    fn reason_to_replace(
        &self,
        needs: Option<&<Self as Declared>::Needs>,
        seen: &Observed,
    ) -> Option<(&'static str, Shown, Shown, &'static str)> {
        if seen.state == State::Failed {
            let why = "Lambda could not make it, and does not try again";
            return Some(("state", "Failed".into(), "Active".into(), why));
        }
        // Under another ARN it is another role to the key as well, and Lambda makes a new grant for it.
        if seen.role_arn != self.existing.scope.role_arn(&self.role) || !seen.variables.are_encrypted() {
            return None;
        }
        let before = seen.tags.get(ROLE_ID_TAG)?;
        let after = Self::role_id(needs);
        let why = "its role was deleted and made again, and the key of its environment still answers only to the old one; \
                   the API answers 500 for some seconds";
        (before != after).then(|| ("role-id", before.as_str().into(), after.into(), why))
    }

    /// A plan knows no role where there is none, and the one that `up` makes is another one.
    fn role_id(needs: Option<&<Self as Declared>::Needs>) -> &str {
        needs.map_or("(a new role)", |(role, _)| role.role_id.as_str())
    }

    /// Code and runtime are changed by two calls. Between them, old and new code in one zip serves requests, under either
    /// runtime; where the old code cannot be had, nothing does, and the change says so by its name.
    fn diff_code(&self, needs: Option<&<Self as Declared>::Needs>, seen: &Observed) -> Vec<Change> {
        let Some((_, Some(package))) = needs else { return Vec::new() };
        let bridged = self.is_bridged(seen, package);
        let (field, means) = if bridged || !self.starts_otherwise(seen) {
            ("code", GO_ON)
        } else {
            let gap = "the old code cannot be had, so requests fail until the runtime is changed as well";
            ("code-with-a-gap", gap)
        };
        let code = Change::update(field, seen.code_sha256.as_str(), package.sha256(), Impact::Notice(means));
        let between = bridged.then(|| Change::Update {
            field: "code-in-between".to_owned(),
            from: "the old".into(),
            to: "the old and the new".into(),
            impact: Impact::Notice(GO_ON),
        });
        code.into_iter().chain(between).collect()
    }

    /// Whether old and new code serve together: both are needed, the old code can be had, and they are not too large.
    fn is_bridged(&self, seen: &Observed, new: &Package) -> bool {
        self.starts_otherwise(seen)
            && new.sha256() != seen.code_sha256
            && seen.code_out_of_reach.is_none()
            && seen.code_size + new.size() <= LARGEST_ZIP
    }

    fn wanted_tags(&self, (role, package): &<Self as Declared>::Needs, seen: &Tags) -> Tags {
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

    fn diff_tags(&self, needs: Option<&<Self as Declared>::Needs>, seen: &Observed) -> Vec<Change> {
        let Some(needs) = needs else {
            let role_id = Some(Self::role_id(needs).to_owned());
            let seen_role_id = seen.tags.get(ROLE_ID_TAG).cloned();
            let mut changes = diff_tags(&self.existing.scope.tags(), &seen.tags);
            changes.extend(Change::update(
                format!("tags.{ROLE_ID_TAG}"),
                seen_role_id,
                role_id,
                Impact::None,
            ));
            return changes;
        };
        diff_tags(&self.wanted_tags(needs, &seen.tags), &seen.tags)
    }

    /// Everything that `UpdateFunctionConfiguration` sets.
    fn diff_configuration(&self, seen: &Observed) -> Vec<Change> {
        let role_arn = self.existing.scope.role_arn(&self.role);
        let mut changes: Vec<Change> = [
            Change::update("description", seen.description.as_str(), &self.description, Impact::None),
            Change::update("runtime", seen.runtime.as_str(), &self.runtime, Impact::None),
            Change::update("handler", seen.handler.as_str(), &self.handler, Impact::None),
            Change::update("memory", Some(seen.memory), Some(self.memory), Impact::Notice(GO_ON)),
            Change::update("timeout", Some(seen.timeout), Some(self.timeout), Impact::Notice(GO_ON)),
            Change::update("tracing", Some(seen.tracing), Some(self.tracing), Impact::None),
            Change::update("role", seen.role_arn.as_str(), &role_arn, Impact::None),
            // The policy of its role is for this group only: what it logs elsewhere is lost.
            Change::update(
                "log-group",
                self.existing.observed_log_group(seen),
                log_group_of(&self.existing.name),
                Impact::Notice("logs go there from then on; what the other group holds stays"),
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        // What cannot be read cannot be compared, and is not written either.
        let Variables::Readable(variables) = &seen.variables else {
            return changes;
        };
        // Values are secrets: only the names are ever shown.
        let names: std::collections::BTreeSet<&String> =
            variables.keys().chain(self.environment.keys()).collect();
        for name in names {
            let (from, to) = (variables.get(name), self.environment.get(name));
            if from != to {
                let shown = |value: Option<&String>| value.map_or(Shown::Nothing, |_| Shown::secret());
                changes.push(Change::Update {
                    field: format!("environment.{name}"),
                    from: shown(from),
                    to: shown(to),
                    impact: Impact::Notice(GO_ON),
                });
            }
        }
        changes
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
