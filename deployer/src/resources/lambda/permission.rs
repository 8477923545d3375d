//! The statements of a function's resource policy that let the API invoke it.
//!
//! A statement's id is a hash of what it allows, so a new API gets a new statement beside the old one. The old one is
//! removed only after the new one was observed. One resource holds all statements of a function, because Lambda loses
//! statements when two calls change the same policy at once.

mod diff;

pub(crate) use diff::PermissionDiff;

use super::function;
use crate::engine::{ANSWER_UNCLEAR, Applied, Declared, Existing, Id, Kind, Step, absent};
use crate::error::{Error, Result};
use crate::names::{Owner, Scope};
use crate::resources::api_gateway::rest_api;
use crate::resources::iam::policy_document;
use crate::resources::lambda::waits::{FUNCTION_BUSY, FUNCTION_NOT_YET_VISIBLE};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The longest resource policy of a function, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const POLICY_BYTES: usize = 20_480;

/// A policy without statements, for its length.
const EMPTY_POLICY: &str = r#"{"Version":"2012-10-17","Id":"default","Statement":[]}"#;

/// The prefix of our statements' ids.
const PREFIX: &str = "deployer-";

/// The permissions of one function, whether or not they are declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingPermission {
    pub(crate) function: String,
}

/// The permissions of one function, as declared.
#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) existing: ExistingPermission,
    /// Method and path of each route to the function. Without routes, our statements are removed.
    pub(crate) routes: Vec<(String, String)>,
    pub(crate) part: Part,
    pub(crate) scope: Scope,
}

/// Which part one step does. An API in use is deployed between the two: what it leads to next is allowed before, and
/// what it led to is removed after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Adding,
    Removing,
}

/// All statements of the policy, also those of others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) statements: Vec<Statement>,
}

/// One statement of a resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) id: String,
    /// The source that may invoke the function, when the statement allows exactly that.
    pub(crate) source_arn: Option<String>,
    /// Its length in the policy, in bytes.
    pub(crate) size: usize,
}

impl Existing for ExistingPermission {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Permission, &self.function)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let get = step.aws.lambda.get_policy().function_name(&self.function);
        let found =
            absent(step.retry(&[], || step.call("lambda:GetPolicy", get.clone().send())).await, NO_SUCH)?;
        let Some(text) = found.and_then(|output| output.policy) else {
            return Ok(None);
        };
        let statements = statements(&text);
        Ok((!statements.is_empty()).then_some(Observed { statements }))
    }

    /// Statements belong to their function.
    fn owner(&self, _seen: &Observed) -> Owner {
        Owner::Ours
    }

    fn state(&self, seen: &Observed) -> String {
        let count = seen.statements.iter().filter(|s| s.source_arn.is_some()).count();
        format!("{count} statement{}", if count == 1 { "" } else { "s" })
    }

    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        for statement in seen.statements.iter().filter(|statement| statement.id.starts_with(PREFIX)) {
            self.remove(step, &statement.id).await?;
        }
        Ok(())
    }
}

impl Declared for Permission {
    type Existing = ExistingPermission;
    type Needs = (function::Output, rest_api::Output);
    type Diff = PermissionDiff;
    type Output = ();

    fn existing(&self) -> &ExistingPermission {
        &self.existing
    }

    fn diff(&self, needs: Option<&Self::Needs>, seen: Option<&Observed>) -> PermissionDiff {
        PermissionDiff::between(self, needs, seen)
    }

    fn output(&self, _seen: &Observed) {}

    async fn apply(
        &self,
        step: &Step<'_>,
        (function, _): Self::Needs,
        seen: Option<Observed>,
        diff: PermissionDiff,
    ) -> Result<Applied<(), Observed>> {
        let mut standing = seen.filter(|_| !function.fresh).unwrap_or_default();
        let mut stale = diff.stale.into_iter();
        let mut stale_later = diff.stale_later.into_iter();
        // Lambda may confirm a statement and lose it when somebody changes the policy at the same time, so the policy
        // is read again.
        step.until(&ANSWER_UNCLEAR, async || {
            let missing: Vec<&String> =
                diff.missing.iter().filter(|source| !standing.allows(source)).collect();
            if missing.is_empty() {
                return Ok(Some(()));
            }
            for source in missing {
                let id = free_id(source, &standing);
                while let Err(error) = self.add(step, &id, source).await {
                    // Either an answer was lost, or the policy was read too early. The next read shows it.
                    if exists(&error) {
                        break;
                    }
                    // The old statement is removed first only where there is no room for both.
                    if !error.has_code("PolicyLengthExceededException") {
                        return Err(error);
                    }
                    match stale.next().or_else(|| stale_later.next()) {
                        Some(old) => self.existing.remove(step, &old.id).await?,
                        None => return Err(error),
                    }
                }
            }
            standing = self.observe(step).await?.unwrap_or_default();
            Ok(diff.missing.iter().all(|source| standing.allows(source)).then_some(()))
        })
        .await?;
        for statement in stale {
            self.existing.remove(step, &statement.id).await?;
        }
        Ok(Applied::Done(()))
    }
}

impl Observed {
    /// Whether any statement, also of others, lets the API in from this source.
    fn allows(&self, source: &String) -> bool {
        self.statements.iter().any(|statement| statement.source_arn.as_ref() == Some(source))
    }
}

impl ExistingPermission {
    async fn remove(&self, step: &Step<'_>, id: &str) -> Result<()> {
        let remove = step.aws.lambda.remove_permission().function_name(&self.function).statement_id(id);
        let remove = || step.call("lambda:RemovePermission", remove.clone().send());
        absent(step.retry(&[&FUNCTION_BUSY], remove).await, NO_SUCH)?;
        Ok(())
    }
}

