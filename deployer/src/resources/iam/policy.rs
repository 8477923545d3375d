//! The customer managed policy of a role, and its attachment to that role.

mod diff;
mod entity;
mod observe;

pub(crate) use diff::PolicyDiff;

use crate::aws::one_attempt;
use crate::engine::{Applied, Declared, Existing, Id, Kind, Step, absent};
use crate::error::{Error, Result};
use crate::names::{Owner, Scope, Tags, policy_of_role};
use crate::resources::iam::policy_document as document;
use crate::resources::iam::role::{self, iam_tags, tags};
use crate::resources::iam::waits::{IAM_BUSY, IAM_NOT_YET_VISIBLE, IAM_STILL_DETACHING};
use aws_sdk_iam::config::Config;
use entity::Entity;
use serde_json::Value;

const NO_SUCH: &[&str] = &["NoSuchEntity"];

/// The path of every policy of a stack. Policy ARNs are computed from it.
const PATH: &str = "/";

/// IAM keeps this many versions of a policy and refuses one more.
const MOST_VERSIONS: usize = 5;

/// The policy of one role under its name, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingPolicy {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) scope: Scope,
}

/// A policy as declared.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) existing: ExistingPolicy,
    pub(crate) document: Value,
}

/// A policy as IAM has it. For a policy at another path, only the path is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) path: String,
    /// The document of the default version, which is in force.
    pub(crate) document: Value,
    /// Only looked at when it is to be deleted.
    pub(crate) versions: Vec<Version>,
    /// Everything it is attached to, or bounds.
    pub(crate) attached: Vec<Entity>,
    pub(crate) tags: Tags,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) is_default: bool,
}

impl Version {
    /// The number in the id. IAM counts up, and does not promise an order of its list.
    fn number(&self) -> u64 {
        self.id.trim_start_matches('v').parse().unwrap_or_default()
    }
}

impl Existing for ExistingPolicy {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Policy, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let (seen, versions) = tokio::join!(self.read(step), self.versions(step));
        let Some(seen) = seen? else { return Ok(None) };
        Ok(Some(Observed { versions: absent(versions, NO_SUCH)?.unwrap_or_default(), ..seen }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        if seen.path != PATH {
            return Owner::Foreign(format!(
                "stands at the path {}, and IAM takes a name only once: declare a role of another name, after which \
                 the policy is named",
                seen.path
            ));
        }
        self.scope.owner(&seen.tags)
    }

    fn state(&self, seen: &Observed) -> String {
        if self.is_attached(seen) { "attached".to_owned() } else { "not attached".to_owned() }
    }

    fn blockers(&self, seen: &Observed) -> Vec<String> {
        self.others(&seen.attached).collect()
    }

    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        self.release(step, &seen.attached, &seen.versions).await?;
        let again = async || {
            let (attached, versions) = tokio::join!(self.attached(step), self.versions(step));
            let attached = absent(attached, NO_SUCH)?.unwrap_or_default();
            if let Some(why) = self.others(&attached).next() {
                return Err(Error::new(format!("it {why}")));
            }
            self.release(step, &attached, &absent(versions, NO_SUCH)?.unwrap_or_default()).await
        };
        let delete = step.aws.iam.delete_policy().policy_arn(self.arn());
        let delete = || step.call("iam:DeletePolicy", delete.clone().send());
        absent(step.retry_checking(&[&IAM_STILL_DETACHING], again, delete).await, NO_SUCH)?;
        Ok(())
    }
}

impl Declared for Policy {
    type Existing = ExistingPolicy;
    type Needs = role::Output;
    type Diff = PolicyDiff;
    type Output = ();

    fn existing(&self) -> &ExistingPolicy {
        &self.existing
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        self.existing.read(step).await
    }

    fn diff(&self, _needs: Option<&role::Output>, seen: Option<&Observed>) -> PolicyDiff {
        PolicyDiff::between(seen, self)
    }

    fn output(&self, _seen: &Observed) {}

    async fn apply(
        &self,
        step: &Step<'_>,
        _needs: role::Output,
        _seen: Option<Observed>,
        diff: PolicyDiff,
    ) -> Result<Applied<(), Observed>> {
        match diff {
            PolicyDiff::Create => {
                self.create(step).await?;
                self.attach(step).await?;
            }
            PolicyDiff::Update(update) => {
                if !update.tags.is_empty() {
                    let tag = step.aws.iam.tag_policy().policy_arn(self.existing.arn());
                    let tag = tag.set_tags(Some(iam_tags(&self.existing.scope.tags())?));
                    step.retry(&[&IAM_NOT_YET_VISIBLE], || step.call("iam:TagPolicy", tag.clone().send()))
                        .await?;
                }
                if update.document.is_some() {
                    self.put_in_force(step).await?;
                }
                if update.attachment.is_some() {
                    self.attach(step).await?;
                }
            }
        }
        Ok(Applied::Done(()))
    }
}

