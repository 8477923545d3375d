//! What counts as a difference, and whose a policy is.

use super::*;
use crate::names::{REGION_TAG, STACK_TAG};

#[test]
fn each_property_that_we_set_is_compared() {
    type Case = (&'static str, fn(&mut Observed), &'static [&'static str]);
    let cases: [Case; 10] = [
        ("as declared", |_| {}, &[]),
        (
            "somebody else's tag",
            |seen| drop(seen.tags.insert("cost-centre".to_owned(), "42".to_owned())),
            &[],
        ),
        ("attached to more", |seen| seen.attached.insert(0, Entity::User("eve".to_owned())), &[]),
        ("more versions", |seen| seen.versions.push(version("v0", false)), &[]),
        (
            "a document that AWS wrote in its own way",
            |seen| {
                seen.document = json!({"Statement": [
                    {"Resource": ["c"], "Effect": "Allow", "Action": ["logs:putlogevents"], "Sid": ""},
                    {"Resource": ["b", "a"], "Effect": "Allow", "Action": ["dynamodb:Query", "dynamodb:GetItem"]},
                ], "Version": "2012-10-17"});
            },
            &[],
        ),
        ("a wider document", |seen| seen.document["Statement"][0]["Resource"] = "*".into(), &["document"]),
        ("no document", |seen| seen.document = Value::Null, &["document"]),
        ("attached to another role only", |seen| seen.attached = vec![role_named("r")], &["attached-to"]),
        ("one tag gone", |seen| drop(seen.tags.remove(REGION_TAG)), &["tags.deployer:region"]),
        ("untagged", |seen| seen.tags.clear(), &["tags.deployer:region", "tags.deployer:stack"]),
    ];
    for (name, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        let changes = policy().diff(Some(&needs()), Some(&seen)).changes();
        assert_eq!(
            changes,
            policy().diff(None, Some(&seen)).changes(),
            "{name}: it depends on nothing of the role's"
        );
        assert_eq!(changes.len(), expected.len(), "{name}: {changes:?}");
        for field in expected {
            assert!(changes.iter().any(|change| is_about(change, field)), "{name}: {field} in {changes:?}");
        }
    }
}

#[test]
fn changes_are_told_in_full() {
    let mut seen = Observed { document: json!({}), attached: Vec::new(), ..seen() };
    seen.tags.insert(STACK_TAG.to_owned(), "other".to_owned());
    let lines: Vec<String> =
        policy().diff(None, Some(&seen)).changes().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "tags.deployer:stack: other → lab".to_owned(),
            format!("document: {{}} → {}", document()),
            "attached-to: (none) → role lab-role".to_owned(),
        ]
    );
}

#[test]
fn an_absent_policy_is_created() {
    assert_eq!(policy().diff(Some(&needs()), None).changes(), [Change::Create]);
}

#[test]
fn a_policy_is_ours_by_both_tags() {
    assert_eq!(policy().existing.owner(&seen()), Owner::Ours);
    let untagged = Observed { tags: Tags::new(), ..seen() };
    assert_ne!(policy().existing.owner(&untagged), Owner::Ours);
}

#[test]
fn whoever_else_uses_a_policy_keeps_it() {
    assert!(policy().existing.blockers(&seen()).is_empty());
    let (user, group) = (Entity::User("eve".to_owned()), Entity::Group("ops".to_owned()));
    let attached = vec![role_named("lab-role"), role_named("other"), user, group];
    let seen = Observed { attached, ..seen() };
    let expected = ["role other", "user eve", "group ops"]
        .map(|e| format!("is attached to {e}, which is not of this stack"));
    assert_eq!(policy().existing.blockers(&seen), expected);
}

#[test]
fn a_user_or_group_of_the_roles_name_is_not_the_role() {
    let name = || "lab-role".to_owned();
    let seen = Observed { attached: vec![Entity::User(name()), Entity::Group(name())], ..seen() };
    assert_eq!(policy().existing.state(&seen), "not attached");
    assert_eq!(policy().existing.blockers(&seen).len(), 2);
}

#[test]
fn the_state_tells_whether_it_is_in_force() {
    assert_eq!(policy().existing.state(&seen()), "attached");
    assert_eq!(policy().existing.state(&Observed { attached: Vec::new(), ..seen() }), "not attached");
}
