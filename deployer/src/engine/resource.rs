//! What a kind of resource is to the engine: something that exists in AWS under a name, and something that is declared.

use super::{Diff, Id, Step};
use crate::error::Result;
use crate::names::Owner;

/// Something that may exist in AWS under a name: how to read it, whose it is, and how to delete it.
///
/// Deleting needs no more than a name and a scope, so what the manifest no longer mentions is one of these and nothing else.
///
/// # Guarantees to implementors
/// - The future of `delete` is never dropped before it finishes.
/// - `delete` is called only for something that is ours.
///
/// # Obligations
/// - `observe` only reads. `owner`, `state`, `blockers` and `takes_along` are pure.
/// - `delete` may find any state that an earlier run, killed at any moment, left behind.
pub(crate) trait Existing {
    /// What AWS says about it now.
    type Observed: 'static;

    /// Returns its kind and its name.
    fn id(&self) -> Id;
    /// Reads it, with all that `blockers`, `takes_along` and `delete` need; `None` when it does not exist.
    async fn observe(&self, step: &Step<'_>) -> Result<Option<Self::Observed>>;
    /// Returns whose it is, by its tags.
    fn owner(&self, seen: &Self::Observed) -> Owner;
    /// Describes its condition in a few words, for `status`.
    fn state(&self, seen: &Self::Observed) -> String;
    /// Returns why it cannot be deleted, each reason a sentence's end after "it". Asked before anything is deleted.
    fn blockers(&self, _seen: &Self::Observed) -> Vec<String> {
        Vec::new()
    }
    /// Returns what is deleted with it although nobody would expect that, each in words.
    fn takes_along(&self, _seen: &Self::Observed) -> Vec<String> {
        Vec::new()
    }
    /// Deletes it and waits until it is gone. Already absent is success.
    async fn delete(&self, step: &Step<'_>, seen: Self::Observed) -> Result<()>;
}

/// Something that the manifest asks for: how it compares with what exists, and how to make AWS match.
///
/// # Expected flow
/// The engine observes, diffs, and, when it applies and the diff is not empty, calls `apply` once everything that
/// it needs is known. `plan`, `up` and `status` are this same flow in different modes.
///
/// # Guarantees to implementors
/// - `apply` is called only with a diff of the same observation that has changes.
/// - The future of `apply` is never dropped before it finishes.
///
/// # Obligations
/// - `observe` only reads. `diff` and `output` are pure.
/// - `apply` may find any state that an earlier run, killed at any moment, left behind.
/// - `apply` does what its diff holds and nothing else. It does not compare again.
pub(crate) trait Declared {
    /// The same thing as it exists in AWS, without its declaration.
    type Existing: Existing;
    /// Outputs of the resources that must exist first: the graph's edges, in the type.
    type Needs: Clone;
    /// What `apply` has to do.
    type Diff: Diff;
    /// What dependents get to know.
    type Output;

    /// Returns what `down` deletes.
    fn existing(&self) -> &Self::Existing;
    /// Reads it, with all that `diff` and `apply` need; `None` when it does not exist. What only a deletion needs may be
    /// missing.
    async fn observe(&self, step: &Step<'_>) -> Result<Option<ObservedOf<Self>>> {
        self.existing().observe(step).await
    }
    /// Compares. `needs` is `None` while a parent is not known yet, which only a plan sees.
    fn diff(&self, needs: Option<&Self::Needs>, seen: Option<&ObservedOf<Self>>) -> Self::Diff;
    /// Returns what an existing one offers its dependents.
    fn output(&self, seen: &ObservedOf<Self>) -> Self::Output;
    /// Makes AWS match. `seen` is what `diff` was computed from; it is `None` when the resource did not exist.
    async fn apply(
        &self,
        step: &Step<'_>,
        needs: Self::Needs,
        seen: Option<ObservedOf<Self>>,
        diff: Self::Diff,
    ) -> Result<Applied<Self::Output, ObservedOf<Self>>>;
}

/// How an `apply` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied<Output, Observed> {
    /// AWS matches.
    Done(Output),
    /// The diff was out of date. The engine compares again with this observation, and applies what differs then.
    Outdated {
        observed: Option<Observed>,
        /// What was different, as a sentence.
        why: String,
    },
}

/// What AWS says about a declared resource.
pub(crate) type ObservedOf<D> = <<D as Declared>::Existing as Existing>::Observed;