impl ExistingPolicy {
    /// Reads everything except the versions, which only a deletion needs.
    async fn read(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let arn = self.arn();
        let get = || step.call("iam:GetPolicy", step.aws.iam.get_policy().policy_arn(&arn).send());
        let (policy, attached) = tokio::join!(step.retry(&[], get), self.attached(step));
        let Some(policy) = absent(policy, NO_SUCH)?.and_then(|output| output.policy) else {
            let elsewhere = self.path_elsewhere(step).await?;
            return Ok(elsewhere.map(|path| Observed { path, ..Observed::default() }));
        };
        let document = match policy.default_version_id() {
            Some(id) => match self.document_of(step, id).await? {
                Some(document) => document,
                None => return Ok(None),
            },
            None => Value::Null,
        };
        Ok(Some(Observed {
            path: PATH.to_owned(),
            document,
            versions: Vec::new(),
            attached: absent(attached, NO_SUCH)?.unwrap_or_default(),
            tags: tags(policy.tags()),
        }))
    }

    /// Returns the policy of a role, named after it.
    pub(crate) fn of_role(role: &str, scope: &Scope) -> Self {
        Self { name: policy_of_role(role), role: role.to_owned(), scope: scope.clone() }
    }

    pub(crate) fn arn(&self) -> String {
        self.scope.policy_arn(&self.name)
    }

    fn is_attached(&self, seen: &Observed) -> bool {
        seen.attached.iter().any(|entity| self.is_its_role(entity))
    }

    /// Whether it is the role that the policy is for.
    fn is_its_role(&self, entity: &Entity) -> bool {
        matches!(entity, Entity::Role(name) if *name == self.role)
    }

    /// Who else uses it, each a sentence's end after "it".
    fn others(&self, attached: &[Entity]) -> impl Iterator<Item = String> {
        let others = attached.iter().filter(|entity| !self.is_its_role(entity));
        others.map(|entity| format!("is attached to {entity}, which is not of this stack"))
    }

    /// Detaches the policy from its role and deletes all versions except the default, which goes with the policy. IAM
    /// refuses to delete a policy that is attached or has other versions.
    async fn release(&self, step: &Step<'_>, attached: &[Entity], versions: &[Version]) -> Result<()> {
        if attached.iter().any(|entity| self.is_its_role(entity)) {
            let detach = step.aws.iam.detach_role_policy().role_name(&self.role).policy_arn(self.arn());
            let detach = || step.call("iam:DetachRolePolicy", detach.clone().send());
            absent(step.retry(&[&IAM_STILL_DETACHING], detach).await, NO_SUCH)?;
        }
        for version in versions.iter().filter(|version| !version.is_default) {
            self.delete_version(step, &version.id).await?;
        }
        Ok(())
    }

    async fn delete_version(&self, step: &Step<'_>, id: &str) -> Result<()> {
        let delete = step.aws.iam.delete_policy_version().policy_arn(self.arn()).version_id(id);
        let delete = || step.call("iam:DeletePolicyVersion", delete.clone().send());
        absent(step.retry(&[&IAM_STILL_DETACHING], delete).await, NO_SUCH)?;
        Ok(())
    }
}

impl Policy {
    async fn create(&self, step: &Step<'_>) -> Result<()> {
        let create = step
            .aws
            .iam
            .create_policy()
            .policy_name(&self.existing.name)
            .policy_document(document::text(&self.document))
            .set_tags(Some(iam_tags(&self.existing.scope.tags())?));
        step.retry(&[&IAM_BUSY], || step.call("iam:CreatePolicy", create.clone().send())).await?;
        Ok(())
    }

    async fn attach(&self, step: &Step<'_>) -> Result<()> {
        let attach = step.aws.iam.attach_role_policy().role_name(&self.existing.role);
        let attach = attach.policy_arn(self.existing.arn());
        let attach = || step.call("iam:AttachRolePolicy", attach.clone().send());
        step.retry(&[&IAM_NOT_YET_VISIBLE], attach).await?;
        Ok(())
    }

    /// Puts the declared document in force. It promotes a version that already has this document, which a killed run
    /// may have left behind. Otherwise it creates one, and first makes room for it.
    async fn put_in_force(&self, step: &Step<'_>) -> Result<()> {
        let arn = self.existing.arn();
        let versions = absent(self.existing.versions(step).await, NO_SUCH)?.unwrap_or_default();
        for version in versions.iter().filter(|version| !version.is_default) {
            let document = self.existing.document_of(step, &version.id).await?;
            if document.is_some_and(|document| document::same(&document, &self.document)) {
                let promote =
                    step.aws.iam.set_default_policy_version().policy_arn(&arn).version_id(&version.id);
                let promote = || step.call("iam:SetDefaultPolicyVersion", promote.clone().send());
                step.retry(&[&IAM_NOT_YET_VISIBLE], promote).await?;
                return Ok(());
            }
        }
        if versions.len() >= MOST_VERSIONS
            && let Some(oldest) = versions.iter().filter(|v| !v.is_default).min_by_key(|v| v.number())
        {
            self.existing.delete_version(step, &oldest.id).await?;
        }
        let create = step
            .aws
            .iam
            .create_policy_version()
            .policy_arn(&arn)
            .policy_document(document::text(&self.document))
            .set_as_default(true);
        let create = || {
            let create = create.clone().customize();
            let create = create.config_override(Config::builder().retry_config(one_attempt()));
            step.call("iam:CreatePolicyVersion", create.send())
        };
        step.retry(&[&IAM_NOT_YET_VISIBLE], create).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
