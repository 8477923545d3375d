//! How a role differs from its declaration.

use super::{Observed, PATH, Role, SESSION};
use crate::engine::{Change, Diff, Difference, Impact, TagsDiff};
use crate::resources::iam::policy_document as document;

/// What is to be done about a role.
#[derive(Clone, Debug)]
pub(crate) enum RoleDiff {
    /// There is none.
    Create,
    /// Properties that differ.
    Update(Box<RoleUpdate>),
}

/// The properties of a role that differ.
#[derive(Clone, Debug)]
pub(crate) struct RoleUpdate {
    pub(super) tags: TagsDiff,
    /// Cannot be changed.
    path: Option<Difference<String>>,
    /// What differs between the two documents, for people.
    pub(super) trust: Option<Difference<String>>,
    pub(super) description: Option<Difference<String>>,
    pub(super) max_session: Option<Difference<Option<i32>>>,
    pub(super) boundary: Option<Difference<Option<String>>>,
}

impl RoleDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &Role) -> Self {
        let Some(observed) = observed else { return Self::Create };
        let trust = document::diff(&observed.trust, &declared.trust);
        let boundary = declared.boundary.is_some();
        Self::Update(Box::new(RoleUpdate {
            tags: TagsDiff::between(&observed.tags, &declared.existing.scope.tags()),
            path: Difference::between(observed.path.clone(), PATH.to_owned()),
            trust,
            description: Difference::between(observed.description.clone(), declared.description.clone()),
            max_session: Difference::between(Some(observed.max_session), Some(SESSION)),
            boundary: Difference::between(observed.boundary.clone(), declared.boundary.clone())
                .filter(|_| boundary),
        }))
    }
}

impl Diff for RoleDiff {
    fn changes(&self) -> Vec<Change> {
        let Self::Update(update) = self else { return vec![Change::Create] };
        let RoleUpdate { tags, path, trust, description, max_session, boundary } = &**update;
        let mut changes: Vec<Change> = tags.changes().collect();
        changes.extend(path.as_ref().map(|path| {
            path.refused("path", "a role's path cannot be changed; declare a role of another name")
        }));
        changes.extend(trust.as_ref().map(|trust| trust.update("trust", Impact::None)));
        changes.extend(description.as_ref().map(|text| text.update("description", Impact::None)));
        changes
            .extend(max_session.as_ref().map(|seconds| seconds.update("max-session-duration", Impact::None)));
        changes.extend(boundary.as_ref().map(|arn| arn.update("permissions-boundary", Impact::None)));
        changes
    }
}
