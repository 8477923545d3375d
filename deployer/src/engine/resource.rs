//! The one abstraction: a kind of thing that a stack owns, described by its desired state.

use super::{Change, Id, Step};
use crate::error::Result;
use crate::names::Owner;

/// One kind of resource: how to look at it, compare it, make it so, and remove it.
///
/// # Expected flow
/// The engine observes, diffs, and, when it applies and the diff is not empty, calls `apply` once everything that
/// it needs is known. `plan`, `up` and `status` are this same flow in different modes.
///
/// # Guarantees to implementors
/// - `apply` is called only with a non-empty diff of the same observation.
/// - The futures of `apply` and `delete` are never dropped before they finish.
/// - `delete` is called only for something that is ours.
///
/// # Obligations
/// - `observe` and `observe_to_delete` read only. `diff`, `owner`, `output`, `state` and `blockers` are pure.
/// - `apply` and `delete` may find any state that an earlier run, killed at any moment, left behind.
/// - Everything that `apply` mutates was a [`Change`] of `diff`.
pub(crate) trait Resource {
    /// Outputs of the resources that must exist first: the graph's edges, in the type.
    type Needs: Clone;
    /// What AWS says about it now.
    type Observed: 'static;
    /// What dependents get to know.
    type Output;

    /// Its kind and name.
    fn id(&self) -> Id;
    /// Reads it; `None` when there is none.
    async fn observe(&self, step: &Step<'_>) -> Result<Option<Self::Observed>>;
    /// Reads it before it is deleted: also what only `blockers` and `delete` need, where that takes calls of its own.
    async fn observe_to_delete(&self, step: &Step<'_>) -> Result<Option<Self::Observed>> {
        self.observe(step).await
    }
    /// Whose it is, by its tags.
    fn owner(&self, seen: &Self::Observed) -> Owner;
    /// What `apply` would change. `needs` is `None` while a parent is not known yet, which only a plan sees.
    fn diff(&self, needs: Option<&Self::Needs>, seen: Option<&Self::Observed>) -> Vec<Change>;
    /// What an existing one offers its dependents.
    fn output(&self, seen: &Self::Observed) -> Self::Output;
    /// Its condition in a few words, for `status`.
    fn state(&self, seen: &Self::Observed) -> String;
    /// Why it cannot be deleted, each reason a sentence's end after "it". Asked before anything is deleted.
    fn blockers(&self, _seen: &Self::Observed) -> Vec<String> {
        Vec::new()
    }
    /// What goes with it when it is deleted and nobody would expect, each in words.
    fn takes_along(&self, _seen: &Self::Observed) -> Vec<String> {
        Vec::new()
    }
    /// Makes AWS match.
    async fn apply(
        &self,
        step: &Step<'_>,
        needs: Self::Needs,
        seen: Option<Self::Observed>,
    ) -> Result<Self::Output>;
    /// Removes it and waits until it is gone. Already absent is success.
    async fn delete(&self, step: &Step<'_>, seen: Self::Observed) -> Result<()>;
}
