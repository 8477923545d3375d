//! Auto scaling of a provisioned table: AWS keeps the capacity between the declared minimum and maximum so that 70 %
//! of it is used.

mod diff;

pub(crate) use diff::ScalingDiff;

use crate::engine::{Applied, Declared, Existing, Id, Kind, Step, absent};
use crate::error::{Error, Result};
use crate::manifest::Billing;
use crate::names::Owner;
use crate::resources::dynamodb::table::observe::was_ever_provisioned;
use crate::resources::dynamodb::waits::{SCALING_BUSY, SCALING_NOT_YET_READY};
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalingPolicy,
    ServiceNamespace, SuspendedState, TargetTrackingScalingPolicyConfiguration,
};
use diff::DimensionDiff;

/// The target utilisation in percent: the console's default.
const UTILISATION: f64 = 70.0;

const NO_SUCH: &[&str] = &["ObjectNotFoundException"];

/// The HTTP status of an endpoint without Application Auto Scaling, as emulators answer.
const NOT_IMPLEMENTED: u16 = 501;

/// The scaling of one table, whether or not it is declared.
#[derive(Clone, Debug)]
pub(crate) struct ExistingScaling {
    pub(crate) table: String,
    pub(crate) expected: Expected,
}

/// What the manifest says about a table's scaling. It decides which calls `observe` makes, not what is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The table scales.
    Scaling,
    /// The table has a fixed capacity.
    FixedCapacity,
    /// The table is paid per request, or nothing is known about it.
    OnDemand,
}

/// The scaling of one table, as declared.
#[derive(Clone, Debug)]
pub(crate) struct Scaling {
    pub(crate) existing: ExistingScaling,
    /// `None` for a fixed capacity. Scaling that was declared before is then removed.
    pub(crate) limits: Option<Limits>,
}

/// Capacity units a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) read: i32,
    pub(crate) write: i32,
    pub(crate) most: i32,
}

/// The scaling of one table as AWS has it: first reads, then writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    dimensions: [Option<Dimension>; 2],
    /// The names of the target-tracking policies. AWS takes one for each dimension, so a policy of somebody else,
    /// which an adopted table may have, is changed under its own name.
    policies: [Option<String>; 2],
    /// The names of policies by another metric. They may exist beside ours, and AWS uses the higher capacity of both.
    others: [Vec<String>; 2],
}

/// The limits of one dimension, and the utilisation in percent that a policy keeps, if there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Dimension {
    least: i32,
    most: i32,
    utilisation: Option<f64>,
    /// Whether somebody has suspended the scaling.
    suspended: bool,
}

impl Dimension {
    /// Describes it in words, with the policies of others that scale by another metric.
    fn shown(self, others: &[String]) -> String {
        let mut shown = format!("{} to {}", self.least, self.most);
        match self.utilisation {
            None if others.is_empty() => shown.push_str(", without a policy"),
            None => shown.push_str(", without a policy on its utilisation"),
            Some(percent) => shown.push_str(&format!(", at {percent} %")),
        }
        if !others.is_empty() {
            let policies = if others.len() == 1 { "policy" } else { "policies" };
            shown.push_str(&format!(", by the {policies} {} on another metric", others.join(", ")));
        }
        if self.suspended {
            shown.push_str(", suspended");
        }
        shown
    }
}

impl Existing for ExistingScaling {
    type Observed = Observed;

