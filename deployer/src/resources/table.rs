//! A `DynamoDB` table. Its data is what people cannot get back, so nothing here ever replaces one.

use crate::engine::{Step, absent};
use crate::error::{Error, Result};
use crate::manifest::{Billing, Key, KeyType, Table as Declared};
use crate::names::{Owner, Scope, Tags, diff_tags, tags_differ};
use crate::resource::{Change, Id, Kind, Resource};
use crate::retry::{TABLE_ACTIVE, TABLE_BUSY, TABLE_GONE, TABLE_TAGS};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType as SchemaKeyType, PointInTimeRecoverySpecification,
    PointInTimeRecoveryStatus, ProvisionedThroughput, ScalarAttributeType, Select, TableDescription, TableStatus, Tag,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use std::time::{Duration, SystemTime};

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// How many pages of 1 MB `count_items` reads at most.
const PAGES_COUNTED: usize = 5;

/// Tags of a table younger than this may not be visible yet.
const YOUNG: Duration = Duration::from_secs(60);

/// A table as declared.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) declared: Declared,
    pub(crate) scope: Scope,
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
    pub(crate) tags: Tags,
}

/// How capacity is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capacity {
    OnDemand,
    Provisioned { read: i64, write: i64 },
}

/// How many items a table holds, as far as was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemCount {
    pub(crate) counted: u64,
    /// There were more than a short scan reads.
    pub(crate) and_more: bool,
}

impl std::fmt::Display for ItemCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { counted, and_more } = *self;
        let least = if and_more { "at least " } else { "" };
        write!(f, "{least}{counted} item{}", if counted == 1 { "" } else { "s" })
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

impl Resource for Table {
    type Needs = ();
    type Observed = Observed;
    type Output = ();

