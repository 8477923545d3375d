//! Lists about a role that IAM returns page by page.

use crate::engine::Step;
use crate::error::Result;

pub(super) async fn attached_policies(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let list = step.aws.iam.list_attached_role_policies().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListAttachedRolePolicies", list.clone().send());
        let page = step.retry(&[], list).await?;
        all.extend(page.attached_policies().iter().filter_map(|p| p.policy_arn().map(str::to_owned)));
        marker = page.marker;
        if marker.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn inline_policies(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let list = step.aws.iam.list_role_policies().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListRolePolicies", list.clone().send());
        let page = step.retry(&[], list).await?;
        all.extend(page.policy_names);
        marker = page.marker;
        if marker.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn instance_profiles(step: &Step<'_>, role: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let list = step.aws.iam.list_instance_profiles_for_role().role_name(role).set_marker(marker);
        let list = || step.call("iam:ListInstanceProfilesForRole", list.clone().send());
        let page = step.retry(&[], list).await?;
        all.extend(page.instance_profiles.into_iter().map(|profile| profile.instance_profile_name));
        marker = page.marker;
        if marker.is_none() {
            return Ok(all);
        }
    }
}
