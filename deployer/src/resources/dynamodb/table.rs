//! A `DynamoDB` table. Its data cannot be brought back, so nothing here replaces a table.

mod apply;
mod diff;
pub(crate) mod observe;

pub(crate) use diff::TableDiff;

use crate::engine::{Applied, Declared, Existing, Id, Kind, Shown, Step, absent};
use crate::error::{Error, Result};
use crate::manifest::{Billing, Key, KeyType, Table as DeclaredTable};
use crate::names::{Owner, Scope, Tags};
use crate::resources::dynamodb::waits::{TABLE_BUSY, TABLE_NOT_YET_VISIBLE};
use aws_sdk_dynamodb::types::{
    PointInTimeRecoveryStatus, ScalarAttributeType, Select, TableStatus, TimeToLiveStatus,
};

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// The most pages of 1 MB that `count_items` reads.
const PAGES_COUNTED: usize = 5;

/// A table under its name, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingTable {
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

/// A table as declared.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) existing: ExistingTable,
    pub(crate) declared: DeclaredTable,
}

/// A table as `DynamoDB` has it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) status: TableStatus,
    /// Partition key, then sort key, like `id (S)`.
    pub(crate) keys: Vec<String>,
    pub(crate) capacity: Capacity,
    pub(crate) ttl: Option<String>,
    pub(crate) point_in_time_recovery: bool,
    pub(crate) deletion_protection: bool,
    /// Other regions with replicas. A table with any is a global table.
    pub(crate) replicas: Vec<String>,
    pub(crate) tags: Tags,
}

/// How capacity is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capacity {
    OnDemand,
    Provisioned { read: i64, write: i64 },
}

/// The number of items in a table, as far as they were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemCount {
    pub(crate) counted: u64,
    /// Whether the count stopped before the end.
    pub(crate) and_more: bool,
}

impl std::fmt::Display for ItemCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { counted, and_more } = *self;
        let least = if and_more { "at least " } else { "" };
        write!(f, "{least}{counted} item{}", if counted == 1 { "" } else { "s" })
    }
}

impl From<Capacity> for Shown {
    fn from(capacity: Capacity) -> Self {
        Some(capacity).into()
    }
}

impl std::fmt::Display for Capacity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnDemand => f.write_str("on-demand"),
            Self::Provisioned { read, write } => write!(f, "{read} read, {write} write"),
        }
    }
}

impl Existing for ExistingTable {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Table, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let ttl = step.aws.dynamodb.describe_time_to_live().table_name(&self.name);
        let ttl = || step.call("dynamodb:DescribeTimeToLive", ttl.clone().send());
        let backups = step.aws.dynamodb.describe_continuous_backups().table_name(&self.name);
        let backups = || step.call("dynamodb:DescribeContinuousBackups", backups.clone().send());
        let (table, tags, ttl, backups) = tokio::join!(
            self.describe(step, &[]),
            self.tags(step),
            step.retry(&[], ttl),
            step.retry(&[], backups)
        );
        let Some(table) = table? else { return Ok(None) };
        // DynamoDB refuses the tags of a table that is almost deleted with the same error as those of a missing one.
        let tags = if table.table_status() == Some(&TableStatus::Deleting) {
            tags.unwrap_or_default()
        } else {
            self.settled_tags(step, &table, tags?).await?
        };
        let ttl = absent(ttl, NO_SUCH)?.and_then(|output| output.time_to_live_description).filter(|ttl| {
            matches!(ttl.time_to_live_status(), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
        });
        // DynamoDB knows nothing of a table's backups before the table is active.
        let backups = absent(backups, &["TableNotFoundException", "ResourceNotFoundException"])?
            .and_then(|output| output.continuous_backups_description)
            .and_then(|backups| backups.point_in_time_recovery_description)
            .and_then(|recovery| recovery.point_in_time_recovery_status);
        Ok(Some(Observed {
            status: table.table_status().cloned().unwrap_or(TableStatus::Active),
            keys: observe::keys_of(&table),
            capacity: observe::capacity_of(&table),
            ttl: ttl.and_then(|ttl| ttl.attribute_name),
            point_in_time_recovery: backups == Some(PointInTimeRecoveryStatus::Enabled),
            deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
            replicas: observe::replicas_of(&table, &self.scope.region),
            tags,
        }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        // It is being deleted and may have lost its tags. A run only waits for that.
        if seen.status == TableStatus::Deleting { Owner::Ours } else { self.scope.owner(&seen.tags) }
    }

    fn state(&self, seen: &Observed) -> String {
        let state = format!("{}, {}", seen.status.as_str().to_lowercase(), seen.capacity);
        if seen.replicas.is_empty() {
            state
        } else {
            format!("{state}, replicas in {}", seen.replicas.join(" and "))
        }
    }

    fn blockers(&self, seen: &Observed) -> Vec<String> {
        let mut blockers = Vec::new();
        if seen.deletion_protection {
            blockers.push("is protected against deletion; switch that off first, if you mean it".to_owned());
        }
        if !seen.replicas.is_empty() {
            let regions = seen.replicas.join(" and ");
            blockers.push(format!("has replicas in {regions}; delete those first, if you mean it"));
        }
        blockers
    }

    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        if seen.status == TableStatus::Deleting {
            return self.until_gone(step, None).await;
        }
        let delete = step.aws.dynamodb.delete_table().table_name(&self.name);
        let delete = || step.call("dynamodb:DeleteTable", delete.clone().send());
        if let Some(deleted) = absent(step.retry(&[&TABLE_BUSY], delete).await, NO_SUCH)? {
            let id = deleted.table_description.and_then(|table| table.table_id);
            self.until_gone(step, id).await?;
        }
        Ok(())
    }
}

impl Declared for Table {
    type Existing = ExistingTable;
    type Needs = ();
    type Diff = TableDiff;
    type Output = ();

