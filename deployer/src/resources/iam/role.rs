//! The IAM role that a function runs as.

mod diff;
mod pages;

pub(crate) use diff::RoleDiff;

use crate::engine::{Applied, Declared, Existing, Id, Kind, Step, absent};
use crate::error::{Error, Result};
use crate::names::{Owner, Scope, Tags, policy_of_role};
use crate::resources::iam::policy_document as document;
use crate::resources::iam::waits::{
    IAM_BUSY, IAM_NOT_YET_VISIBLE, IAM_STILL_DETACHING, ROLE_NOT_YET_ASSUMABLE, is_about_boundary,
};
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::Tag;
use diff::RoleUpdate;
use serde_json::Value;
use std::time::SystemTime;

const NO_SUCH: &[&str] = &["NoSuchEntity"];

/// The longest session of a role, in seconds: IAM's default.
const SESSION: i32 = 3600;

/// The path of every role of a stack. Role ARNs are computed from it.
const PATH: &str = "/";

/// A role under its name, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingRole {
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

/// A role as declared.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) existing: ExistingRole,
    pub(crate) trust: Value,
    pub(crate) description: String,
    /// The ARN of the permissions boundary. `None` leaves the boundary that somebody has set.
    pub(crate) boundary: Option<String>,
}

/// A role as IAM has it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) role_id: String,
    pub(crate) path: String,
    pub(crate) trust: Value,
    pub(crate) description: String,
    pub(crate) max_session: i32,
    pub(crate) boundary: Option<String>,
    /// The ARNs of all attached managed policies. Empty unless the role is to be deleted, as is the next field.
    pub(crate) attached: Vec<String>,
    /// The EC2 instance profiles that hold the role. Lambda needs none, so they belong to somebody else.
    pub(crate) instance_profiles: Vec<String>,
    pub(crate) tags: Tags,
    /// Whether the role was created so recently that IAM may not have told Lambda yet.
    pub(crate) fresh: bool,
}

/// What a function needs of its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) arn: String,
    /// The unique id, `AROA…`. A role that is deleted and created again under the same name gets another one.
    pub(crate) role_id: String,
    /// Whether it is so new, or its trust so recently changed, that IAM may not have told Lambda yet.
    pub(crate) fresh: bool,
}

impl Existing for ExistingRole {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Role, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let (seen, attached, profiles) = tokio::join!(
            self.read(step),
            pages::attached_policies(step, &self.name),
            pages::instance_profiles(step, &self.name)
        );
        let Some(seen) = seen? else { return Ok(None) };
        Ok(Some(Observed {
            // IAM is eventually consistent: one call may know a new role that the other does not know yet.
            attached: absent(attached, NO_SUCH)?.unwrap_or_default(),
            instance_profiles: absent(profiles, NO_SUCH)?.unwrap_or_default(),
            ..seen
        }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        self.scope.owner(&seen.tags)
    }

    fn state(&self, _seen: &Observed) -> String {
        "ready".to_owned()
    }

    fn blockers(&self, seen: &Observed) -> Vec<String> {
        let ours = self.scope.policy_arn(&policy_of_role(&self.name));
        let policies = seen.attached.iter().filter(|arn| **arn != ours);
        let policies =
            policies.map(|arn| format!("has the policy {arn} attached, which is not of this stack"));
        let profiles = seen.instance_profiles.iter();
        policies.chain(profiles.map(|name| format!("is in the instance profile {name}"))).collect()
    }

    /// The stack's policies were detached when they were deleted, so the role is usually bare. If IAM says that it is
    /// not, an earlier run was stopped halfway, or the role has inline policies, which go with it.
    async fn delete(&self, step: &Step<'_>, _seen: Observed) -> Result<()> {
        let delete = async || {
            step.call("iam:DeleteRole", step.aws.iam.delete_role().role_name(&self.name).send()).await
        };
        let mut bare = false;
        let (passing, again) = ([&IAM_STILL_DETACHING], async || self.lay_bare(step).await);
        let deleted = step.retry_checking(&passing, again, async || match delete().await {
            Err(error) if error.has_code("DeleteConflict") && !std::mem::replace(&mut bare, true) => {
                self.lay_bare(step).await?;
                delete().await
            }
            other => other,
        });
        absent(deleted.await, NO_SUCH)?;
        Ok(())
    }
}

impl Declared for Role {
    type Existing = ExistingRole;
    type Needs = ();
    type Diff = RoleDiff;
    type Output = Output;

    fn existing(&self) -> &ExistingRole {
        &self.existing
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        self.existing.read(step).await
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> RoleDiff {
        RoleDiff::between(seen, self)
    }

    fn output(&self, seen: &Observed) -> Output {
        // IAM may briefly return the unique id instead of the ARN, so the ARN is computed.
        Output {
            arn: self.existing.scope.role_arn(&self.existing.name),
            role_id: seen.role_id.clone(),
            fresh: seen.fresh,
        }
    }

    async fn apply(
        &self,
        step: &Step<'_>,
        (): (),
        seen: Option<Observed>,
        diff: RoleDiff,
    ) -> Result<Applied<Output, Observed>> {
        let output = match (seen, diff) {
            (Some(seen), RoleDiff::Update(update)) => self.update(step, &seen, *update).await?,
            _ => self.create(step).await?,
        };
        Ok(Applied::Done(output))
    }
}

impl ExistingRole {
    /// Reads the role without its users, which only a deletion needs.
    async fn read(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let get = || step.call("iam:GetRole", step.aws.iam.get_role().role_name(&self.name).send());
        let Some(role) = absent(step.retry(&[], get).await, NO_SUCH)?.and_then(|output| output.role) else {
            return Ok(None);
        };
        Ok(Some(Observed {
            trust: role.assume_role_policy_document().and_then(document::decode).unwrap_or_default(),
            description: role.description.unwrap_or_default(),
            max_session: role.max_session_duration.unwrap_or(SESSION),
            boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            attached: Vec::new(),
            instance_profiles: Vec::new(),
            tags: tags(role.tags.as_deref().unwrap_or_default()),
            fresh: is_fresh(role.create_date),
            path: role.path,
            role_id: role.role_id,
        }))
    }

