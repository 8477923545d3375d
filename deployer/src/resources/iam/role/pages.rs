//! The lists about a role, which IAM returns in pages.

use crate::engine::{Step, pages};
use crate::error::Result;

pub(super) async fn attached_policies(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    pages(async |marker| {
        let list = step.aws.iam.list_attached_role_policies().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListAttachedRolePolicies", list.clone().send());
        let page = step.retry(&[], list).await?;
        let arns =
            page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn);
        Ok((arns.collect(), page.marker))
    })
    .await
}

pub(super) async fn inline_policies(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    pages(async |marker| {
        let list = step.aws.iam.list_role_policies().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListRolePolicies", list.clone().send());
        let page = step.retry(&[], list).await?;
        Ok((page.policy_names, page.marker))
    })
    .await
}

pub(super) async fn instance_profiles(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    pages(async |marker| {
        let list = step.aws.iam.list_instance_profiles_for_role().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListInstanceProfilesForRole", list.clone().send());
        let page = step.retry(&[], list).await?;
        let names = page.instance_profiles.into_iter().map(|profile| profile.instance_profile_name);
        Ok((names.collect(), page.marker))
    })
    .await
}
