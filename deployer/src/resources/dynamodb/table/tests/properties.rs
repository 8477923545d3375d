//! Of any table and any declaration: `apply` makes the calls of the changes and no others.

use super::*;
use crate::manifest::KeyType;
use crate::names::REGION_TAG;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use proptest::prelude::*;

const EFFECTS: Effects = &[
    ("create", "CreateTable"),
    ("tags", "TagResource"),
    ("billing", "UpdateTable!"),
    ("deletion-protection", "UpdateTable!"),
    ("ttl", "UpdateTimeToLive"),
    ("point-in-time-recovery", "UpdateContinuousBackups"),
];

const OBSERVED: Edits<Observed> = &[
    ("being deleted", |seen| seen.status = TableStatus::Deleting),
    ("being made", |seen| seen.status = TableStatus::Creating),
    ("archived", |seen| seen.status = TableStatus::Archived),
    ("other keys", |seen| seen.keys = vec!["other (N)".to_owned()]),
    ("a capacity", |seen| seen.capacity = Capacity::Provisioned { read: 5, write: 70 }),
    ("ttl", |seen| seen.ttl = Some("gone".to_owned())),
    ("backups", |seen| seen.point_in_time_recovery = true),
    ("protection", |seen| seen.deletion_protection = true),
    ("replicas", |seen| seen.replicas = vec!["eu-west-1".to_owned()]),
    ("no tags", |seen| seen.tags.clear()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
];

const DECLARED: Edits<Table> = &[
    ("a capacity", |table| table.declared.billing = provisioned(5, 6)),
    ("a capacity that scales", |table| {
        table.declared.billing = Billing::Provisioned(Provisioned { read: 5, write: 6, max: Some(50) });
    }),
    ("ttl", |table| table.declared.ttl = Some("expires".to_owned())),
    ("backups", |table| table.declared.point_in_time_recovery = true),
    ("no protection", |table| table.declared.deletion_protection = Some(false)),
    ("protection", |table| table.declared.deletion_protection = Some(true)),
    ("a sort key", |table| {
        table.declared.sort_key = Some(Key { name: "at".to_owned(), r#type: KeyType::N });
    }),
    ("a tag", |table| drop(table.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned()))),
];

/// Everything succeeds, and the table is active. If one of the name is being deleted, the first look finds it gone.
fn always_ok(is_going: bool) -> World {
    let rules = vec![
        answers(mock!(Client::describe_table), is_going.then(no_such)),
        always(mock!(Client::describe_table), is("ACTIVE")),
        always(mock!(Client::create_table), ok()),
        always(mock!(Client::tag_resource), ok()),
        always(mock!(Client::update_table), ok()),
        always(mock!(Client::update_time_to_live), ok()),
        always(mock!(Client::update_continuous_backups), ok()),
        always(mock!(Client::delete_table), ok()),
    ];
    world([], rules)
}

/// With a creation go the properties that `CreateTable` does not set.
fn detailed(diff: &TableDiff) -> Vec<Change> {
    let mut changes = diff.changes();
    if let TableDiff::Create(creation) = diff {
        changes.extend(TableDiff::Update(creation.afterwards.clone()).changes());
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(|| table().fresh(), OBSERVED)),
        declared in edited(table, DECLARED),
    ) {
        let observed = observed.map(|observed| observed.value);
        let is_going = observed.as_ref().is_some_and(|seen| seen.status == TableStatus::Deleting);
        paused(check_apply(EFFECTS, &always_ok(is_going), &declared.value, (), observed, detailed))?;
    }
}
