//! What a kind of resource returns when it compares itself with what AWS has: typed values that `apply` acts on, and
//! that people read as changes.

use super::{Change, Impact, Shown};
use crate::names::Tags;
use std::collections::BTreeMap;

/// The difference between what is declared and what AWS has, in a type of the kind's own.
///
/// `apply` receives it and acts on nothing else. [`Diff::changes`] is the same difference for people, so nothing is
/// changed that was not shown.
pub(crate) trait Diff {
    /// Returns what people read, in the order of the plan. It is empty exactly when there is nothing to apply.
    fn changes(&self) -> Vec<Change>;
}

/// A property whose declared value is not the one that AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference<T> {
    pub(crate) observed: T,
    pub(crate) declared: T,
}

impl<T: PartialEq> Difference<T> {
    /// Compares two values; `None` when they are equal.
    pub(crate) fn between(observed: T, declared: T) -> Option<Self> {
        (observed != declared).then_some(Self { observed, declared })
    }
}

impl<T: Clone + Into<Shown>> Difference<T> {
    /// Returns it as a change of this property.
    pub(crate) fn update(&self, field: impl Into<String>, impact: Impact) -> Change {
        Change::Update {
            field: field.into(),
            from: self.observed.clone().into(),
            to: self.declared.clone().into(),
            impact,
        }
    }

    /// Returns it as a change that is not made.
    pub(crate) fn refused(&self, field: impl Into<String>, why: impl Into<String>) -> Change {
        Change::Refused {
            field: field.into(),
            from: self.observed.clone().into(),
            to: self.declared.clone().into(),
            why: why.into(),
        }
    }
}

/// Tags to set. Tags that somebody else added stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagsDiff(BTreeMap<String, Difference<Option<String>>>);

impl TagsDiff {
    pub(crate) fn between(observed: &Tags, declared: &Tags) -> Self {
        let differing = declared.iter().filter_map(|(key, value)| {
            let difference = Difference::between(observed.get(key).cloned(), Some(value.clone()))?;
            Some((key.clone(), difference))
        });
        Self(differing.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.0.iter().map(|(key, difference)| difference.update(format!("tags.{key}"), Impact::None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_others_are_no_difference() {
        let declared = Tags::from(
            [("deployer:stack", "lab"), ("deployer:region", "eu-west-1")]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let mut observed = declared.clone();
        observed.insert("cost-centre".to_owned(), "42".to_owned());
        assert!(TagsDiff::between(&observed, &declared).is_empty());
        observed.remove("deployer:region");
        let changes: Vec<Change> = TagsDiff::between(&observed, &declared).changes().collect();
        let missing = Difference { observed: None, declared: Some("eu-west-1") };
        assert_eq!(changes, [missing.update("tags.deployer:region", Impact::None)]);
    }
}
