//! Reads a table from DynamoDB, and waits for its states.

use super::{Capacity, ExistingTable, NO_SUCH, shown_key};
use crate::engine::{Step, absent, pages};
use crate::error::{Error, Hint, Result, Verb};
use crate::names::Tags;
use crate::resources::dynamodb::waits::{TABLE_ACTIVE, TABLE_GONE, TABLE_NOT_YET_VISIBLE, TABLE_TAGS};
use crate::time::Passing;
use aws_sdk_dynamodb::types::{
    BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription, TableStatus,
};
use std::time::{Duration, SystemTime};

/// The age up to which a table's tags may not be visible yet.
const YOUNG: Duration = Duration::from_secs(60);

impl ExistingTable {
    pub(super) async fn describe(
        &self,
        step: &Step<'_>,
        passing: &[&'static Passing],
    ) -> Result<Option<TableDescription>> {
        let describe = step.aws.dynamodb.describe_table().table_name(&self.name);
        let describe = || step.call("dynamodb:DescribeTable", describe.clone().send());
        let Some(found) = absent(step.retry(passing, describe).await, NO_SUCH)? else { return Ok(None) };
        // An answer without the table does not mean that the table is absent.
        let unsaid = || Error::new(format!("DynamoDB answered without the table {}", self.name));
        found.table.ok_or_else(unsaid).map(Some)
    }

    pub(super) async fn tags(&self, step: &Step<'_>) -> Result<Tags> {
        let all = pages(async |token| {
            let list = step.aws.dynamodb.list_tags_of_resource().resource_arn(self.arn());
            let list = list.set_next_token(token);
            let list = || step.call("dynamodb:ListTagsOfResource", list.clone().send());
            let page = step.retry(&[], list).await?;
            let tags = page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
            Ok((tags.collect(), page.next_token))
        });
        Ok(absent(all.await, NO_SUCH)?.unwrap_or_default().into_iter().collect())
    }

    /// Reads the tags until they are settled. Tags of a new table become visible some seconds later, and a table
    /// without ours would count as somebody else's.
    pub(super) async fn settled_tags(
        &self,
        step: &Step<'_>,
        table: &TableDescription,
        tags: Tags,
    ) -> Result<Tags> {
        let age = table
            .creation_date_time()
            .and_then(|created| SystemTime::try_from(*created).ok())
            .and_then(|created| SystemTime::now().duration_since(created).ok());
        if !tags.is_empty() || age.is_some_and(|age| age > YOUNG) {
            return Ok(tags);
        }
        let look = async || Ok(Some(self.tags(step).await?).filter(|tags| !tags.is_empty()));
        match step.until(&TABLE_TAGS, look).await {
            // It has no tags.
            Err(error) if error.aws().is_none() && !step.stop.is_set() => Ok(tags),
            found => found,
        }
    }

    /// Waits until the table is active. A single read that does not find it proves nothing, even after others that
    /// did.
    pub(super) async fn until_active(&self, step: &Step<'_>) -> Result<()> {
        step.until(&TABLE_ACTIVE, async || {
            let found = self.describe(step, &[&TABLE_NOT_YET_VISIBLE]).await?;
            let table = found.ok_or_else(|| self.vanished())?;
            match table.table_status() {
                Some(TableStatus::Active) | None => Ok(Some(())),
                Some(TableStatus::Creating | TableStatus::Updating) => Ok(None),
                Some(TableStatus::Deleting) => Err(self.vanished()),
                Some(other) => Err(Error::new(format!("the table {} is {}", self.name, other.as_str()))
                    .hint(
                        Hint::from("Waiting does not change that: ")
                            .command(Verb::Plan)
                            .text(" says what it means."),
                    )),
            }
        })
        .await
    }

    /// Waits until the table is gone. One that somebody has created again meanwhile counts as gone.
    pub(super) async fn until_gone(&self, step: &Step<'_>, mut id: Option<String>) -> Result<()> {
        step.until(&TABLE_GONE, async || {
            let Some(table) = self.describe(step, &[]).await? else {
                return Ok(Some(()));
            };
            if table.table_status() == Some(&TableStatus::Deleting) {
                id = table.table_id;
                return Ok(None);
            }
            // Right after the call, DynamoDB may still show the table as it was.
            Ok((id.is_some() && table.table_id != id).then_some(()))
        })
        .await
    }
}

pub(super) fn keys_of(table: &TableDescription) -> Vec<String> {
    let type_of = |name: &str| {
        let mut definitions = table.attribute_definitions().iter();
        definitions.find(|d| d.attribute_name() == name).map(|d| d.attribute_type().clone())
    };
    let mut schema: Vec<&KeySchemaElement> = table.key_schema().iter().collect();
    schema.sort_by_key(|key| *key.key_type() != KeyType::Hash);
    schema
        .into_iter()
        .map(|key| {
            let scalar = type_of(key.attribute_name()).unwrap_or(ScalarAttributeType::S);
            shown_key(key.attribute_name(), &scalar)
        })
        .collect()
}

/// Returns the other regions that the table is replicated to.
pub(super) fn replicas_of(table: &TableDescription, region: &str) -> Vec<String> {
    let regions = table.replicas().iter().filter_map(|replica| replica.region_name());
    regions.filter(|other| *other != region).map(str::to_owned).collect()
}

/// Whether auto scaling may ever have been registered for the table: it is provisioned, or once was. `DynamoDB`
/// returns when a table was last switched to on-demand billing; for a table created on demand, that is its creation
/// date.
pub(in crate::resources) fn was_ever_provisioned(table: &TableDescription) -> bool {
    /// The most that the two times of one creation differ, in seconds.
    const APART: f64 = 10.0;
    if capacity_of(table) != Capacity::OnDemand {
        return true;
    }
    let switched = table.billing_mode_summary().and_then(|s| s.last_update_to_pay_per_request_date_time());
    switched
        .zip(table.creation_date_time())
        .is_some_and(|(switched, created)| switched.as_secs_f64() - created.as_secs_f64() > APART)
}

/// `DynamoDB` leaves the billing summary out for tables that were never on demand.
pub(super) fn capacity_of(table: &TableDescription) -> Capacity {
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
