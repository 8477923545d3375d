//! The calls that make and change a function, and the waits between two of them.

use super::diff::FunctionUpdate;
use super::{ExistingFunction, Function, NO_SUCH, Needs, Observed, Output, Variables};
use crate::engine::{Step, absent};
use crate::error::{AwsError, Error, Hint, Result, Verb};
use crate::names::Tags;
use crate::packaging::{Package, merged};
use crate::resources::iam::role;
use crate::resources::iam::waits::{ROLE_NOT_ASSUMABLE, ROLE_NOT_YET_ALLOWED, ROLE_NOT_YET_ASSUMABLE};
use crate::resources::lambda::waits::{
    FUNCTION_BUSY, FUNCTION_GONE, FUNCTION_NOT_YET_VISIBLE, FUNCTION_READY,
};
use crate::time::Passing;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture as SdkArchitecture, Environment, FunctionCode, FunctionConfiguration, LastUpdateStatus,
    LoggingConfig, Runtime, State, TracingConfig, TracingMode,
};

impl Function {
    pub(super) async fn create(&self, step: &Step<'_>, needs: Needs) -> Result<Output> {
        let tags = self.wanted_tags(&needs, &Tags::new());
        let (role, package) = needs;
        let package =
            package.ok_or_else(|| Error::new(format!("the code of {} was not built", self.existing.name)))?;
        let create = step
            .aws
            .lambda
            .create_function()
            .function_name(&self.existing.name)
            .description(&self.description)
            .runtime(Runtime::from(self.runtime.as_str()))
            .handler(&self.handler)
            .memory_size(self.memory)
            .timeout(self.timeout)
            .architectures(self.sdk_architecture())
            .environment(self.sdk_environment())
            .tracing_config(self.sdk_tracing())
            .role(&role.arn)
            .set_tags(Some(tags.into_iter().collect()));
        let create = async || {
            let _permit = step.aws.rate_limiter.acquire_upload(package.size()).await;
            // The code is read from its file for each attempt, because a hundred functions may be waiting for their
            // roles.
            let code = FunctionCode::builder().zip_file(Blob::new(package.read()?)).build();
            step.call("lambda:CreateFunction", create.clone().code(code).send()).await
        };
        let role_stands = async || role::still_stands(step, &self.role, &role).await;
        let size = package.size();
        let made = step.retry_backing_off(size, &role_passing(&role), role_stands, create).await;
        let made = made.map_err(|e| self.explain(e))?;
        self.until_ready(step, is_busy(made.state(), made.last_update_status())).await?;
        if let Some(reserved) = self.reserved_concurrency {
            self.reserve(step, Some(reserved)).await?;
        }
        Ok(Output { fresh: true })
    }

    /// Makes the changes one after the other. Code and configuration are two calls, and Lambda takes the second only
    /// after the first is done.
    pub(super) async fn update(
        &self,
        step: &Step<'_>,
        needs: Needs,
        seen: &Observed,
        update: &FunctionUpdate,
    ) -> Result<()> {
        let tags = self.wanted_tags(&needs, &seen.tags);
        let (role, package) = needs;
        if !update.tags.is_empty() {
            let arn = self.existing.scope.function_arn(&self.existing.name);
            let tag = step.aws.lambda.tag_resource().resource(arn);
            let tag = tag.set_tags(Some(tags.into_iter().collect()));
            step.retry(&[&FUNCTION_BUSY], || step.call("lambda:TagResource", tag.clone().send())).await?;
        }
        let new_code = package.filter(|_| update.sends_code());
        match &new_code {
            Some(package) if update.is_bridged() => {
                let size = seen.code_size + package.size();
                self.upload(step, size, async || self.both_codes(step, seen, package).await).await?;
            }
            Some(package) => self.upload_new(step, package).await?,
            None => {}
        }
        if update.resends_all || !update.configuration.is_empty() {
            self.update_configuration(step, &role, seen, update).await?;
        }
        if let Some(package) = new_code.filter(|_| update.is_bridged()) {
            self.upload_new(step, &package).await?;
        }
        if let Some(reserved) = &update.reserved_concurrency {
            self.reserve(step, reserved.declared).await?;
        }
        Ok(())
    }

