//! The log group of a function. Lambda would create one that keeps its logs for ever, so it is created here first.

mod diff;

pub(crate) use diff::LogGroupDiff;

use crate::engine::{Applied, Declared, Existing, Id, Kind, Step, absent, pages};
use crate::error::Result;
use crate::names::{Owner, STACK_TAG, Scope, Tags};
use crate::resources::logs::waits::{LOG_GROUP_BUSY, LOG_GROUP_NOT_YET_VISIBLE};
use aws_sdk_cloudwatchlogs::types::LogGroup as SdkLogGroup;

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// A log group under its name, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingLogGroup {
    pub(crate) name: String,
    /// Whether a group of this name without tags counts as ours. A late log line creates a deleted group again,
    /// without tags. But such a group may also belong to a function of somebody else.
    pub(crate) claims_unowned: bool,
    pub(crate) scope: Scope,
}

/// A log group as declared.
#[derive(Clone, Debug)]
pub(crate) struct LogGroup {
    pub(crate) existing: ExistingLogGroup,
    pub(crate) retention_days: i32,
}

/// A log group as `CloudWatch` Logs has it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// `None` keeps logs for ever.
    pub(crate) retention_days: Option<i32>,
    pub(crate) deletion_protection: bool,
    pub(crate) tags: Tags,
}

impl Existing for ExistingLogGroup {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::LogGroup, &self.name)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        let arn = self.arn();
        let list_tags = step.aws.logs.list_tags_for_resource().resource_arn(&arn);
        let tags = || step.call("logs:ListTagsForResource", list_tags.clone().send());
        let (group, tags) = tokio::join!(self.find(step), step.retry(&[], tags));
        let Some(group) = group? else {
            return Ok(None);
        };
        let tags = absent(tags, NO_SUCH)?.and_then(|output| output.tags).unwrap_or_default();
        Ok(Some(Observed {
            retention_days: group.retention_in_days,
            deletion_protection: group.deletion_protection_enabled.unwrap_or_default(),
            tags: tags.into_iter().collect(),
        }))
    }

    fn owner(&self, seen: &Observed) -> Owner {
        if self.claims_unowned && !seen.tags.contains_key(STACK_TAG) {
            return Owner::Ours;
        }
        self.scope.owner(&seen.tags)
    }

    fn state(&self, seen: &Observed) -> String {
        match seen.retention_days {
            Some(days) => format!("kept {days} days"),
            None => "kept for ever".to_owned(),
        }
    }

    fn blockers(&self, seen: &Observed) -> Vec<String> {
        if seen.deletion_protection {
            vec!["is protected against deletion; switch that off first, if you mean it".to_owned()]
        } else {
            Vec::new()
        }
    }

    async fn delete(&self, step: &Step<'_>, _seen: Observed) -> Result<()> {
        let delete = step.aws.logs.delete_log_group().log_group_name(&self.name);
        let delete = || step.call("logs:DeleteLogGroup", delete.clone().send());
        absent(step.retry(&[&LOG_GROUP_BUSY], delete).await, NO_SUCH)?;
        Ok(())
    }
}

impl Declared for LogGroup {
    type Existing = ExistingLogGroup;
    type Needs = ();
    type Diff = LogGroupDiff;
    type Output = ();

    fn existing(&self) -> &ExistingLogGroup {
        &self.existing
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> LogGroupDiff {
        LogGroupDiff::between(seen, self)
    }

    fn output(&self, _seen: &Observed) {}

    async fn apply(
        &self,
        step: &Step<'_>,
        (): (),
        _seen: Option<Observed>,
        diff: LogGroupDiff,
    ) -> Result<Applied<(), Observed>> {
        match diff {
            LogGroupDiff::Create => {
                self.create(step).await?;
                self.put_retention(step).await?;
            }
            LogGroupDiff::Update(update) => {
                if !update.tags.is_empty() {
                    self.tag(step).await?;
                }
                if update.retention.is_some() {
                    self.put_retention(step).await?;
                }
            }
        }
        Ok(Applied::Done(()))
    }
}

impl ExistingLogGroup {
    fn arn(&self) -> String {
        self.scope.log_group_arn(&self.name)
    }

    /// `DescribeLogGroups` searches by prefix, so only the exact name counts.
    async fn find(&self, step: &Step<'_>) -> Result<Option<SdkLogGroup>> {
        let named = pages(async |token| {
            let list = step.aws.logs.describe_log_groups().log_group_name_prefix(&self.name);
            let list = list.set_next_token(token);
            let page = step.retry(&[], || step.call("logs:DescribeLogGroups", list.clone().send())).await?;
            Ok((page.log_groups.unwrap_or_default(), page.next_token))
        });
        Ok(named.await?.into_iter().find(|group| group.log_group_name() == Some(&self.name)))
    }
}

impl LogGroup {
    async fn create(&self, step: &Step<'_>) -> Result<()> {
        let create = step.aws.logs.create_log_group().log_group_name(&self.existing.name);
        let create = create.set_tags(Some(self.existing.scope.tags().into_iter().collect()));
        let create = || step.call("logs:CreateLogGroup", create.clone().send());
        step.retry(&[&LOG_GROUP_BUSY], create).await?;
        Ok(())
    }

    async fn tag(&self, step: &Step<'_>) -> Result<()> {
        let tag = step.aws.logs.tag_resource().resource_arn(self.existing.arn());
        let tag = tag.set_tags(Some(self.existing.scope.tags().into_iter().collect()));
        let tag = || step.call("logs:TagResource", tag.clone().send());
        step.retry(&[&LOG_GROUP_BUSY, &LOG_GROUP_NOT_YET_VISIBLE], tag).await?;
        Ok(())
    }

    async fn put_retention(&self, step: &Step<'_>) -> Result<()> {
        let put = step.aws.logs.put_retention_policy().log_group_name(&self.existing.name);
        let put = put.retention_in_days(self.retention_days);
        let put = || step.call("logs:PutRetentionPolicy", put.clone().send());
        step.retry(&[&LOG_GROUP_BUSY, &LOG_GROUP_NOT_YET_VISIBLE], put).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