impl Permission {
    /// Returns the same permissions, limited to one part.
    pub(crate) fn only(&self, part: Part) -> Self {
        Self { part, ..self.clone() }
    }

    /// Returns the policy's length in bytes with the statements of all routes and those of others.
    fn policy_size(&self, api: Option<&rest_api::Output>, seen: Option<&Observed>) -> usize {
        let unknown = rest_api::Output::unknown();
        let sources = self.wanted(api.unwrap_or(&unknown));
        let others = || {
            let all = seen.into_iter().flat_map(|seen| &seen.statements);
            all.filter(|statement| !statement.id.starts_with(PREFIX))
        };
        let stands = |source: &&String| others().any(|other| other.source_arn.as_ref() == Some(source));
        let ours = sources.iter().filter(|source| !stands(source));
        let ours = ours.map(|source| self.statement(source).to_string().len());
        let others = others().map(|statement| statement.size);
        // Every statement but the last is followed by a comma; one byte more does not matter.
        EMPTY_POLICY.len() + ours.chain(others).map(|size| size + 1).sum::<usize>()
    }

    /// A statement as Lambda writes it when it is added.
    fn statement(&self, source: &str) -> Value {
        json!({
            "Sid": free_id(source, &Observed::default()),
            "Effect": "Allow",
            "Principal": { "Service": "apigateway.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
            "Resource": self.scope.function_arn(&self.existing.function),
            "Condition": { "ArnLike": { "AWS:SourceArn": source } },
        })
    }

    fn wanted(&self, api: &rest_api::Output) -> Vec<String> {
        let arn = |(method, path): &(String, String)| {
            let method = if method == "ANY" { "*" } else { method };
            self.scope.execute_api_arn(&api.id, method, api.path(path))
        };
        self.routes.iter().map(arn).collect()
    }

    /// Returns the sources that no statement allows yet.
    fn missing(&self, api: &rest_api::Output, seen: &Observed) -> Vec<String> {
        let adds = self.part != Part::Removing;
        self.wanted(api).into_iter().filter(|source| adds && !seen.allows(source)).collect()
    }

    /// Returns our statements that allow what is no longer declared: a deleted API, a removed route.
    fn stale(&self, api: &rest_api::Output, seen: &Observed) -> Vec<Statement> {
        let wanted = self.wanted(api);
        let is_wanted = |s: &Statement| s.source_arn.as_ref().is_some_and(|source| wanted.contains(source));
        let ours = seen.statements.iter().filter(|statement| statement.id.starts_with(PREFIX));
        ours.filter(|statement| !is_wanted(statement)).cloned().collect()
    }

    async fn add(&self, step: &Step<'_>, id: &str, source: &str) -> Result<()> {
        let add = step
            .aws
            .lambda
            .add_permission()
            .function_name(&self.existing.function)
            .statement_id(id)
            .action("lambda:InvokeFunction")
            .principal("apigateway.amazonaws.com")
            .source_arn(source);
        let add = || step.call("lambda:AddPermission", add.clone().send());
        let passing = [&FUNCTION_BUSY, &FUNCTION_NOT_YET_VISIBLE];
        step.retry_checking(&passing, async || self.function_stands(step).await, add).await?;
        Ok(())
    }

    /// # Errors
    /// Fails when another run has deleted the function meanwhile.
    async fn function_stands(&self, step: &Step<'_>) -> Result<()> {
        let get = step.aws.lambda.get_function().function_name(&self.existing.function);
        let get = || step.call("lambda:GetFunction", get.clone().send());
        match absent(step.retry(&[], get).await, NO_SUCH)? {
            Some(_) => Ok(()),
            None => Err(Error::new(format!("the function {} was deleted meanwhile", self.existing.function))),
        }
    }
}

/// Whether the error says that a statement of this id exists. Lambda uses the same code for a change in progress.
fn exists(error: &Error) -> bool {
    error.has_code("ResourceConflictException")
        && error.aws().is_some_and(|aws| aws.message.contains("already exists"))
}

/// Returns a free id for a statement of this source. A changed statement of the same id stays until the new one
/// exists.
fn free_id(source: &str, seen: &Observed) -> String {
    let hash = Sha256::digest(source.as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let id = format!("{PREFIX}{hex}");
    let is_taken = |id: &String| seen.statements.iter().any(|statement| statement.id == *id);
    let others = (2..).map(|n| format!("{id}-{n}"));
    std::iter::once(id.clone()).chain(others).find(|id| !is_taken(id)).unwrap_or(id)
}

fn statements(policy: &str) -> Vec<Statement> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    policy_document::statements(&policy)
        .into_iter()
        .map(|statement| Statement {
            id: statement["Sid"].as_str().unwrap_or_default().to_owned(),
            source_arn: source_arn(statement),
            size: statement.to_string().len(),
        })
        .collect()
}

/// Returns the source that a statement allows, if the statement has the form that AddPermission writes.
fn source_arn(statement: &Value) -> Option<String> {
    let is_ours = statement["Effect"] == "Allow"
        && statement["Action"] == "lambda:InvokeFunction"
        && statement["Principal"]["Service"] == "apigateway.amazonaws.com";
    let condition = statement["Condition"].as_object()?;
    let (operator, keys) = condition.iter().next()?;
    let keys = keys.as_object()?;
    let (key, value) = keys.iter().next()?;
    let simple = condition.len() == 1
        && keys.len() == 1
        && (operator == "ArnLike" || operator == "StringLike")
        && key.eq_ignore_ascii_case("aws:SourceArn");
    (is_ours && simple).then(|| value.as_str().map(str::to_owned))?
}

#[cfg(test)]
mod tests;
