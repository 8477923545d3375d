//! Of any statements and any routes: `apply` makes the calls of the changes and no others.

use super::*;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use proptest::prelude::*;

const EFFECTS: Effects = &[("statement", "AddPermission!"), ("statement removed", "RemovePermission!")];

fn theirs() -> Value {
    statement("mine", "arn:aws:execute-api:us-east-1:123456789012:other/*/*/*")
}

fn as_declared() -> Observed {
    seen(&[ours(&source(API))])
}

fn add(observed: &mut Observed, statement: Value) {
    observed.statements.extend(seen(&[statement]).statements);
}

const OBSERVED: Edits<Observed> = &[
    ("none", |observed| observed.statements.clear()),
    ("one of another API", |observed| add(observed, ours(&source("gone")))),
    ("two of other APIs", |observed| {
        add(observed, ours(&source("gone1")));
        add(observed, ours(&source("gone2")));
    }),
    ("one of somebody else's", |observed| add(observed, theirs())),
    ("ours under another id", |observed| add(observed, statement("mine-too", &source(API)))),
    ("ours with another content", |observed| {
        observed.statements.retain(|statement| statement.source_arn != Some(source(API)));
        add(observed, statement(&id_of(&source(API)), &source("gone3")));
    }),
];

const DECLARED: Edits<Permission> = &[
    ("no route", |permission| permission.routes.clear()),
    ("another route", |permission| {
        permission.routes.push(("GET".to_owned(), "/items/{id}".to_owned()));
    }),
    ("a route of any method", |permission| {
        permission.routes.push(("ANY".to_owned(), "/{proxy+}".to_owned()));
    }),
    ("only adding", |permission| permission.part = Part::Adding),
    ("only removing", |permission| permission.part = Part::Removing),
];

/// Everything succeeds, and all declared statements are shown.
fn world(permission: &Permission) -> World {
    let all: Vec<Value> = permission.wanted(&api(API)).iter().map(|source| ours(source)).collect();
    World::new().with_lambda(&[
        present(&all),
        mock!(Client::add_permission).then_output(|| AddPermissionOutput::builder().build()),
        mock!(Client::remove_permission).then_output(|| RemovePermissionOutput::builder().build()),
    ])
}

/// A creation is its statements.
fn detailed(diff: &PermissionDiff) -> Vec<Change> {
    let mut changes = diff.changes();
    if changes.first() == Some(&Change::Create) {
        changes.remove(0);
        let missing = diff.missing.iter();
        changes.extend(missing.filter_map(|source| {
            Change::update("statement", None, Some(source.as_str()), crate::engine::Impact::None)
        }));
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(as_declared, OBSERVED)),
        declared in edited(permission, DECLARED),
        is_fresh in any::<bool>(),
    ) {
        let needs = if is_fresh { fresh() } else { needs() };
        let observed = observed.map(|observed| observed.value);
        let world = world(&declared.value);
        paused(check_apply(EFFECTS, &world, &declared.value, needs, observed, detailed))?;
    }
}