    /// The description of every role of a stack. It identifies the stack's roles in a list, which has no tags.
    pub(crate) fn description_of(scope: &Scope) -> String {
        format!("Runs the functions of {} in {}", scope.stack, scope.region)
    }

    /// Removes every policy from the role, because IAM refuses to delete a role that has any.
    async fn lay_bare(&self, step: &Step<'_>) -> Result<()> {
        let (attached, inline) = tokio::join!(
            pages::attached_policies(step, &self.name),
            pages::inline_policies(step, &self.name)
        );
        for arn in absent(attached, NO_SUCH)?.unwrap_or_default() {
            let detach = step.aws.iam.detach_role_policy().role_name(&self.name).policy_arn(arn);
            let detach = || step.call("iam:DetachRolePolicy", detach.clone().send());
            absent(step.retry(&[&IAM_STILL_DETACHING], detach).await, NO_SUCH)?;
        }
        for name in absent(inline, NO_SUCH)?.unwrap_or_default() {
            let delete = step.aws.iam.delete_role_policy().role_name(&self.name).policy_name(name);
            let delete = || step.call("iam:DeleteRolePolicy", delete.clone().send());
            absent(step.retry(&[&IAM_STILL_DETACHING], delete).await, NO_SUCH)?;
        }
        Ok(())
    }
}

impl Role {
    async fn create(&self, step: &Step<'_>) -> Result<Output> {
        let create = step
            .aws
            .iam
            .create_role()
            .role_name(&self.existing.name)
            .description(&self.description)
            .assume_role_policy_document(document::text(&self.trust))
            .max_session_duration(SESSION)
            .set_permissions_boundary(self.boundary.clone())
            .set_tags(Some(iam_tags(&self.existing.scope.tags())?));
        let create = || step.call("iam:CreateRole", create.clone().send());
        let output = step.retry(&[&IAM_BUSY], create).await.map_err(explain)?;
        let role_id = output.role.map(|role| role.role_id).unwrap_or_default();
        Ok(Output { arn: self.existing.scope.role_arn(&self.existing.name), role_id, fresh: true })
    }

    async fn update(&self, step: &Step<'_>, seen: &Observed, update: RoleUpdate) -> Result<Output> {
        let passing = [&IAM_NOT_YET_VISIBLE];
        if !update.tags.is_empty() {
            let tag = step.aws.iam.tag_role().role_name(&self.existing.name);
            let tag = tag.set_tags(Some(iam_tags(&self.existing.scope.tags())?));
            step.retry(&passing, || step.call("iam:TagRole", tag.clone().send())).await?;
        }
        if update.trust.is_some() {
            let trust = step.aws.iam.update_assume_role_policy().role_name(&self.existing.name);
            let trust = trust.policy_document(document::text(&self.trust));
            step.retry(&passing, || step.call("iam:UpdateAssumeRolePolicy", trust.clone().send())).await?;
        }
        if update.description.is_some() || update.max_session.is_some() {
            // UpdateRole leaves alone what is not sent, so both are sent.
            let put = step.aws.iam.update_role().role_name(&self.existing.name);
            let put = put.description(&self.description).max_session_duration(SESSION);
            step.retry(&passing, || step.call("iam:UpdateRole", put.clone().send())).await?;
        }
        if let Some(boundary) = update.boundary {
            let put = step.aws.iam.put_role_permissions_boundary().role_name(&self.existing.name);
            let put = put.set_permissions_boundary(boundary.declared);
            let put = || step.call("iam:PutRolePermissionsBoundary", put.clone().send());
            step.retry(&passing, put).await.map_err(explain)?;
        }
        // A changed trust policy takes as long to spread as a new role.
        Ok(Output { fresh: seen.fresh || update.trust.is_some(), ..self.output(seen) })
    }
}

/// Checks that the role is still the one that was found or created.
///
/// # Errors
/// Fails when another run has deleted it meanwhile.
pub(crate) async fn still_stands(step: &Step<'_>, name: &str, role: &Output) -> Result<()> {
    let get = step.aws.iam.get_role().role_name(name);
    let found = absent(step.retry(&[], || step.call("iam:GetRole", get.clone().send())).await, NO_SUCH)?;
    match found.and_then(|output| output.role) {
        Some(found) if found.role_id == role.role_id => Ok(()),
        Some(_) => Err(Error::new(format!("the role {name} was deleted and made again meanwhile"))),
        None => Err(Error::new(format!("the role {name} was deleted meanwhile"))),
    }
}

/// Adds a hint where AWS's message names something that the manifest calls otherwise.
fn explain(error: Error) -> Error {
    if error.aws().is_some_and(is_about_boundary) {
        return error.hint(
            "The policy that permissions-boundary names does not exist: check its ARN in the manifest, or make it first.",
        );
    }
    error
}

/// A creation date in the future counts as fresh: this machine's clock is behind IAM's.
fn is_fresh(created: DateTime) -> bool {
    let Ok(created) = SystemTime::try_from(created) else {
        return false;
    };
    let age = SystemTime::now().duration_since(created).unwrap_or_default();
    age < ROLE_NOT_YET_ASSUMABLE.cadence.within
}

pub(crate) fn tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

pub(crate) fn iam_tags(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|e| Error::new(format!("bad tag {key}: {e}")))
        })
        .collect()
}

#[cfg(test)]
mod tests;
