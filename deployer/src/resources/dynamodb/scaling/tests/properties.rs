//! Of any scaling and any declaration: `apply` makes the calls of the changes and no others.

use super::*;
use crate::testing::effects::{Edits, Effects, check_apply, edited, paused};
use proptest::prelude::*;

/// Of a dimension that scales otherwise, its two parts.
const EFFECTS: Effects = &[
    ("limits", "RegisterScalableTarget!"),
    ("utilisation", "PutScalingPolicy!"),
    ("scaling removed", "DeregisterScalableTarget!"),
];

/// The scaling of `scaling()`.
fn as_declared() -> Observed {
    Observed { dimensions: scaling().wanted(), ..Observed::default() }
}

fn edit(seen: &mut Observed, dimension: usize, change: impl FnOnce(&mut Dimension)) {
    if let Some(dimension) = &mut seen.dimensions[dimension] {
        change(dimension);
    }
}

const OBSERVED: Edits<Observed> = &[
    ("reading is fixed", |seen| seen.dimensions[0] = None),
    ("writing is fixed", |seen| seen.dimensions[1] = None),
    ("another limit of reading", |seen| edit(seen, 0, |reading| reading.least = 1)),
    ("another limit of writing", |seen| edit(seen, 1, |writing| writing.most = 9)),
    ("reading is suspended", |seen| edit(seen, 0, |reading| reading.suspended = true)),
    ("reading has no policy", |seen| edit(seen, 0, |reading| reading.utilisation = None)),
    ("another utilisation of writing", |seen| edit(seen, 1, |writing| writing.utilisation = Some(50.0))),
    ("a policy of somebody else's", |seen| seen.policies[1] = Some("theirs".to_owned())),
    ("a policy on another metric", |seen| seen.others[0] = vec!["theirs".to_owned()]),
];

const DECLARED: Edits<Scaling> = &[
    ("other limits", |scaling| scaling.limits = Some(Limits { read: 7, write: 6, most: 70 })),
    ("fixed", |scaling| *scaling = fixed()),
];

/// Everything succeeds.
fn always_ok() -> World {
    let ok = || done(json!({}));
    World::new().with_autoscaling(&[
        always(mock!(Client::register_scalable_target), ok()),
        always(mock!(Client::put_scaling_policy), ok()),
        always(mock!(Client::deregister_scalable_target), ok()),
    ])
}

/// People read each dimension as one change.
fn detailed(diff: &ScalingDiff) -> Vec<Change> {
    let mut changes = Vec::new();
    for DimensionDiff { observed, declared, .. } in diff.dimensions.iter().flatten() {
        let Some(declared) = declared else {
            changes.push(update("scaling", Some("on"), None));
            continue;
        };
        let limits = |it: &Dimension| (it.least, it.most, it.suspended);
        if observed.as_ref().map(limits) != Some(limits(declared)) {
            changes.push(update("limits", None, Some("declared")));
        }
        if observed.and_then(|observed| observed.utilisation) != declared.utilisation {
            changes.push(update("utilisation", None, Some("declared")));
        }
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(as_declared, OBSERVED)),
        declared in edited(scaling, DECLARED),
    ) {
        let observed = observed.map(|observed| observed.value);
        paused(check_apply(EFFECTS, &always_ok(), &declared.value, (), observed, detailed))?;
    }
}