    /// UpdateFunctionConfiguration leaves alone what is not sent, so everything is sent except variables that cannot
    /// be read.
    async fn update_configuration(
        &self,
        step: &Step<'_>,
        role: &role::Output,
        seen: &Observed,
        update: &FunctionUpdate,
    ) -> Result<()> {
        let environment = match seen.variables {
            Variables::Readable(_) => Some(self.sdk_environment()),
            Variables::Unreadable(_) => None,
        };
        let put = step
            .aws
            .lambda
            .update_function_configuration()
            .function_name(&self.existing.name)
            .description(&self.description)
            .runtime(Runtime::from(self.runtime.as_str()))
            .handler(&self.handler)
            .memory_size(self.memory)
            .timeout(self.timeout)
            .set_environment(environment)
            .tracing_config(self.sdk_tracing())
            .set_logging_config(moved_logging(seen, update))
            .role(&role.arn);
        let put = || step.call("lambda:UpdateFunctionConfiguration", put.clone().send());
        let [spreading, allowing] = role_passing(role);
        let passing = [&FUNCTION_BUSY, spreading, allowing];
        let role_stands = async || role::still_stands(step, &self.role, role).await;
        let updated = step.retry_backing_off(0, &passing, role_stands, put).await;
        let updated = updated.map_err(|e| self.explain(e))?;
        self.until_ready(step, is_busy(updated.state(), updated.last_update_status())).await
    }

    async fn upload_new(&self, step: &Step<'_>, package: &Package) -> Result<()> {
        self.upload(step, package.size(), async || package.read()).await
    }

    /// Uploads code of about `size` bytes and waits until it runs. `zip` is called for each attempt, so that the code
    /// is not kept in memory.
    async fn upload(
        &self,
        step: &Step<'_>,
        size: usize,
        zip: impl AsyncFn() -> Result<Vec<u8>>,
    ) -> Result<()> {
        // The architecture is part of this call. Left out, the old one would stay.
        let update = step
            .aws
            .lambda
            .update_function_code()
            .function_name(&self.existing.name)
            .architectures(self.sdk_architecture());
        let update = async || {
            let _permit = step.aws.rate_limiter.acquire_upload(size).await;
            let update = update.clone().zip_file(Blob::new(zip().await?));
            step.call("lambda:UpdateFunctionCode", update.send()).await
        };
        let updated = step.retry(&[&FUNCTION_BUSY], update).await?;
        self.until_ready(step, is_busy(updated.state(), updated.last_update_status())).await
    }

    /// Merges the old files and the new ones into one zip, which runs under the old runtime and the new one.
    ///
    /// # Errors
    /// Fails when the old code, which the plan could download, cannot be downloaded any more.
    async fn both_codes(&self, step: &Step<'_>, seen: &Observed, new: &Package) -> Result<Vec<u8>> {
        let cannot = |why: String| {
            let what = "the old code, which answers requests until the runtime is changed, cannot be had";
            Error::new(format!("{what}: {why}"))
                .hint("The function was not changed.")
                .hint(Hint::from("Run ").command(Verb::Up).text(" again: its plan says what can be done."))
        };
        let url = seen.code_url.as_deref().unwrap_or_default();
        let old = step.aws.http.download(url).await.map_err(cannot)?;
        merged(&old, &new.read()?).map_err(|error| cannot(error.to_string()))
    }

    async fn reserve(&self, step: &Step<'_>, reserved: Option<i32>) -> Result<()> {
        let lambda = &step.aws.lambda;
        if let Some(reserved) = reserved {
            let put = lambda.put_function_concurrency().function_name(&self.existing.name);
            let put = put.reserved_concurrent_executions(reserved);
            let put = || step.call("lambda:PutFunctionConcurrency", put.clone().send());
            step.retry(&[&FUNCTION_BUSY, &FUNCTION_NOT_YET_VISIBLE], put).await?;
        } else {
            let delete = lambda.delete_function_concurrency().function_name(&self.existing.name);
            let delete = || step.call("lambda:DeleteFunctionConcurrency", delete.clone().send());
            step.retry(&[&FUNCTION_BUSY], delete).await?;
        }
        Ok(())
    }

