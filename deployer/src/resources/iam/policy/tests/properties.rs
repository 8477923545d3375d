//! Of any policy and any declaration: `apply` makes the calls of the changes and no others.

use super::*;
use crate::names::REGION_TAG;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use aws_sdk_iam::operation::create_policy_version::CreatePolicyVersionOutput;
use aws_sdk_iam::operation::delete_policy_version::DeletePolicyVersionOutput;
use aws_sdk_iam::operation::set_default_policy_version::SetDefaultPolicyVersionOutput;
use aws_sdk_iam::operation::tag_policy::TagPolicyOutput;
use proptest::prelude::*;

const EFFECTS: Effects = &[
    ("create", "CreatePolicy AttachRolePolicy"),
    ("tags", "TagPolicy"),
    ("document", "CreatePolicyVersion|SetDefaultPolicyVersion [DeletePolicyVersion]"),
    ("attached-to", "AttachRolePolicy"),
];

const OBSERVED: Edits<Observed> = &[
    ("no tags", |seen| seen.tags.clear()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
    ("another document", |seen| seen.document = json!({"Version": "2012-10-17", "Statement": []})),
    ("no document", |seen| seen.document = Value::Null),
    ("attached to another role", |seen| seen.attached = vec![Entity::Role("other".to_owned())]),
    ("attached to nothing", |seen| seen.attached.clear()),
];

const DECLARED: Edits<Policy> = &[
    ("another document", |policy| policy.document = declared_anew()),
    ("a tag", |policy| drop(policy.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned()))),
];

fn declared_anew() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "anew"},
    ]})
}

/// Everything succeeds. The policy has so many versions; `v2` says `second`, and the others say nothing.
fn world(versions: usize, second: &Value) -> World {
    let all: Vec<Version> = (1..=versions).map(|n| version(&format!("v{n}"), n == 1)).collect();
    World::new().with_iam(&[
        mock!(Client::create_policy).then_output(|| CreatePolicyOutput::builder().build()),
        mock!(Client::tag_policy).then_output(|| TagPolicyOutput::builder().build()),
        mock!(Client::create_policy_version).then_output(|| CreatePolicyVersionOutput::builder().build()),
        mock!(Client::set_default_policy_version)
            .then_output(|| SetDefaultPolicyVersionOutput::builder().build()),
        mock!(Client::delete_policy_version).then_output(|| DeletePolicyVersionOutput::builder().build()),
        mock!(Client::list_policy_versions).then_output(move || {
            ListPolicyVersionsOutput::builder().set_versions(Some(listed(&all))).build()
        }),
        attached(),
        document_of("v2", second.clone()),
        mock!(Client::get_policy_version).then_output(|| {
            let version = PolicyVersion::builder().document("%7B%7D").build();
            GetPolicyVersionOutput::builder().policy_version(version).build()
        }),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(seen, OBSERVED)),
        declared in edited(policy, DECLARED),
        versions in 1_usize..=5,
        second_is_right in any::<bool>(),
    ) {
        let observed = observed.map(|observed| observed.value);
        let second = if second_is_right { declared.value.document.clone() } else { Value::Null };
        let world = world(versions, &second);
        paused(check_apply(EFFECTS, &world, &declared.value, needs(), observed, Diff::changes))?;
    }
}
