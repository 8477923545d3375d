//! Of any role and any declaration: `apply` makes the calls of the changes and no others.

use super::*;
use crate::names::REGION_TAG;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use aws_sdk_iam::operation::put_role_permissions_boundary::PutRolePermissionsBoundaryOutput;
use aws_sdk_iam::operation::tag_role::TagRoleOutput;
use aws_sdk_iam::operation::update_assume_role_policy::UpdateAssumeRolePolicyOutput;
use aws_sdk_iam::operation::update_role::UpdateRoleOutput;
use proptest::prelude::*;

const EFFECTS: Effects = &[
    ("create", "CreateRole"),
    ("tags", "TagRole"),
    ("trust", "UpdateAssumeRolePolicy"),
    ("description", "UpdateRole"),
    ("max-session-duration", "UpdateRole"),
    ("permissions-boundary", "PutRolePermissionsBoundary"),
];

const OBSERVED: Edits<Observed> = &[
    ("no tags", |seen| seen.tags.clear()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
    ("a tag of somebody else's", |seen| drop(seen.tags.insert("cost".to_owned(), "1".to_owned()))),
    ("nobody is trusted", |seen| seen.trust = Value::Null),
    ("another description", |seen| seen.description = "other".to_owned()),
    ("a longer session", |seen| seen.max_session = 7200),
    ("bounded", |seen| seen.boundary = Some("arn:aws:iam::123456789012:policy/other".to_owned())),
    ("at another path", |seen| seen.path = "/other/".to_owned()),
    ("fresh", |seen| seen.fresh = true),
    ("with policies and profiles", |seen| seen.instance_profiles = vec!["theirs".to_owned()]),
];

const DECLARED: Edits<Role> = &[
    ("bounded", |role| role.boundary = Some(boundary())),
    ("another trust", |role| role.trust = json!({"Version": "2012-10-17", "Statement": []})),
    ("another description", |role| role.description = "declared".to_owned()),
    ("a tag", |role| drop(role.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned()))),
];

/// Everything succeeds.
fn world() -> World {
    World::new().with_iam(&[
        created(),
        mock!(Client::tag_role).then_output(|| TagRoleOutput::builder().build()),
        mock!(Client::update_assume_role_policy)
            .then_output(|| UpdateAssumeRolePolicyOutput::builder().build()),
        mock!(Client::update_role).then_output(|| UpdateRoleOutput::builder().build()),
        mock!(Client::put_role_permissions_boundary)
            .then_output(|| PutRolePermissionsBoundaryOutput::builder().build()),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(seen, OBSERVED)),
        declared in edited(role, DECLARED),
    ) {
        let observed = observed.map(|observed| observed.value);
        paused(check_apply(EFFECTS, &world(), &declared.value, (), observed, Diff::changes))?;
    }
}