    /// Waits until the function can be invoked and changed. `is_busy` says that the last answer showed a change under
    /// way, which counts as the first look.
    pub(super) async fn until_ready(&self, step: &Step<'_>, mut is_busy: bool) -> Result<()> {
        step.until(&FUNCTION_READY, async || {
            if std::mem::take(&mut is_busy) {
                return Ok(None);
            }
            let found = self.existing.look(step, &[&FUNCTION_NOT_YET_VISIBLE]).await?;
            if found.state == Some(State::Failed)
                || found.last_update_status == Some(LastUpdateStatus::Failed)
            {
                let reason = found.state_reason.or(found.last_update_status_reason).unwrap_or_default();
                return Err(Error::new(format!(
                    "Lambda could not make the function {}: {reason}",
                    self.existing.name
                ))
                .hint(Hint::from("Mend what the reason names, and run ").command(Verb::Up).text(" again.")));
            }
            let ready = matches!(found.state, None | Some(State::Active | State::Inactive))
                && matches!(found.last_update_status, None | Some(LastUpdateStatus::Successful));
            Ok(ready.then_some(()))
        })
        .await
    }

    /// Replaces or explains messages of AWS that mislead, or that show too much.
    fn explain(&self, error: Error) -> Error {
        let Some(aws) = error.aws() else { return error };
        if aws.message.contains("cannot be assumed") {
            return error.hint(format!(
                "Check that the trust policy of the role {} lets lambda.amazonaws.com do sts:AssumeRole.",
                self.role
            ));
        }
        if aws.message.contains("does not have permissions to call") {
            return error.hint(format!(
                "Check what bounds the role {}: a permissions boundary or the organisation's own policies may withhold \
                 what its policy grants.",
                self.role
            ));
        }
        // The rest of the message is the whole environment with its values.
        if let Some((before, _)) = aws.message.split_once("String measured") {
            return AwsError { message: before.trim_end().to_owned(), ..aws.clone() }.into();
        }
        error
    }

    fn sdk_architecture(&self) -> SdkArchitecture {
        SdkArchitecture::from(self.architecture.name())
    }

    /// An empty set of variables clears them. Without any set, the old ones would stay.
    fn sdk_environment(&self) -> Environment {
        Environment::builder().set_variables(Some(self.environment.clone().into_iter().collect())).build()
    }

    fn sdk_tracing(&self) -> TracingConfig {
        let mode = if self.tracing { TracingMode::Active } else { TracingMode::PassThrough };
        TracingConfig::builder().mode(mode).build()
    }
}

impl ExistingFunction {
    /// Waits until the function is gone. One that somebody has created again meanwhile counts as gone.
    pub(super) async fn until_gone(&self, step: &Step<'_>, revision: Option<String>) -> Result<()> {
        let mut was_going = false;
        step.until(&FUNCTION_GONE, async || {
            let Some(found) = absent(self.look(step, &[]).await, NO_SUCH)? else {
                return Ok(Some(()));
            };
            let is_going = found.state == Some(State::Deleting);
            let is_another = was_going || revision.is_some() && found.revision_id != revision;
            was_going |= is_going;
            Ok((!is_going && is_another).then_some(()))
        })
        .await
    }

    /// Uses `GetFunction`, whose quota is much larger than that of `GetFunctionConfiguration`, which shares one with
    /// all changes.
    async fn look(&self, step: &Step<'_>, passing: &[&'static Passing]) -> Result<FunctionConfiguration> {
        let get = step.aws.lambda.get_function().function_name(&self.name);
        let get = || step.call("lambda:GetFunction", get.clone().send());
        step.retry(passing, get).await?.configuration.ok_or_else(|| self.unsaid())
    }
}

/// The logging that Lambda has, with the stack's log group; `None` where nothing is to be changed.
fn moved_logging(seen: &Observed, update: &FunctionUpdate) -> Option<LoggingConfig> {
    let group = update.configuration.log_group.as_ref()?;
    let mut logging = seen.logging.clone()?;
    logging.log_group = Some(group.declared.clone());
    Some(logging)
}

/// Whether the answer to a change shows a change under way. It may leave out either field.
fn is_busy(state: Option<&State>, last_update: Option<&LastUpdateStatus>) -> bool {
    state == Some(&State::Pending) || last_update == Some(&LastUpdateStatus::InProgress)
}

fn role_passing(role: &role::Output) -> [&'static Passing; 2] {
    [if role.fresh { &ROLE_NOT_YET_ASSUMABLE } else { &ROLE_NOT_ASSUMABLE }, &ROLE_NOT_YET_ALLOWED]
}