    fn id(&self) -> Id {
        Id::new(Kind::Table, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let ttl = step.aws.dynamodb.describe_time_to_live().table_name(&self.name);
        let ttl = || step.call("dynamodb:DescribeTimeToLive", ttl.clone().send());
        let backups = step.aws.dynamodb.describe_continuous_backups().table_name(&self.name);
        let backups = || step.call("dynamodb:DescribeContinuousBackups", backups.clone().send());
        let (table, tags, ttl, backups) = tokio::join!(
            self.describe(step),
            self.tags(step),
            step.retry(&[], ttl),
            step.retry(&[], backups)
        );
        let Some(table) = table? else { return Ok(None) };
        let tags = self.settled_tags(step, &table, tags?).await?;
        let ttl = absent(ttl, NO_SUCH)?.and_then(|output| output.time_to_live_description).filter(|ttl| {
            matches!(ttl.time_to_live_status(), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
        });
        // Not before the table is active does AWS know anything of its backups.
        let backups = absent(backups, &["TableNotFoundException", "ResourceNotFoundException"])?
            .and_then(|output| output.continuous_backups_description)
            .and_then(|backups| backups.point_in_time_recovery_description)
            .and_then(|recovery| recovery.point_in_time_recovery_status);
        Ok(Some(Observed {
            status: table.table_status().cloned().unwrap_or(TableStatus::Active),
            keys: keys_of(&table),
            capacity: capacity_of(&table),
            ttl: ttl.and_then(|ttl| ttl.attribute_name),
            point_in_time_recovery: backups == Some(PointInTimeRecoveryStatus::Enabled),
            deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
            tags,
        }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        // It is going already and may have lost its tags; all that anybody does about it is wait.
        if seen.status == TableStatus::Deleting { Owner::Ours } else { self.scope.owner(&seen.tags) }
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> Vec<Change> {
        let Some(seen) = seen else { return vec![Change::Create] };
        if seen.status == TableStatus::Deleting {
            // It was somebody's last wish, and the new table is made when it is gone.
            return vec![Change::Create];
        }
        let declared = &self.declared;
        let mut changes = diff_tags(&self.scope.tags(), &seen.tags);
        if seen.keys != self.keys() {
            changes.push(Change::Refused {
                field: "keys".to_owned(),
                from: seen.keys.join(", ").into(),
                to: self.keys().join(", ").into(),
                why: "a table's keys cannot be changed, and a new table would lose the items; declare a table of \
                      another name and copy them"
                    .to_owned(),
            });
        }
        changes.extend(Change::update("status", Some(seen.status.as_str()), Some("ACTIVE")));
        changes.extend(Change::update("billing", Some(seen.capacity), Some(self.capacity_beside(seen.capacity))));
        changes.extend(self.diff_ttl(seen));
        changes.extend(Change::update(
            "point-in-time-recovery",
            Some(seen.point_in_time_recovery),
            Some(declared.point_in_time_recovery),
        ));
        if declared.deletion_protection.is_some() {
            let seen = Some(seen.deletion_protection);
            changes.extend(Change::update("deletion-protection", seen, declared.deletion_protection));
        }
        changes
    }

    fn output(&self, _seen: &Observed) {}

    fn state(&self, seen: &Observed) -> String {
        format!("{}, {}", seen.status.as_str().to_lowercase(), seen.capacity)
    }

    async fn apply(&self, step: &Step<'_>, (): (), seen: Option<Observed>) -> Result<()> {
        let seen = match seen {
            Some(seen) if seen.status == TableStatus::Active => seen,
            Some(seen) if seen.status != TableStatus::Deleting => {
                self.until_active(step).await?;
                // While it changes, it may show what it was or what it becomes, and DynamoDB refuses to set what is
                // already set.
                self.observe(step).await?.ok_or_else(|| Error::new("the table was deleted by somebody else"))?
            }
            deleting => {
                if deleting.is_some() {
                    self.until_gone(step).await?;
                }
                self.create(step).await?;
                self.until_active(step).await?;
                self.fresh()
            }
        };
        self.update(step, &seen).await
    }

    fn blockers(&self, seen: &Observed) -> Vec<String> {
        if seen.deletion_protection {
            vec!["is protected against deletion; switch that off first, if you mean it".to_owned()]
        } else {
            Vec::new()
        }
    }

    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        if seen.status == TableStatus::Deleting {
            return self.until_gone(step).await;
        }
        let delete = step.aws.dynamodb.delete_table().table_name(&self.name);
        let delete = || step.call("dynamodb:DeleteTable", delete.clone().send());
        if absent(step.retry(&[&TABLE_BUSY], delete).await, NO_SUCH)?.is_some() {
            self.until_gone(step).await?;
        }
        Ok(())
    }
}

impl Table {
    /// Counts by reading, consistently: `DescribeTable`'s own count is six hours old. Reads at most a few MB.
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
            let Some(page) = absent(step.retry(&[], scan).await, NO_SUCH)? else { break };
            counted += u64::try_from(page.count).unwrap_or_default();
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(ItemCount { counted, and_more: start.is_some() })
    }

    /// What a table that we have just created looks like.
    fn fresh(&self) -> Observed {
        Observed {
            status: TableStatus::Active,
            keys: self.keys(),
            capacity: self.capacity(),
            ttl: None,
            point_in_time_recovery: false,
            deletion_protection: self.declared.deletion_protection.unwrap_or_default(),
            tags: self.scope.tags(),
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

    /// What capacity should be, given what it is: auto scaling moves it, and that is no difference.
    fn capacity_beside(&self, seen: Capacity) -> Capacity {
        let wanted = self.capacity();
        let (Billing::Provisioned(declared), Capacity::Provisioned { read, write }) =
            (&self.declared.billing, seen)
        else {
            return wanted;
        };
        let scaled = declared.max.is_some_and(|most| {
            (declared.read..=most).contains(&read) && (declared.write..=most).contains(&write)
        });
        if scaled { seen } else { wanted }
    }

    async fn create(&self, step: &Step<'_>) -> Result<()> {
        let mut create = step
            .aws
            .dynamodb
            .create_table()
            .table_name(&self.name)
            .set_deletion_protection_enabled(self.declared.deletion_protection)
            .set_tags(Some(sdk_tags(&self.scope.tags())?));
        for (key, role) in self.declared_keys().zip([SchemaKeyType::Hash, SchemaKeyType::Range]) {
            create = create
                .key_schema(built(KeySchemaElement::builder().attribute_name(&key.name).key_type(role).build())?)
                .attribute_definitions(built(
                    AttributeDefinition::builder()
                        .attribute_name(&key.name)
                        .attribute_type(scalar(key.r#type))
                        .build(),
                )?);
        }
        create = match self.capacity() {
            Capacity::OnDemand => create.billing_mode(BillingMode::PayPerRequest),
            Capacity::Provisioned { read, write } => create
                .billing_mode(BillingMode::Provisioned)
                .provisioned_throughput(throughput(read, write)?),
        };
        step.retry(&[&TABLE_BUSY], || step.call("dynamodb:CreateTable", create.clone().send())).await?;
        Ok(())
    }

    /// One change at a time, each only when it is one: `DynamoDB` refuses to set what is already set, and takes
    /// nothing new before the last is done.
    async fn update(&self, step: &Step<'_>, seen: &Observed) -> Result<()> {
        let dynamodb = &step.aws.dynamodb;
        let declared = &self.declared;
        if tags_differ(&diff_tags(&self.scope.tags(), &seen.tags)) {
            let tag = dynamodb.tag_resource().resource_arn(self.arn());
            let tag = tag.set_tags(Some(sdk_tags(&self.scope.tags())?));
            step.retry(&[&TABLE_BUSY], || step.call("dynamodb:TagResource", tag.clone().send())).await?;
        }
        if seen.capacity != self.capacity_beside(seen.capacity) {
            let update = dynamodb.update_table().table_name(&self.name);
            let update = match (self.capacity(), seen.capacity) {
                (Capacity::OnDemand, _) => update.billing_mode(BillingMode::PayPerRequest),
                (Capacity::Provisioned { read, write }, Capacity::OnDemand) => update
                    .billing_mode(BillingMode::Provisioned)
                    .provisioned_throughput(throughput(read, write)?),
                (Capacity::Provisioned { read, write }, Capacity::Provisioned { .. }) => {
                    update.provisioned_throughput(throughput(read, write)?)
                }
            };
            self.update_table(step, update).await?;
        }
        if let Some(wanted) = declared.deletion_protection.filter(|wanted| *wanted != seen.deletion_protection) {
            let update = dynamodb.update_table().table_name(&self.name).deletion_protection_enabled(wanted);
            self.update_table(step, update).await?;
        }
        if seen.ttl != declared.ttl {
            self.update_ttl(step, seen.ttl.as_deref()).await?;
        }
        if seen.point_in_time_recovery != declared.point_in_time_recovery {
            let recovery = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(declared.point_in_time_recovery);
            let update = dynamodb
                .update_continuous_backups()
                .table_name(&self.name)
                .point_in_time_recovery_specification(built(recovery.build())?);
            let update = || step.call("dynamodb:UpdateContinuousBackups", update.clone().send());
            step.retry(&[&TABLE_BUSY], update).await?;
        }
        Ok(())
    }

    async fn update_table(
        &self,
        step: &Step<'_>,
        update: aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder,
    ) -> Result<()> {
        step.retry(&[&TABLE_BUSY], || step.call("dynamodb:UpdateTable", update.clone().send())).await?;
        self.until_active(step).await
    }

    fn diff_ttl(&self, seen: &Observed) -> Option<Change> {
        match (&seen.ttl, &self.declared.ttl) {
            (Some(old), Some(new)) if old != new => Some(Change::Refused {
                field: "ttl".to_owned(),
                from: old.as_str().into(),
                to: new.as_str().into(),
                why: "DynamoDB takes another attribute only an hour after the old one is off; remove ttl from the \
                      manifest, run up, and declare the new one later"
                    .to_owned(),
            }),
            (old, new) => Change::update("ttl", old.clone(), new.clone()),
        }
    }

    async fn update_ttl(&self, step: &Step<'_>, seen: Option<&str>) -> Result<()> {
        let wanted = self.declared.ttl.as_deref();
        let Some(attribute) = wanted.or(seen) else { return Ok(()) };
        let ttl = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(wanted.is_some()).build();
        let update = step.aws.dynamodb.update_time_to_live().table_name(&self.name);
        let update = update.time_to_live_specification(built(ttl)?);
        let update = || step.call("dynamodb:UpdateTimeToLive", update.clone().send());
        let updated = step.retry(&[&TABLE_BUSY], update).await;
        updated.map_err(|error| match error.aws() {
            Some(aws) if aws.message.contains("modified multiple times") => {
                error.hint("DynamoDB takes one change of ttl an hour: run up again then.")
            }
            _ => error,
        })?;
        Ok(())
    }

    async fn describe(&self, step: &Step<'_>) -> Result<Option<TableDescription>> {
        let describe = step.aws.dynamodb.describe_table().table_name(&self.name);
        let describe = || step.call("dynamodb:DescribeTable", describe.clone().send());
        Ok(absent(step.retry(&[], describe).await, NO_SUCH)?.and_then(|output| output.table))
    }

    async fn tags(&self, step: &Step<'_>) -> Result<Tags> {
        let mut all = Tags::new();
        let mut token = None;
        loop {
            let list = step.aws.dynamodb.list_tags_of_resource().resource_arn(self.arn()).set_next_token(token);
            let list = || step.call("dynamodb:ListTagsOfResource", list.clone().send());
            let Some(page) = absent(step.retry(&[], list).await, NO_SUCH)? else { return Ok(all) };
            all.extend(page.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())));
            token = page.next_token;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// A new table's tags come a few seconds after it, and a table without ours would be taken for somebody else's.
    async fn settled_tags(&self, step: &Step<'_>, table: &TableDescription, tags: Tags) -> Result<Tags> {
        let age = table
            .creation_date_time()
            .and_then(|created| SystemTime::try_from(*created).ok())
            .and_then(|created| SystemTime::now().duration_since(created).ok());
        let going = table.table_status() == Some(&TableStatus::Deleting);
        if !tags.is_empty() || going || age.is_some_and(|age| age > YOUNG) {
            return Ok(tags);
        }
        let look = async || Ok(Some(self.tags(step).await?).filter(|tags| !tags.is_empty()));
        match step.until(&TABLE_TAGS, look).await {
            // Nothing came: it has none.
            Err(error) if error.aws().is_none() && !step.stop.is_set() => Ok(tags),
            found => found,
        }
    }

    async fn until_active(&self, step: &Step<'_>) -> Result<()> {
        step.until(&TABLE_ACTIVE, async || {
            // A table that was just created may not be known yet.
            let Some(table) = self.describe(step).await? else { return Ok(None) };
            match table.table_status() {
                Some(TableStatus::Active) | None => Ok(Some(())),
                Some(TableStatus::Creating | TableStatus::Updating) => Ok(None),
                Some(other) => Err(Error::new(format!("the table {} is {}", self.name, other.as_str()))
                    .hint("Look at the table in the AWS console: nothing here can change that state.")),
            }
        })
        .await
    }

    async fn until_gone(&self, step: &Step<'_>) -> Result<()> {
        step.until(&TABLE_GONE, async || Ok(self.describe(step).await?.is_none().then_some(()))).await
    }

    fn arn(&self) -> String {
        self.scope.table_arn(&self.name)
    }
}

fn keys_of(table: &TableDescription) -> Vec<String> {
    let type_of = |name: &str| {
        let mut definitions = table.attribute_definitions().iter();
        definitions.find(|d| d.attribute_name() == name).map(|d| d.attribute_type().clone())
    };
    let mut schema: Vec<&KeySchemaElement> = table.key_schema().iter().collect();
    schema.sort_by_key(|key| *key.key_type() != SchemaKeyType::Hash);
    schema
        .into_iter()
        .map(|key| {
            let scalar = type_of(key.attribute_name()).unwrap_or(ScalarAttributeType::S);
            shown_key(key.attribute_name(), &scalar)
        })
        .collect()
}

/// No billing summary means provisioned: `DynamoDB` leaves it out for tables that were never on demand.
fn capacity_of(table: &TableDescription) -> Capacity {
    match table.billing_mode_summary().and_then(|summary| summary.billing_mode()) {
        Some(BillingMode::PayPerRequest) => Capacity::OnDemand,
        _ => {
            let units = table.provisioned_throughput();
            Capacity::Provisioned {
                read: units.and_then(|u| u.read_capacity_units()).unwrap_or_default(),
                write: units.and_then(|u| u.write_capacity_units()).unwrap_or_default(),
            }
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

fn throughput(read: i64, write: i64) -> Result<ProvisionedThroughput> {
    built(ProvisionedThroughput::builder().read_capacity_units(read).write_capacity_units(write).build())
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// The SDK's builders fail on a missing field only, which would be a mistake here.
fn built<T>(result: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T> {
    result.map_err(|e| Error::new(format!("cannot write the request: {e}")))
}

#[cfg(test)]
mod tests;
