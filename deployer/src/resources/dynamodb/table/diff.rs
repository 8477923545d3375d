//! How a table differs from its declaration.

use super::{Capacity, Observed, Table};
use crate::engine::{Change, Diff, Difference, Impact, TagsDiff};
use aws_sdk_dynamodb::types::TableStatus;

/// What is to be done about a table.
#[derive(Clone, Debug)]
pub(crate) enum TableDiff {
    /// There is none, or it is being deleted.
    Create(TableCreation),
    /// Properties that differ.
    Update(TableUpdate),
}

/// A table that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct TableCreation {
    /// One of this name is being deleted and has to be gone first.
    pub(super) awaits_deletion: bool,
    /// What `CreateTable` does not set.
    pub(super) afterwards: TableUpdate,
}

/// The properties of a table that differ.
#[derive(Clone, Debug)]
pub(crate) struct TableUpdate {
    table: String,
    pub(super) tags: TagsDiff,
    /// Cannot be changed.
    keys: Option<Difference<String>>,
    /// The table is being changed, or cannot be used.
    pub(super) status: Option<Difference<TableStatus>>,
    pub(super) capacity: Option<Difference<Capacity>>,
    /// The attribute that items expire by.
    pub(super) ttl: Option<Difference<Option<String>>>,
    pub(super) point_in_time_recovery: Option<Difference<bool>>,
    pub(super) deletion_protection: Option<Difference<bool>>,
}

impl TableDiff {
    pub(super) fn between(observed: Option<&Observed>, declared: &Table) -> Self {
        match observed {
            Some(observed) if observed.status != TableStatus::Deleting => {
                Self::Update(TableUpdate::between(observed, declared))
            }
            // Somebody wanted it gone. The new table is made when it is.
            deleting => Self::Create(TableCreation {
                awaits_deletion: deleting.is_some(),
                afterwards: TableUpdate::between(&declared.fresh(), declared),
            }),
        }
    }
}

impl TableUpdate {
    fn between(observed: &Observed, table: &Table) -> Self {
        let declared = &table.declared;
        Self {
            table: table.existing.name.clone(),
            tags: TagsDiff::between(&observed.tags, &table.existing.scope.tags()),
            keys: Difference::between(observed.keys.join(", "), table.keys().join(", ")),
            status: Difference::between(observed.status.clone(), TableStatus::Active),
            capacity: Difference::between(observed.capacity, table.capacity_beside(observed.capacity)),
            ttl: Difference::between(observed.ttl.clone(), declared.ttl.clone()),
            point_in_time_recovery: Difference::between(
                observed.point_in_time_recovery,
                declared.point_in_time_recovery,
            ),
            deletion_protection: declared
                .deletion_protection
                .and_then(|declared| Difference::between(observed.deletion_protection, declared)),
        }
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        let keys = self.keys.as_ref().map(|keys| {
            let why = "a table's keys cannot be changed, and a new table would lose the items; declare a table of \
                       another name and copy them";
            keys.refused("keys", why)
        });
        let minutes = || Impact::Notice("takes minutes; the table is used meanwhile");
        let capacity = self.capacity.as_ref().map(|capacity| capacity.update("billing", minutes()));
        let recovery = self.point_in_time_recovery.as_ref();
        let recovery = recovery.map(|on| on.update("point-in-time-recovery", self.recovery_impact(on)));
        let protection = self.deletion_protection.as_ref();
        let protection = protection.map(|on| on.update("deletion-protection", Impact::None));
        self.tags
            .changes()
            .chain(keys)
            .chain(self.status.as_ref().map(status_change))
            .chain(capacity)
            .chain(self.ttl.as_ref().map(ttl_change))
            .chain(recovery)
            .chain(protection)
    }

    fn recovery_impact(&self, is_on: &Difference<bool>) -> Impact {
        if is_on.declared {
            return Impact::None;
        }
        Impact::Loses {
            what: format!("the continuous backups of table {}", self.table),
            means: "the table cannot be restored to a moment of the last 35 days any more",
        }
    }
}

impl Diff for TableDiff {
    fn changes(&self) -> Vec<Change> {
        match self {
            Self::Create(_) => vec![Change::Create],
            Self::Update(update) => update.changes().collect(),
        }
    }
}

/// A table that is being made or changed is waited for. What only its owner can end is refused, with the way out.
fn status_change(status: &Difference<TableStatus>) -> Change {
    let why = match status.observed {
        TableStatus::InaccessibleEncryptionCredentials => {
            "DynamoDB cannot use the key that the table is encrypted with, and archives the table after seven days: \
             enable that KMS key again, or grant DynamoDB its use"
        }
        TableStatus::Archiving | TableStatus::Archived => {
            "DynamoDB archived the table because its encryption key was out of reach for seven days: restore its backup \
             as a table of another name and declare that, or delete this one"
        }
        TableStatus::ReplicationNotAuthorized => {
            "DynamoDB may not replicate the table any more: give its service-linked role for replication back what it \
             lacks, the use of the table's KMS key above all"
        }
        _ => return shown(status).update("status", Impact::Notice("waited for")),
    };
    shown(status).refused("status", why)
}

fn shown(status: &Difference<TableStatus>) -> Difference<&str> {
    Difference { observed: status.observed.as_str(), declared: status.declared.as_str() }
}

fn ttl_change(ttl: &Difference<Option<String>>) -> Change {
    match (&ttl.observed, &ttl.declared) {
        (Some(_), Some(_)) => ttl.refused(
            "ttl",
            "DynamoDB takes another attribute only an hour after the old one is off; remove ttl from the \
             manifest, run up, and declare the new one later",
        ),
        (_, Some(_)) => ttl.update("ttl", Impact::Notice("items past their time are deleted")),
        (_, None) => ttl.update("ttl", Impact::None),
    }
}
