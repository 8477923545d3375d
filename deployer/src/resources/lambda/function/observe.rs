//! Reads a function from Lambda.

use super::{ExistingFunction, Observed};
use crate::engine::Step;
use crate::error::{Error, Result};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    EnvironmentResponse, FunctionConfiguration, LastUpdateStatus, PackageType, State, TracingMode,
};
use std::collections::BTreeMap;

/// A function's environment variables, as far as the caller may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// Names and values.
    Readable(BTreeMap<String, String>),
    /// There are variables, but Lambda may not decrypt them for the caller. The text is its reason.
    Unreadable(String),
}

impl Variables {
    /// Whether a KMS key has encrypted anything: Lambda encrypts only variables that exist.
    pub(super) fn are_encrypted(&self) -> bool {
        match self {
            Self::Readable(variables) => !variables.is_empty(),
            Self::Unreadable(_) => true,
        }
    }

    fn of(environment: Option<EnvironmentResponse>) -> Self {
        let Some(environment) = environment else { return Self::Readable(BTreeMap::new()) };
        match environment.error {
            None => Self::Readable(environment.variables.unwrap_or_default().into_iter().collect()),
            Some(error) => Self::Unreadable(error.message.or(error.error_code).unwrap_or_default()),
        }
    }
}

impl ExistingFunction {
    /// Reads the answer of `GetFunction`.
    ///
    /// # Errors
    /// Fails for an answer without a function, and for tags that the caller may not read.
    pub(super) fn read(&self, step: &Step<'_>, found: GetFunctionOutput) -> Result<Observed> {
        let configuration = found.configuration.ok_or_else(|| self.unsaid())?;
        if let Some(why) = found.tags_error {
            // Without its tags, the function would count as somebody else's.
            return Err(Error::new(format!("the tags of {} cannot be read: {}", self.name, why.message()))
                .hint("Your own permissions lack lambda:ListTags."));
        }
        let mut seen = observed(configuration);
        seen.tags = found.tags.unwrap_or_default().into_iter().collect();
        seen.reserved_concurrency = found.concurrency.and_then(|c| c.reserved_concurrent_executions);
        seen.code_url = found.code.and_then(|code| code.location);
        if let Variables::Unreadable(why) = &seen.variables {
            step.note(format!(
                "its environment variables cannot be read, so they stay as they are, whatever is declared; reading them \
                 takes kms:Decrypt on their key ({})",
                why.trim_end()
            ));
        }
        Ok(seen)
    }
}

/// Returns why the code cannot be downloaded, or `None` when it can.
pub(super) async fn out_of_reach(step: &Step<'_>, url: Option<&str>) -> Option<String> {
    match url {
        Some(url) => step.aws.http.check_download(url).await.err(),
        None => Some("Lambda does not say where it is".to_owned()),
    }
}

/// Values that Lambda leaves out have their defaults.
fn observed(c: FunctionConfiguration) -> Observed {
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
        variables: Variables::of(c.environment),
        tracing: c.tracing_config.and_then(|t| t.mode) == Some(TracingMode::Active),
        logging: c.logging_config,
        reserved_concurrency: None,
        role_arn: c.role.unwrap_or_default(),
        code_sha256: c.code_sha256.unwrap_or_default(),
        code_size: usize::try_from(c.code_size).unwrap_or_default(),
        revision: c.revision_id,
        code_url: None,
        code_out_of_reach: None,
        tags: crate::names::Tags::new(),
    }
}