    fn existing(&self) -> &ExistingTable {
        &self.existing
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> TableDiff {
        TableDiff::between(seen, self)
    }

    fn output(&self, _seen: &Observed) {}

    async fn apply(
        &self,
        step: &Step<'_>,
        (): (),
        _seen: Option<Observed>,
        diff: TableDiff,
    ) -> Result<Applied<(), Observed>> {
        match diff {
            TableDiff::Create(creation) => {
                if creation.awaits_deletion {
                    self.existing.until_gone(step, None).await?;
                }
                self.create(step).await?;
                self.existing.until_active(step).await?;
                self.update(step, creation.afterwards).await?;
            }
            TableDiff::Update(update) if update.status.is_some() => {
                self.existing.until_active(step).await?;
                // While a table changes, DynamoDB may show the old values or the new ones, and it refuses to set a
                // value that is already set.
                let observed =
                    step.until(&TABLE_NOT_YET_VISIBLE.cadence, async || self.observe(step).await).await?;
                let why = format!("the table {} was changing", self.existing.name);
                return Ok(Applied::Outdated { observed: Some(observed), why });
            }
            TableDiff::Update(update) => self.update(step, update).await?,
        }
        Ok(Applied::Done(()))
    }
}

impl ExistingTable {
    /// Counts items by a consistent scan of a few MB at most. The count of `DescribeTable` is up to six hours old.
    pub(crate) async fn count_items(&self, step: &Step<'_>) -> Result<ItemCount> {
        let mut counted = 0;
        let mut start = None;
        for _ in 0..PAGES_COUNTED {
            let scan = step
                .aws
                .dynamodb
                .scan()
                .table_name(&self.name)
                .select(Select::Count)
                .consistent_read(true)
                .set_exclusive_start_key(start.take());
            let scan = || step.call("dynamodb:Scan", scan.clone().send());
            let Some(page) = absent(step.retry(&[], scan).await, NO_SUCH)? else {
                break;
            };
            counted += u64::try_from(page.count).unwrap_or_default();
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(ItemCount { counted, and_more: start.is_some() })
    }

    fn vanished(&self) -> Error {
        Error::new(format!("the table {} was deleted by somebody else", self.name))
    }

    fn arn(&self) -> String {
        self.scope.table_arn(&self.name)
    }
}

impl Table {
    /// Returns how a table looks right after `CreateTable`.
    fn fresh(&self) -> Observed {
        Observed {
            status: TableStatus::Active,
            keys: self.keys(),
            capacity: self.capacity(),
            ttl: None,
            point_in_time_recovery: false,
            deletion_protection: self.declared.deletion_protection.unwrap_or_default(),
            replicas: Vec::new(),
            tags: self.existing.scope.tags(),
        }
    }

    fn keys(&self) -> Vec<String> {
        self.declared_keys().map(|key| shown_key(&key.name, &scalar(key.r#type))).collect()
    }

    fn declared_keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.declared.partition_key).chain(&self.declared.sort_key)
    }

    fn capacity(&self) -> Capacity {
        match &self.declared.billing {
            Billing::OnDemand => Capacity::OnDemand,
            Billing::Provisioned(p) => Capacity::Provisioned { read: p.read, write: p.write },
        }
    }

    /// Returns the capacity that the table should have, given what it has now. Auto scaling changes reads and writes
    /// separately: a value within its limits stays, and any other moves to the nearest limit.
    fn capacity_beside(&self, seen: Capacity) -> Capacity {
        let (Billing::Provisioned(declared), Capacity::Provisioned { read, write }) =
            (&self.declared.billing, seen)
        else {
            return self.capacity();
        };
        let Some(most) = declared.max else {
            return self.capacity();
        };
        Capacity::Provisioned {
            read: read.max(declared.read).min(most),
            write: write.max(declared.write).min(most),
        }
    }
}

fn shown_key(name: &str, scalar: &ScalarAttributeType) -> String {
    format!("{name} ({})", scalar.as_str())
}

fn scalar(key: KeyType) -> ScalarAttributeType {
    match key {
        KeyType::S => ScalarAttributeType::S,
        KeyType::N => ScalarAttributeType::N,
        KeyType::B => ScalarAttributeType::B,
    }
}

#[cfg(test)]
mod tests;
