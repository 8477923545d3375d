//! How a log group differs from its declaration.

use super::{LogGroup, Observed};
use crate::engine::{Change, Diff, Difference, Impact, TagsDiff};

/// What is to be done about a log group.
#[derive(Clone, Debug)]
pub(crate) enum LogGroupDiff {
    /// There is none.
    Create,
    /// Properties that differ.
    Update(LogGroupUpdate),
}

/// The properties of a log group that differ.
#[derive(Clone, Debug)]
pub(crate) struct LogGroupUpdate {
    name: String,
    pub(super) tags: TagsDiff,
    /// In days; `None` keeps logs for ever.
    pub(super) retention: Option<Difference<Option<i32>>>,
}

impl LogGroupDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &LogGroup) -> Self {
        let Some(observed) = observed else { return Self::Create };
        Self::Update(LogGroupUpdate {
            name: declared.existing.name.clone(),
            tags: TagsDiff::between(&observed.tags, &declared.existing.scope.tags()),
            retention: Difference::between(observed.retention_days, Some(declared.retention_days)),
        })
    }
}

impl Diff for LogGroupDiff {
    fn changes(&self) -> Vec<Change> {
        let Self::Update(LogGroupUpdate { name, tags, retention }) = self else {
            return vec![Change::Create];
        };
        let retention =
            retention.as_ref().map(|days| days.update("retention-days", retention_impact(name, days)));
        tags.changes().chain(retention).collect()
    }
}

/// Less than somebody has set is a loss. The groups that Lambda makes by itself keep everything until `up` comes.
fn retention_impact(name: &str, days: &Difference<Option<i32>>) -> Impact {
    let means = "logs older than that are deleted";
    match (days.observed, days.declared) {
        (Some(observed), Some(days)) if observed > days => {
            Impact::Loses { what: format!("what {name} holds from more than {days} days ago"), means }
        }
        _ => Impact::Notice(means),
    }
}
