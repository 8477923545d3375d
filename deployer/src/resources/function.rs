//! A Lambda function: its code, its configuration, and the waits between two changes of it.

use super::role;
use crate::engine::{Step, absent};
use crate::error::{AwsError, Error, Result};
use crate::manifest::Architecture;
use crate::names::{Owner, Scope, Tags, diff_tags, tags_differ};
use crate::package::Package;
use crate::resource::{Change, Id, Kind, Resource, Shown};
use crate::retry::{
    FUNCTION_BUSY, FUNCTION_GONE, FUNCTION_NOT_YET_VISIBLE, FUNCTION_READY, Passing, ROLE_NOT_ASSUMABLE,
    ROLE_NOT_YET_ASSUMABLE,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture as SdkArchitecture, Environment, FunctionCode, FunctionConfiguration, LastUpdateStatus, Runtime,
    State, TracingConfig, TracingMode,
};
use std::collections::BTreeMap;

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The tag that remembers which role the function was made with. A role that was deleted and made again has the same
/// ARN, but the key grant of the function's environment still names the old one, and every invocation fails.
const ROLE_ID_TAG: &str = "deployer:role-id";

/// What Lambda takes in one call. Of a larger body it may just cut the connection, which would look like a bad network.
const LARGEST_ZIP: usize = 50 * 1024 * 1024;

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
    pub(crate) description: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) memory: i32,
    pub(crate) timeout: i32,
    pub(crate) architecture: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) tracing: bool,
    pub(crate) reserved_concurrency: Option<i32>,
    pub(crate) role_arn: String,
    pub(crate) code_sha256: String,
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
        let Some(found) = absent(step.retry(&[], get).await, NO_SUCH)? else { return Ok(None) };
        let Some(configuration) = found.configuration else { return Ok(None) };
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
        let Some(seen) = seen else { return vec![Change::Create] };
        if seen.state == State::Deleting {
            return vec![Change::Create];
        }
        if let Some(why) = self.replacement(needs, seen) {
            return vec![why];
        }
        let mut changes = self.diff_tags(needs, seen);
        changes.extend(Change::update("state", Some(settled_state(seen)), Some("Active")));
        if let Some((_, Some(package))) = needs {
            changes.extend(Change::update("code", seen.code_sha256.as_str(), &package.sha256));
        }
        changes.extend(Change::update("architecture", seen.architecture.as_str(), self.architecture_name()));
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
        format!("{}, {} MB, {}", settled_state(seen).to_lowercase(), seen.memory, seen.architecture)
    }

    async fn apply(&self, step: &Step<'_>, needs: Self::Needs, seen: Option<Observed>) -> Result<Output> {
        let Some(seen) = seen else { return self.create(step, needs).await };
        if seen.state == State::Deleting {
            self.until_gone(step).await?;
            return self.create(step, needs).await;
        }
        if self.replacement(Some(&needs), &seen).is_some() {
            self.delete(step, seen).await?;
            return self.create(step, needs).await;
        }
        self.update(step, needs, seen).await
    }

    /// Takes the function's resource policy along.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        if seen.state == State::Deleting {
            return self.until_gone(step).await;
        }
        let delete = step.aws.lambda.delete_function().function_name(&self.name);
        let delete = || step.call("lambda:DeleteFunction", delete.clone().send());
        if absent(step.retry(&[&FUNCTION_BUSY], delete).await, NO_SUCH)?.is_some() {
            self.until_gone(step).await?;
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
    fn replacement(&self, needs: Option<&<Self as Resource>::Needs>, seen: &Observed) -> Option<Change> {
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

    fn wanted_tags(&self, role: &role::Output) -> Tags {
        let mut tags = self.scope.tags();
        tags.insert(ROLE_ID_TAG.to_owned(), role.role_id.clone());
        tags
    }

    fn diff_tags(&self, needs: Option<&<Self as Resource>::Needs>, seen: &Observed) -> Vec<Change> {
        match needs {
            Some((role, _)) => diff_tags(&self.wanted_tags(role), &seen.tags),
            None => diff_tags(&self.scope.tags(), &seen.tags),
        }
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
                changes.push(Change::Update { field: format!("environment.{name}"), from: shown(from), to: shown(to) });
            }
        }
        changes
    }

    async fn create(&self, step: &Step<'_>, (role, package): <Self as Resource>::Needs) -> Result<Output> {
        let package = package.ok_or_else(|| Error::new(format!("the code of {} was not built", self.name)))?;
        let create = step
            .aws
            .lambda
            .create_function()
            .function_name(&self.name)
            .description(&self.description)
            .runtime(Runtime::from(self.runtime.as_str()))
            .handler(&self.handler)
            .memory_size(self.memory)
            .timeout(self.timeout)
            .architectures(self.sdk_architecture())
            .environment(self.sdk_environment())
            .tracing_config(self.sdk_tracing())
            .role(&role.arn)
            .code(FunctionCode::builder().zip_file(self.blob(package.zip)?).build())
            .set_tags(Some(self.wanted_tags(&role).into_iter().collect()));
        let create = || step.call("lambda:CreateFunction", create.clone().send());
        step.retry(&[role_passing(&role)], create).await.map_err(|e| self.explain(e))?;
        self.until_ready(step).await?;
        if let Some(reserved) = self.reserved_concurrency {
            self.reserve(step, Some(reserved)).await?;
        }
        Ok(Output { fresh: true })
    }

    /// Code and configuration are two calls, and Lambda takes the second only when it is done with the first.
    async fn update(
        &self,
        step: &Step<'_>,
        (role, package): <Self as Resource>::Needs,
        seen: Observed,
    ) -> Result<Output> {
        let lambda = &step.aws.lambda;
        // After a failed update, what Lambda shows may be the old or the new, so all of it is sent again.
        let again = seen.last_update == LastUpdateStatus::Failed;
        if settled_state(&seen) != "Active" && !again {
            self.until_ready(step).await?;
        }
        if tags_differ(&diff_tags(&self.wanted_tags(&role), &seen.tags)) {
            let tag = lambda.tag_resource().resource(self.scope.function_arn(&self.name));
            let tag = tag.set_tags(Some(self.wanted_tags(&role).into_iter().collect()));
            step.retry(&[&FUNCTION_BUSY], || step.call("lambda:TagResource", tag.clone().send())).await?;
        }
        let rebuilt = seen.architecture != self.architecture_name();
        let new_code = package.filter(|package| again || rebuilt || package.sha256 != seen.code_sha256);
        let bridge = match &new_code {
            Some(package) => self.bridge(step, &seen, package).await,
            None => None,
        };
        let needs_bridge = bridge.is_some();
        if let Some(zip) = bridge.or_else(|| new_code.as_ref().map(|package| package.zip.clone())) {
            self.upload(step, zip).await?;
        }
        if again || !self.diff_configuration(&seen).is_empty() {
            // Lambda leaves alone what is not sent, so all of it is.
            let update = lambda
                .update_function_configuration()
                .function_name(&self.name)
                .description(&self.description)
                .runtime(Runtime::from(self.runtime.as_str()))
                .handler(&self.handler)
                .memory_size(self.memory)
                .timeout(self.timeout)
                .environment(self.sdk_environment())
                .tracing_config(self.sdk_tracing())
                .role(&role.arn);
            let update = || step.call("lambda:UpdateFunctionConfiguration", update.clone().send());
            let passing = [&FUNCTION_BUSY, role_passing(&role)];
            step.retry(&passing, update).await.map_err(|e| self.explain(e))?;
            self.until_ready(step).await?;
        }
        if let Some(package) = new_code.filter(|_| needs_bridge) {
            self.upload(step, package.zip).await?;
        }
        if seen.reserved_concurrency != self.reserved_concurrency {
            self.reserve(step, self.reserved_concurrency).await?;
        }
        Ok(Output { fresh: false })
    }

    /// Uploads code, and waits until it runs.
    async fn upload(&self, step: &Step<'_>, zip: Vec<u8>) -> Result<()> {
        // The architecture rides on the code; left out, the old one would stay.
        let update = step
            .aws
            .lambda
            .update_function_code()
            .function_name(&self.name)
            .architectures(self.sdk_architecture())
            .zip_file(self.blob(zip)?);
        let update = || step.call("lambda:UpdateFunctionCode", update.clone().send());
        step.retry(&[&FUNCTION_BUSY], update).await?;
        self.until_ready(step).await
    }

    /// Code that runs under the old runtime and under the new one, for the moment between the two calls that change
    /// code and runtime: the old files and the new ones in one zip. Without it, every request in between fails.
    ///
    /// `None` when nothing of the kind is needed, or the old code cannot be had: then requests fail for that moment.
    async fn bridge(&self, step: &Step<'_>, seen: &Observed, new: &Package) -> Option<Vec<u8>> {
        if seen.runtime == self.runtime && seen.handler == self.handler {
            return None;
        }
        let old = step.aws.http.download(seen.code_url.as_deref()?).await.ok()?;
        crate::package::merged(&old, &new.zip).ok().filter(|zip| zip.len() <= LARGEST_ZIP)
    }

    async fn reserve(&self, step: &Step<'_>, reserved: Option<i32>) -> Result<()> {
        let lambda = &step.aws.lambda;
        if let Some(reserved) = reserved {
            let put = lambda.put_function_concurrency().function_name(&self.name);
            let put = put.reserved_concurrent_executions(reserved);
            let put = || step.call("lambda:PutFunctionConcurrency", put.clone().send());
            step.retry(&[&FUNCTION_BUSY, &FUNCTION_NOT_YET_VISIBLE], put).await?;
        } else {
            let delete = lambda.delete_function_concurrency().function_name(&self.name);
            let delete = || step.call("lambda:DeleteFunctionConcurrency", delete.clone().send());
            step.retry(&[&FUNCTION_BUSY], delete).await?;
        }
        Ok(())
    }

    /// Waits until the function can be invoked and changed.
    async fn until_ready(&self, step: &Step<'_>) -> Result<()> {
        let get = step.aws.lambda.get_function_configuration().function_name(&self.name);
        step.until(&FUNCTION_READY, async || {
            let get = || step.call("lambda:GetFunctionConfiguration", get.clone().send());
            // Right after CreateFunction it may not be known yet.
            let found = step.retry(&[&FUNCTION_NOT_YET_VISIBLE], get).await?;
            if found.state == Some(State::Failed) || found.last_update_status == Some(LastUpdateStatus::Failed) {
                let reason = found.state_reason.or(found.last_update_status_reason).unwrap_or_default();
                return Err(Error::new(format!("Lambda could not make the function {}: {reason}", self.name))
                    .hint("Mend what the reason names, and run up again."));
            }
            let ready = matches!(found.state, None | Some(State::Active | State::Inactive))
                && matches!(found.last_update_status, None | Some(LastUpdateStatus::Successful));
            Ok(ready.then_some(()))
        })
        .await
    }

    async fn until_gone(&self, step: &Step<'_>) -> Result<()> {
        let get = step.aws.lambda.get_function_configuration().function_name(&self.name);
        step.until(&FUNCTION_GONE, async || {
            let get = || step.call("lambda:GetFunctionConfiguration", get.clone().send());
            Ok(absent(step.retry(&[], get).await, NO_SUCH)?.is_none().then_some(()))
        })
        .await
    }

    /// Where AWS's message alone would send people the wrong way, or say too much.
    fn explain(&self, error: Error) -> Error {
        let Some(aws) = error.aws() else { return error };
        if aws.message.contains("cannot be assumed") {
            return error.hint(format!(
                "Check that the trust policy of the role {} lets lambda.amazonaws.com do sts:AssumeRole.",
                self.role
            ));
        }
        // What follows is the whole environment, values and all.
        if let Some((before, _)) = aws.message.split_once("String measured") {
            return AwsError { message: before.trim_end().to_owned(), ..aws.clone() }.into();
        }
        error
    }

    fn blob(&self, zip: Vec<u8>) -> Result<Blob> {
        if zip.len() > LARGEST_ZIP {
            return Err(Error::new(format!("the code of {} is {} bytes zipped", self.name, zip.len()))
                .hint(crate::hints::CODE_TOO_LARGE));
        }
        Ok(Blob::new(zip))
    }

    fn architecture_name(&self) -> &'static str {
        match self.architecture {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }

    fn sdk_architecture(&self) -> SdkArchitecture {
        SdkArchitecture::from(self.architecture_name())
    }

    /// An empty set of variables clears them; no set at all would keep the old ones.
    fn sdk_environment(&self) -> Environment {
        Environment::builder().set_variables(Some(self.environment.clone().into_iter().collect())).build()
    }

    fn sdk_tracing(&self) -> TracingConfig {
        let mode = if self.tracing { TracingMode::Active } else { TracingMode::PassThrough };
        TracingConfig::builder().mode(mode).build()
    }
}

fn role_passing(role: &role::Output) -> &'static Passing {
    if role.fresh { &ROLE_NOT_YET_ASSUMABLE } else { &ROLE_NOT_ASSUMABLE }
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
        reserved_concurrency,
        role_arn: c.role.unwrap_or_default(),
        code_sha256: c.code_sha256.unwrap_or_default(),
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
