//! Of any group and any declaration: `apply` makes the calls of the changes and no others.

use super::*;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use crate::testing::script::{always, done};
use proptest::prelude::*;
use serde_json::json;

const EFFECTS: Effects = &[
    ("create", "CreateLogGroup PutRetentionPolicy"),
    ("tags", "TagResource"),
    ("retention-days", "PutRetentionPolicy"),
];

const OBSERVED: Edits<Observed> = &[
    ("reborn", |seen| *seen = reborn()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
    ("another value of a tag", |seen| drop(seen.tags.insert("team".to_owned(), "other".to_owned()))),
    ("a shorter retention", |seen| seen.retention_days = Some(7)),
    ("a longer retention", |seen| seen.retention_days = Some(30)),
    ("protected", |seen| seen.deletion_protection = true),
];

const DECLARED: Edits<LogGroup> = &[
    ("30 days", |group| group.retention_days = 30),
    ("a tag", |group| drop(group.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned()))),
];

/// Everything succeeds.
fn world() -> World {
    let ok = || done(json!({}));
    World::new().with_logs(&[
        always(mock!(Client::create_log_group), ok()),
        always(mock!(Client::tag_resource), ok()),
        always(mock!(Client::put_retention_policy), ok()),
        always(mock!(Client::delete_log_group), ok()),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(seen, OBSERVED)),
        declared in edited(group, DECLARED),
    ) {
        let observed = observed.map(|observed| observed.value);
        paused(check_apply(EFFECTS, &world(), &declared.value, (), observed, Diff::changes))?;
    }
}
