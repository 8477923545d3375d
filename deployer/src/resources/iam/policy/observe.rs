//! Reads a policy from IAM, page by page.

use super::entity::Entity;
use super::{ExistingPolicy, NO_SUCH, PATH, Version};
use crate::engine::{PolicyPaths, Step, absent, pages};
use crate::error::Result;
use crate::resources::iam::policy_document as document;
use crate::resources::iam::waits::IAM_NOT_YET_VISIBLE;
use aws_sdk_iam::types::{Policy as IamPolicy, PolicyScopeType, PolicyVersion};
use serde_json::Value;

/// IAM's largest page.
const PAGE: i32 = 1000;

impl ExistingPolicy {
    /// Reads the document of one version. `None` means that somebody deleted the policy meanwhile, or that IAM does
    /// not know the version yet: it gives the same answer for both.
    pub(super) async fn document_of(&self, step: &Step<'_>, version: &str) -> Result<Option<Value>> {
        let get = step.aws.iam.get_policy_version().policy_arn(self.arn()).version_id(version);
        let policy = step.aws.iam.get_policy().policy_arn(self.arn());
        step.until(&IAM_NOT_YET_VISIBLE.cadence, async || {
            let found = step.retry(&[], || step.call("iam:GetPolicyVersion", get.clone().send())).await;
            if let Some(output) = absent(found, NO_SUCH)? {
                let text = output.policy_version.and_then(|version| version.document);
                return Ok(Some(Some(text.as_deref().and_then(document::decode).unwrap_or_default())));
            }
            let policy = step.retry(&[], || step.call("iam:GetPolicy", policy.clone().send())).await;
            Ok(absent(policy, NO_SUCH)?.is_none().then_some(None))
        })
        .await
    }

    pub(super) async fn versions(&self, step: &Step<'_>) -> Result<Vec<Version>> {
        pages(async |marker| {
            let list = step.aws.iam.list_policy_versions().policy_arn(self.arn()).set_marker(marker);
            let page = step.retry(&[], || step.call("iam:ListPolicyVersions", list.clone().send())).await?;
            let version = |version: PolicyVersion| Version {
                is_default: version.is_default_version(),
                id: version.version_id.unwrap_or_default(),
            };
            Ok((page.versions.unwrap_or_default().into_iter().map(version).collect(), page.marker))
        })
        .await
    }

    /// Lists everything that uses the policy, as a permissions policy or as a boundary. IAM refuses to delete a policy
    /// that is used as either.
    pub(super) async fn attached(&self, step: &Step<'_>) -> Result<Vec<Entity>> {
        pages(async |marker| {
            let list = step.aws.iam.list_entities_for_policy().policy_arn(self.arn()).set_marker(marker);
            let page =
                step.retry(&[], || step.call("iam:ListEntitiesForPolicy", list.clone().send())).await?;
            let name = |name: Option<String>| name.unwrap_or_default();
            let roles = page.policy_roles.unwrap_or_default().into_iter();
            let roles = roles.map(|role| Entity::Role(name(role.role_name)));
            let users = page.policy_users.unwrap_or_default().into_iter();
            let users = users.map(|user| Entity::User(name(user.user_name)));
            let groups = page.policy_groups.unwrap_or_default().into_iter();
            let groups = groups.map(|group| Entity::Group(name(group.group_name)));
            Ok((roles.chain(users).chain(groups).collect(), page.marker))
        })
        .await
    }

    /// Returns the path of a policy of the same name at another path. IAM compares names without regard to case or
    /// path, but finds a policy only by its ARN, which has the path.
    pub(super) async fn path_elsewhere(&self, step: &Step<'_>) -> Result<Option<String>> {
        let paths = step.shared.policy_paths(all_paths(step)).await?;
        Ok(paths.get(&self.name.to_lowercase()).filter(|path| *path != PATH).cloned())
    }
}

/// Lists the paths of all customer managed policies.
async fn all_paths(step: &Step<'_>) -> Result<PolicyPaths> {
    let paths = pages(async |marker| {
        let list = step.aws.iam.list_policies().scope(PolicyScopeType::Local).max_items(PAGE);
        let list = list.set_marker(marker);
        let page = step.retry(&[], || step.call("iam:ListPolicies", list.clone().send())).await?;
        let path = |policy: IamPolicy| Some((policy.policy_name?.to_lowercase(), policy.path?));
        Ok((page.policies.unwrap_or_default().into_iter().filter_map(path).collect(), page.marker))
    });
    Ok(paths.await?.into_iter().collect())
}
