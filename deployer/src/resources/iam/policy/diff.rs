//! How a policy differs from its declaration.

use super::entity::Entity;
use super::{Observed, Policy};
use crate::engine::{Change, Diff, Difference, Impact, TagsDiff};
use crate::resources::iam::policy_document as document;

/// What is to be done about a policy.
#[derive(Clone, Debug)]
pub(crate) enum PolicyDiff {
    /// There is none: it is created and attached.
    Create,
    /// Properties that differ.
    Update(PolicyUpdate),
}

/// The properties of a policy that differ.
#[derive(Clone, Debug)]
pub(crate) struct PolicyUpdate {
    pub(super) tags: TagsDiff,
    /// What differs between the two documents, for people.
    pub(super) document: Option<Difference<String>>,
    /// What the policy is to be attached to.
    pub(super) attachment: Option<Difference<Option<Entity>>>,
}

impl PolicyDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &Policy) -> Self {
        let Some(observed) = observed else { return Self::Create };
        let attachment =
            Difference { observed: None, declared: Some(Entity::Role(declared.existing.role.clone())) };
        Self::Update(PolicyUpdate {
            tags: TagsDiff::between(&observed.tags, &declared.existing.scope.tags()),
            document: document::diff(&observed.document, &declared.document),
            attachment: (!declared.existing.is_attached(observed)).then_some(attachment),
        })
    }
}

impl Diff for PolicyDiff {
    fn changes(&self) -> Vec<Change> {
        let Self::Update(PolicyUpdate { tags, document, attachment }) = self else {
            return vec![Change::Create];
        };
        let document = document.as_ref().map(|document| document.update("document", Impact::None));
        let attachment = attachment.as_ref().map(|role| role.update("attached-to", Impact::None));
        tags.changes().chain(document).chain(attachment).collect()
    }
}