    fn id(&self) -> Id {
        Id::new(Kind::Scaling, &self.table)
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<Observed>> {
        if !self.may_scale(step).await? {
            return Ok(None);
        }
        let scales = self.expected == Expected::Scaling;
        let client = &step.aws.autoscaling;
        let targets = client.describe_scalable_targets().service_namespace(ServiceNamespace::Dynamodb);
        let targets = targets.resource_ids(self.resource());
        let policies = client.describe_scaling_policies().service_namespace(ServiceNamespace::Dynamodb);
        let policies = policies.resource_id(self.resource());
        let targets = || step.call("application-autoscaling:DescribeScalableTargets", targets.clone().send());
        let policies =
            || step.call("application-autoscaling:DescribeScalingPolicies", policies.clone().send());
        // A table has two targets and two policies, so one page is enough. Where nothing is to scale, the targets
        // suffice.
        let (targets, policies) = tokio::join!(step.retry(&[], targets), async {
            if scales { step.retry(&[&SCALING_NOT_YET_READY], policies).await.map(Some) } else { Ok(None) }
        });
        let targets = match targets {
            Err(error) if !scales && is_not_implemented(&error) => return Ok(None),
            targets => targets?,
        };
        let policies = policies?;
        let policies = policies.as_ref().map(|page| page.scaling_policies()).unwrap_or_default();
        let mut seen = Observed::default();
        for (i, (dimension, metric)) in dimensions().into_iter().enumerate() {
            let target = targets.scalable_targets().iter().find(|t| *t.scalable_dimension() == dimension);
            let policy = policies.iter().find(|policy| follows(policy, &dimension, &metric));
            let tracking = policy.and_then(|p| p.target_tracking_scaling_policy_configuration());
            // Policies are not read where nothing is to scale.
            let not_asked = (!scales).then_some(UTILISATION);
            seen.policies[i] = policy.map(|policy| policy.policy_name.clone());
            let beside = policies.iter().filter(|p| *p.scalable_dimension() == dimension);
            let others = beside.filter(|policy| !follows(policy, &dimension, &metric));
            seen.others[i] = others.map(|policy| policy.policy_name.clone()).collect();
            seen.dimensions[i] = target.map(|target| Dimension {
                least: target.min_capacity(),
                most: target.max_capacity(),
                utilisation: tracking.map(|tracking| tracking.target_value()).or(not_asked),
                suspended: target.suspended_state().is_some_and(is_any_suspended),
            });
        }
        Ok(seen.dimensions.iter().any(Option::is_some).then_some(seen))
    }

    /// Scaling belongs to its table.
    fn owner(&self, _seen: &Observed) -> Owner {
        Owner::Ours
    }

    fn state(&self, seen: &Observed) -> String {
        let shown = |i: usize| {
            seen.dimensions[i].map_or_else(|| "fixed".to_owned(), |found| found.shown(&seen.others[i]))
        };
        format!("read {}, write {}", shown(0), shown(1))
    }

    /// A deleted table leaves its targets behind, and a new table of the same name would scale by them.
    async fn delete(&self, step: &Step<'_>, seen: Observed) -> Result<()> {
        for ((dimension, _), seen) in dimensions().into_iter().zip(seen.dimensions) {
            if seen.is_some() {
                self.deregister(step, dimension).await?;
            }
        }
        Ok(())
    }
}

impl Declared for Scaling {
    type Existing = ExistingScaling;
    type Needs = ();
    type Diff = ScalingDiff;
    type Output = ();

    fn existing(&self) -> &ExistingScaling {
        &self.existing
    }

    fn diff(&self, _needs: Option<&()>, seen: Option<&Observed>) -> ScalingDiff {
        ScalingDiff::between(seen, self)
    }

    fn output(&self, _seen: &Observed) {}

    async fn apply(
        &self,
        step: &Step<'_>,
        (): (),
        _seen: Option<Observed>,
        diff: ScalingDiff,
    ) -> Result<Applied<(), Observed>> {
        for ((dimension, metric), difference) in dimensions().into_iter().zip(diff.dimensions) {
            let Some(DimensionDiff { observed, declared, policy, .. }) = difference else { continue };
            let Some(declared) = declared else {
                self.existing.deregister(step, dimension).await?;
                continue;
            };
            let target = |it: Dimension| (it.least, it.most, it.suspended);
            if observed.map(target) != Some(target(declared)) {
                self.register(step, dimension.clone(), declared).await?;
            }
            if observed.is_none_or(|observed| observed.utilisation != declared.utilisation) {
                self.put_policy(step, dimension, metric, policy).await?;
            }
        }
        Ok(Applied::Done(()))
    }
}

impl ExistingScaling {
    /// Whether there may be any scaling. A table that declares none is read first: most were never provisioned. Auto
    /// scaling is then not asked, so that it needs no permission and may be missing in an emulator.
    async fn may_scale(&self, step: &Step<'_>) -> Result<bool> {
        if self.expected == Expected::Scaling {
            return Ok(true);
        }
        let describe = step.aws.dynamodb.describe_table().table_name(&self.table);
        let describe = || step.call("dynamodb:DescribeTable", describe.clone().send());
        let found = absent(step.retry(&[], describe).await, &["ResourceNotFoundException"])?;
        Ok(match found.and_then(|output| output.table) {
            Some(table) => was_ever_provisioned(&table),
            // A deleted table may have left targets behind, and a new provisioned table of the same name would scale
            // by them.
            None => self.expected == Expected::FixedCapacity,
        })
    }

    fn resource(&self) -> String {
        format!("table/{}", self.table)
    }

