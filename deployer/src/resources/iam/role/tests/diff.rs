//! What counts as a difference, and whose a role is.

use super::*;
use crate::names::{REGION_TAG, STACK_TAG};

#[test]
fn each_property_that_we_set_is_compared() {
    type Case = (&'static str, fn(&mut Observed), &'static [&'static str]);
    let cases: [Case; 13] = [
        ("as declared", |_| {}, &[]),
        (
            "somebody else's tag",
            |seen| drop(seen.tags.insert("cost-centre".to_owned(), "42".to_owned())),
            &[],
        ),
        ("another role of the same name", |seen| "AROA2".clone_into(&mut seen.role_id), &[]),
        ("bounded by somebody", |seen| seen.boundary = Some(boundary()), &[]),
        ("more policies", |seen| seen.attached.push("arn:aws:iam::aws:policy/X".to_owned()), &[]),
        (
            "a trust that AWS wrote in its own way",
            |seen| {
                seen.trust = json!({"Statement": {
                    "Sid": "", "Action": ["STS:AssumeRole"], "Effect": "Allow",
                    "Principal": {"Service": ["lambda.amazonaws.com"]},
                }, "Version": "2012-10-17"});
            },
            &[],
        ),
        ("another principal", |seen| seen.trust = json!({"a": 1}), &["trust: {\"a\":1} → {}"]),
        (
            "no description",
            |seen| seen.description.clear(),
            &["description:  → Runs the functions of lab + more"],
        ),
        ("a longer session", |seen| seen.max_session = 7200, &["max-session-duration: 7200 → 3600"]),
        (
            "made by Lambda's console",
            |seen| "/service-role/".clone_into(&mut seen.path),
            &["cannot change path: /service-role/ → / (a role's path cannot be changed; \
               declare a role of another name)"],
        ),
        (
            "one tag gone",
            |seen| drop(seen.tags.remove(REGION_TAG)),
            &["tags.deployer:region: (none) → us-east-1"],
        ),
        (
            "one tag changed",
            |seen| drop(seen.tags.insert(STACK_TAG.to_owned(), "other".to_owned())),
            &["tags.deployer:stack: other → lab"],
        ),
        (
            "untagged",
            |seen| seen.tags.clear(),
            &["tags.deployer:region: (none) → us-east-1", "tags.deployer:stack: (none) → lab"],
        ),
    ];
    for (name, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        let changes = role().diff(Some(&()), Some(&seen)).changes();
        let found: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let expected: Vec<String> =
            expected.iter().map(|line| line.replace("→ {}", &format!("→ {}", role().trust))).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_declared_boundary_is_compared() {
    let bounded = Role { boundary: Some(boundary()), ..role() };
    let other = Some("arn:aws:iam::123456789012:policy/other".to_owned());
    for (boundary, same) in [(bounded.boundary.clone(), true), (None, false), (other, false)] {
        let changes =
            bounded.diff(Some(&()), Some(&Observed { boundary: boundary.clone(), ..seen() })).changes();
        assert_eq!(changes.is_empty(), same, "{changes:?}");
        assert!(changes.iter().all(|change| is_about(change, "permissions-boundary")), "{changes:?}");
    }
}

#[test]
fn an_absent_role_is_created() {
    assert_eq!(role().diff(Some(&()), None).changes(), [Change::Create]);
}

#[test]
fn a_role_is_ours_by_both_tags() {
    assert_eq!(role().existing.owner(&seen()), Owner::Ours);
    let untagged = Observed { tags: Tags::new(), ..seen() };
    assert_ne!(role().existing.owner(&untagged), Owner::Ours);
}

#[test]
fn what_is_not_of_this_stack_keeps_a_role() {
    let mut seen = seen();
    assert!(role().existing.blockers(&seen).is_empty());
    seen.attached.push("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
    seen.instance_profiles.push("bastion".to_owned());
    assert_eq!(
        role().existing.blockers(&seen),
        [
            "has the policy arn:aws:iam::aws:policy/ReadOnlyAccess attached, which is not of this stack",
            "is in the instance profile bastion",
        ]
    );
}
