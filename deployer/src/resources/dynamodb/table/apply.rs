//! The calls that make and change a table.

use super::diff::TableUpdate;
use super::{Capacity, Table, scalar};
use crate::engine::{Difference, Step};
use crate::error::{Error, Hint, Result, Verb};
use crate::names::Tags;
use crate::resources::dynamodb::waits::{TABLE_BUSY, TABLE_NOT_YET_VISIBLE};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType as SchemaKeyType,
    PointInTimeRecoverySpecification, ProvisionedThroughput, Tag, TimeToLiveSpecification,
};

impl Table {
    pub(super) async fn create(&self, step: &Step<'_>) -> Result<()> {
        let mut create = step
            .aws
            .dynamodb
            .create_table()
            .table_name(&self.existing.name)
            .set_deletion_protection_enabled(self.declared.deletion_protection)
            .set_tags(Some(sdk_tags(&self.existing.scope.tags())?));
        for (key, role) in self.declared_keys().zip([SchemaKeyType::Hash, SchemaKeyType::Range]) {
            create = create
                .key_schema(built(
                    KeySchemaElement::builder().attribute_name(&key.name).key_type(role).build(),
                )?)
                .attribute_definitions(built(
                    AttributeDefinition::builder()
                        .attribute_name(&key.name)
                        .attribute_type(scalar(key.r#type))
                        .build(),
                )?);
        }
        create = match self.capacity() {
            Capacity::OnDemand => create.billing_mode(BillingMode::PayPerRequest),
            Capacity::Provisioned { read, write } => {
                create.billing_mode(BillingMode::Provisioned).provisioned_throughput(throughput(read, write)?)
            }
        };
        step.retry(&[&TABLE_BUSY], || step.call("dynamodb:CreateTable", create.clone().send())).await?;
        Ok(())
    }

    /// One change at a time, each only when it is one: `DynamoDB` refuses to set what is already set, and takes
    /// nothing new before the last is done.
    pub(super) async fn update(&self, step: &Step<'_>, update: TableUpdate) -> Result<()> {
        let dynamodb = &step.aws.dynamodb;
        if !update.tags.is_empty() {
            let tag = dynamodb.tag_resource().resource_arn(self.existing.arn());
            let tag = tag.set_tags(Some(sdk_tags(&self.existing.scope.tags())?));
            step.retry(&[&TABLE_BUSY], || step.call("dynamodb:TagResource", tag.clone().send())).await?;
        }
        if let Some(capacity) = update.capacity {
            self.update_capacity(step, capacity).await?;
        }
        if let Some(protection) = update.deletion_protection {
            let update = dynamodb.update_table().table_name(&self.existing.name);
            let update = update.deletion_protection_enabled(protection.declared);
            self.update_table(step, update).await?;
        }
        if let Some(ttl) = update.ttl {
            self.update_ttl(step, ttl).await?;
        }
        if let Some(recovery) = update.point_in_time_recovery {
            let recovery =
                PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(recovery.declared);
            let update = dynamodb
                .update_continuous_backups()
                .table_name(&self.existing.name)
                .point_in_time_recovery_specification(built(recovery.build())?);
            let update = || step.call("dynamodb:UpdateContinuousBackups", update.clone().send());
            step.retry(&[&TABLE_BUSY, &TABLE_NOT_YET_VISIBLE], update).await?;
        }
        Ok(())
    }

    async fn update_capacity(&self, step: &Step<'_>, capacity: Difference<Capacity>) -> Result<()> {
        let update = step.aws.dynamodb.update_table().table_name(&self.existing.name);
        let update = match (capacity.declared, capacity.observed) {
            (Capacity::OnDemand, _) => update.billing_mode(BillingMode::PayPerRequest),
            (Capacity::Provisioned { read, write }, Capacity::OnDemand) => {
                update.billing_mode(BillingMode::Provisioned).provisioned_throughput(throughput(read, write)?)
            }
            (Capacity::Provisioned { read, write }, Capacity::Provisioned { .. }) => {
                update.provisioned_throughput(throughput(read, write)?)
            }
        };
        self.update_table(step, update).await
    }

    async fn update_table(
        &self,
        step: &Step<'_>,
        update: aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder,
    ) -> Result<()> {
        step.retry(&[&TABLE_BUSY], || step.call("dynamodb:UpdateTable", update.clone().send())).await?;
        self.existing.until_active(step).await
    }

    /// Switches it on for the declared attribute, or off for the one that it is on for.
    async fn update_ttl(&self, step: &Step<'_>, ttl: Difference<Option<String>>) -> Result<()> {
        let is_on = ttl.declared.is_some();
        let ttl = TimeToLiveSpecification::builder()
            .set_attribute_name(ttl.declared.or(ttl.observed))
            .enabled(is_on)
            .build();
        let update = step.aws.dynamodb.update_time_to_live().table_name(&self.existing.name);
        let update = update.time_to_live_specification(built(ttl)?);
        let update = || step.call("dynamodb:UpdateTimeToLive", update.clone().send());
        let updated = step.retry(&[&TABLE_BUSY, &TABLE_NOT_YET_VISIBLE], update).await;
        updated.map_err(|error| match error.aws() {
            Some(aws) if aws.message.contains("modified multiple times") => error.hint(
                Hint::from("DynamoDB takes one change of ttl an hour: run ")
                    .command(Verb::Up)
                    .text(" again then."),
            ),
            _ => error,
        })?;
        Ok(())
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