    /// AWS deletes the policies with the target.
    async fn deregister(&self, step: &Step<'_>, dimension: ScalableDimension) -> Result<()> {
        let deregister = step
            .aws
            .autoscaling
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id(self.resource())
            .scalable_dimension(dimension);
        let deregister =
            || step.call("application-autoscaling:DeregisterScalableTarget", deregister.clone().send());
        absent(step.retry(&[&SCALING_BUSY], deregister).await, NO_SUCH)?;
        Ok(())
    }
}

impl Scaling {
    /// Every table gets one, even when it is paid per request: what was declared before may still scale, and its
    /// alarms cost money.
    pub(crate) fn of(table: String, billing: &Billing) -> Self {
        let units = |units: i64| i32::try_from(units).unwrap_or(i32::MAX);
        let limits = match billing {
            Billing::OnDemand => None,
            Billing::Provisioned(capacity) => capacity.max.map(|most| Limits {
                read: units(capacity.read),
                write: units(capacity.write),
                most: units(most),
            }),
        };
        let expected = match (billing, limits) {
            (Billing::OnDemand, _) => Expected::OnDemand,
            (Billing::Provisioned(_), None) => Expected::FixedCapacity,
            (Billing::Provisioned(_), Some(_)) => Expected::Scaling,
        };
        Self { existing: ExistingScaling { table, expected }, limits }
    }

    fn wanted(&self) -> [Option<Dimension>; 2] {
        let Some(limits) = self.limits else { return [None; 2] };
        [limits.read, limits.write].map(|least| {
            Some(Dimension { least, most: limits.most, utilisation: Some(UTILISATION), suspended: false })
        })
    }

    async fn register(&self, step: &Step<'_>, dimension: ScalableDimension, wanted: Dimension) -> Result<()> {
        let register = step
            .aws
            .autoscaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id(self.existing.resource())
            .scalable_dimension(dimension)
            .min_capacity(wanted.least)
            .max_capacity(wanted.most)
            .suspended_state(
                SuspendedState::builder()
                    .dynamic_scaling_in_suspended(wanted.suspended)
                    .dynamic_scaling_out_suspended(wanted.suspended)
                    .build(),
            );
        let register =
            || step.call("application-autoscaling:RegisterScalableTarget", register.clone().send());
        step.retry(&[&SCALING_BUSY, &SCALING_NOT_YET_READY], register).await?;
        Ok(())
    }

    async fn put_policy(
        &self,
        step: &Step<'_>,
        dimension: ScalableDimension,
        metric: MetricType,
        standing: Option<String>,
    ) -> Result<()> {
        let ours = || format!("deployer-{}", dimension.as_str().replace(':', "-"));
        let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric).build();
        let metric = metric.map_err(|e| Error::new(format!("cannot write the request: {e}")))?;
        let configuration = TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(UTILISATION)
            .predefined_metric_specification(metric)
            .build()
            .map_err(|e| Error::new(format!("cannot write the request: {e}")))?;
        let put = step
            .aws
            .autoscaling
            .put_scaling_policy()
            .policy_name(standing.unwrap_or_else(ours))
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id(self.existing.resource())
            .scalable_dimension(dimension)
            .policy_type(PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(configuration);
        let put = || step.call("application-autoscaling:PutScalingPolicy", put.clone().send());
        step.retry(&[&SCALING_BUSY, &SCALING_NOT_YET_READY], put).await?;
        Ok(())
    }
}

fn is_not_implemented(error: &Error) -> bool {
    error.aws().is_some_and(|aws| aws.status == Some(NOT_IMPLEMENTED))
}

/// Scheduled scaling is not managed here.
fn is_any_suspended(state: &SuspendedState) -> bool {
    let suspended = [state.dynamic_scaling_in_suspended(), state.dynamic_scaling_out_suspended()];
    suspended.contains(&Some(true))
}

/// Whether it is the policy that keeps the utilisation of this dimension.
fn follows(policy: &ScalingPolicy, dimension: &ScalableDimension, metric: &MetricType) -> bool {
    let tracking = policy.target_tracking_scaling_policy_configuration();
    let predefined = tracking.and_then(|tracking| tracking.predefined_metric_specification());
    policy.scalable_dimension() == dimension
        && predefined.is_some_and(|predefined| predefined.predefined_metric_type() == metric)
}

/// First reads, then writes, each with its utilisation metric.
fn dimensions() -> [(ScalableDimension, MetricType); 2] {
    [
        (ScalableDimension::DynamoDbTableReadCapacityUnits, MetricType::DynamoDbReadCapacityUtilization),
        (ScalableDimension::DynamoDbTableWriteCapacityUnits, MetricType::DynamoDbWriteCapacityUtilization),
    ]
}

#[cfg(test)]
mod tests;
