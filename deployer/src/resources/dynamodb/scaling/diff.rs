//! How the scaling of a table differs from its declaration.

use super::{Dimension, Observed, Scaling};
use crate::engine::{Change, Diff, Difference, Impact};

/// What is to be done about reading, then about writing.
#[derive(Clone, Debug)]
pub(crate) struct ScalingDiff {
    creates: bool,
    pub(super) dimensions: [Option<DimensionDiff>; 2],
}

/// One dimension that scales otherwise than declared.
#[derive(Clone, Debug)]
pub(super) struct DimensionDiff {
    pub(super) observed: Option<Dimension>,
    pub(super) declared: Option<Dimension>,
    /// The policy to change, where there is one already.
    pub(super) policy: Option<String>,
    /// Policies by another metric, for people.
    others: Vec<String>,
}

impl ScalingDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &Scaling) -> Self {
        let nothing = Observed::default();
        let seen = observed.unwrap_or(&nothing);
        let dimensions = [0, 1].map(|i| {
            let Difference { observed, declared } =
                Difference::between(seen.dimensions[i], declared.wanted()[i])?;
            let (policy, others) = (seen.policies[i].clone(), seen.others[i].clone());
            Some(DimensionDiff { observed, declared, policy, others })
        });
        Self { creates: observed.is_none() && declared.limits.is_some(), dimensions }
    }
}

impl Diff for ScalingDiff {
    fn changes(&self) -> Vec<Change> {
        if self.creates {
            return vec![Change::Create];
        }
        let fields = ["read-capacity", "write-capacity"];
        let differing = fields
            .into_iter()
            .zip(&self.dimensions)
            .filter_map(|(field, diff)| Some((field, diff.as_ref()?)));
        let change = |(field, diff): (&str, &DimensionDiff)| {
            let observed = diff.observed.map(|observed| observed.shown(&diff.others));
            let declared = diff.declared.map(|declared| declared.shown(&[]));
            Difference { observed, declared }.update(field, Impact::None)
        };
        differing.map(change).collect()
    }
}
