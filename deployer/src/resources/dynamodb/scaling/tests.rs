//! Auto scaling: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff as _, Impact, Mode, Outcome};
use crate::testing::World;
use crate::testing::script::{Answer, always, answers, done, refused};
use aws_sdk_applicationautoscaling::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

mod properties;

const READ: &str = "dynamodb:table:ReadCapacityUnits";
const WRITE: &str = "dynamodb:table:WriteCapacityUnits";

fn existing(expected: Expected) -> ExistingScaling {
    ExistingScaling { table: "orders".to_owned(), expected }
}

fn scaling() -> Scaling {
    let limits = Limits { read: 5, write: 6, most: 50 };
    Scaling { existing: existing(Expected::Scaling), limits: Some(limits) }
}

fn fixed() -> Scaling {
    Scaling { existing: existing(Expected::FixedCapacity), limits: None }
}

fn target(dimension: &str, least: i32, most: i32) -> Value {
    json!({
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/orders",
        "ScalableDimension": dimension,
        "MinCapacity": least,
        "MaxCapacity": most,
        "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/x",
        "CreationTime": 1_700_000_000,
        "SuspendedState": {
            "DynamicScalingInSuspended": false,
            "DynamicScalingOutSuspended": false,
            "ScheduledScalingSuspended": true,
        },
    })
}

/// The same, where somebody stopped the scaling in one direction.
fn suspended(dimension: &str, direction: &str) -> Value {
    let mut target = target(dimension, 5, 50);
    target["SuspendedState"][format!("DynamicScaling{direction}Suspended")] = json!(true);
    target
}

fn policy(dimension: &str, percent: f64) -> Value {
    let metric = if dimension == READ {
        "DynamoDBReadCapacityUtilization"
    } else {
        "DynamoDBWriteCapacityUtilization"
    };
    json!({
        "PolicyARN": "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:x",
        "PolicyName": "whatever",
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/orders",
        "ScalableDimension": dimension,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": percent,
            "PredefinedMetricSpecification": { "PredefinedMetricType": metric },
        },
        "CreationTime": 1_700_000_000,
    })
}

/// The scaling of `scaling()`.
fn targets() -> Vec<Value> {
    vec![target(READ, 5, 50), target(WRITE, 6, 50)]
}

fn policies() -> Vec<Value> {
    vec![policy(READ, 70.0), policy(WRITE, 70.0)]
}

fn world(targets: &[Value], policies: &[Value], mut rules: Vec<Rule>) -> World {
    rules.extend([
        always(mock!(Client::describe_scalable_targets), done(json!({ "ScalableTargets": targets }))),
        always(mock!(Client::describe_scaling_policies), done(json!({ "ScalingPolicies": policies }))),
    ]);
    World::new().with_autoscaling(&rules).with_dynamodb(&[table(json!({}))])
}

/// What `DescribeTable` says of the table's billing.
fn table(billing: Value) -> Rule {
    let mut table = json!({ "TableName": "orders", "CreationDateTime": 1_700_000_000.5 });
    table["BillingModeSummary"] = billing;
    always(mock!(aws_sdk_dynamodb::Client::describe_table), done(json!({ "Table": table })))
}

fn on_demand_since(seconds: f64) -> Value {
    json!({ "BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": seconds })
}

fn times(count: usize) -> impl Iterator<Item = Answer> {
    std::iter::repeat_n(done(json!({})), count)
}

async fn up(world: &World, scaling: &Scaling) -> Result<Outcome> {
    world.step(Mode::Apply, scaling, ()).await.1.result
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change::Update { field: field.to_owned(), from: from.into(), to: to.into(), impact: Impact::None }
}

async fn diff(scaling: &Scaling, targets: &[Value], policies: &[Value]) -> Vec<Change> {
    let seen = world(targets, policies, vec![]).observe(scaling).await.unwrap();
    scaling.diff(Some(&()), seen.as_ref()).changes()
}

#[tokio::test]
async fn scaling_as_declared_does_not_differ() {
    assert_eq!(diff(&scaling(), &targets(), &policies()).await, []);
    assert_eq!(diff(&fixed(), &[], &[]).await, []);
    let nothing = up(&world(&[], &[], vec![]), &fixed()).await.unwrap();
    assert_eq!(nothing, Outcome::Absent, "so that nobody is shown scaling that nobody has declared");
}

#[tokio::test]
async fn scaling_that_is_not_there_is_created() {
    assert_eq!(diff(&scaling(), &[], &[]).await, [Change::Create]);
}

#[tokio::test]
async fn each_difference_is_one_change() {
    let cases = [
        (vec![target(READ, 5, 50)], policies(), update("write-capacity", None, Some("6 to 50, at 70 %"))),
        (
            vec![target(READ, 1, 50), target(WRITE, 6, 50)],
            policies(),
            update("read-capacity", Some("1 to 50, at 70 %"), Some("5 to 50, at 70 %")),
        ),
        (
            vec![target(READ, 5, 50), target(WRITE, 6, 99)],
            policies(),
            update("write-capacity", Some("6 to 99, at 70 %"), Some("6 to 50, at 70 %")),
        ),
        (
            vec![suspended(READ, "In"), target(WRITE, 6, 50)],
            policies(),
            update("read-capacity", Some("5 to 50, at 70 %, suspended"), Some("5 to 50, at 70 %")),
        ),
        (
            vec![suspended(READ, "Out"), target(WRITE, 6, 50)],
            policies(),
            update("read-capacity", Some("5 to 50, at 70 %, suspended"), Some("5 to 50, at 70 %")),
        ),
        (
            targets(),
            vec![policy(WRITE, 70.0)],
            update("read-capacity", Some("5 to 50, without a policy"), Some("5 to 50, at 70 %")),
        ),
        (
            targets(),
            vec![policy(READ, 70.0), policy(WRITE, 90.0)],
            update("write-capacity", Some("6 to 50, at 90 %"), Some("6 to 50, at 70 %")),
        ),
    ];
    for (targets, policies, expected) in cases {
        assert_eq!(diff(&scaling(), &targets, &policies).await, [expected]);
    }
}

#[tokio::test]
async fn scaling_that_is_no_longer_declared_goes() {
    let changes = diff(&fixed(), &targets(), &policies()).await;
    assert_eq!(
        changes,
        [
            update("read-capacity", Some("5 to 50, at 70 %"), None),
            update("write-capacity", Some("6 to 50, at 70 %"), None),
        ]
    );
    let rule = answers(mock!(Client::deregister_scalable_target), times(2));
    let world = world(&targets(), &policies(), vec![rule]);
    assert_eq!(up(&world, &fixed()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["DeregisterScalableTarget"; 2]);
}

#[tokio::test]
async fn both_directions_get_limits_and_a_policy() {
    let rules = vec![
        answers(mock!(Client::register_scalable_target), times(2)),
        answers(mock!(Client::put_scaling_policy), times(2)),
    ];
    let world = world(&[], &[], rules);
    assert_eq!(up(&world, &scaling()).await.unwrap(), Outcome::Created);
    let register = |dimension: &str, least: i32| {
        json!({
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/orders",
            "ScalableDimension": dimension,
            "MinCapacity": least,
            "MaxCapacity": 50,
            "SuspendedState": { "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false },
        })
    };
    assert_eq!(world.sent.bodies("RegisterScalableTarget"), [register(READ, 5), register(WRITE, 6)]);
    let put = |dimension: &str, name: &str, metric: &str| {
        json!({
            "PolicyName": name,
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/orders",
            "ScalableDimension": dimension,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 70.0,
                "PredefinedMetricSpecification": { "PredefinedMetricType": metric },
            },
        })
    };
    assert_eq!(
        world.sent.bodies("PutScalingPolicy"),
        [
            put(READ, "deployer-dynamodb-table-ReadCapacityUnits", "DynamoDBReadCapacityUtilization"),
            put(WRITE, "deployer-dynamodb-table-WriteCapacityUnits", "DynamoDBWriteCapacityUtilization"),
        ]
    );
}

#[tokio::test]
async fn only_what_differs_is_sent() {
    let register = || answers(mock!(Client::register_scalable_target), times(1));
    let limits = world(&[target(READ, 1, 50), target(WRITE, 6, 50)], &policies(), vec![register()]);
    up(&limits, &scaling()).await.unwrap();
    assert_eq!(limits.mutations(), ["RegisterScalableTarget"]);
    assert_eq!(limits.sent.bodies("RegisterScalableTarget")[0]["ScalableDimension"], READ);
    let put = answers(mock!(Client::put_scaling_policy), times(1));
    let policy_only = world(&targets(), &[policy(READ, 70.0)], vec![put]);
    up(&policy_only, &scaling()).await.unwrap();
    assert_eq!(policy_only.mutations(), ["PutScalingPolicy"]);
    assert_eq!(policy_only.sent.bodies("PutScalingPolicy")[0]["ScalableDimension"], WRITE);
}

/// AWS refuses a second policy for the same metric: "Only one TargetTrackingScaling policy for a given metric
/// specification is allowed."
#[tokio::test]
async fn a_policy_that_somebody_else_made_is_changed_under_its_name() {
    let put = answers(mock!(Client::put_scaling_policy), times(1));
    let theirs = world(&targets(), &[policy(READ, 70.0), policy(WRITE, 90.0)], vec![put]);
    up(&theirs, &scaling()).await.unwrap();
    let [put] = &theirs.sent.bodies("PutScalingPolicy")[..] else { panic!("one policy") };
    assert_eq!((&put["PolicyName"], &put["ScalableDimension"]), (&json!("whatever"), &json!(WRITE)));
    assert_eq!(put["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 70.0);
}

/// One that follows something else may stand beside ours.
#[tokio::test]
async fn a_policy_that_follows_another_metric_is_nothing_to_us() {
    let mut other = policy(READ, 70.0);
    other["TargetTrackingScalingPolicyConfiguration"] = json!({
        "TargetValue": 70.0,
        "CustomizedMetricSpecification": { "MetricName": "Orders", "Namespace": "shop", "Statistic": "Sum" },
    });
    other["PolicyName"] = json!("by-orders");
    let put = answers(mock!(Client::put_scaling_policy), times(1));
    let world = world(&targets(), &[other.clone(), policy(WRITE, 70.0)], vec![put]);
    let (_, record) = world.step(Mode::Apply, &scaling(), ()).await;
    let before = "5 to 50, without a policy on its utilisation, by the policy by-orders on another metric";
    assert_eq!(record.changes, [update("read-capacity", Some(before), Some("5 to 50, at 70 %"))]);
    let name = &world.sent.bodies("PutScalingPolicy")[0]["PolicyName"];
    assert_eq!(name, "deployer-dynamodb-table-ReadCapacityUnits");
    let beside = [other, policy(READ, 70.0), policy(WRITE, 70.0)];
    let world = self::world(&targets(), &beside, vec![]);
    let seen = world.observe(&scaling()).await.unwrap();
    assert_eq!(scaling().diff(Some(&()), seen.as_ref()).changes(), []);
    let state = "read 5 to 50, at 70 %, by the policy by-orders on another metric, write 6 to 50, at 70 %";
    assert_eq!(scaling().existing.state(&seen.unwrap()), state);
}

#[tokio::test(start_paused = true)]
async fn another_change_of_the_scaling_is_waited_for() {
    let busy = refused(400, "ConcurrentUpdateException", "Another update is in progress");
    let register = [busy.clone(), busy].into_iter().chain(times(2));
    let rules = vec![
        answers(mock!(Client::register_scalable_target), register),
        answers(mock!(Client::put_scaling_policy), times(2)),
    ];
    let world = world(&[], &[], rules);
    assert_eq!(up(&world, &scaling()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [SCALING_BUSY.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_service_linked_role_that_is_only_being_made_is_waited_for() {
    let refusals = [
        refused(400, "ValidationException", "Unable to assume IAM role: arn:aws:iam::1:role/x"),
        refused(
            400,
            "FailedResourceAccessException",
            "The security token included in the request is invalid.",
        ),
        refused(
            400,
            "FailedResourceAccessException",
            "User x is not authorized to perform: dynamodb:DescribeTable",
        ),
    ];
    let missing = refused(400, "ObjectNotFoundException", "No scalable target registered");
    let rules = vec![
        answers(mock!(Client::register_scalable_target), refusals.into_iter().chain(times(2))),
        answers(mock!(Client::put_scaling_policy), [missing].into_iter().chain(times(2))),
    ];
    let world = world(&[], &[], rules);
    assert_eq!(up(&world, &scaling()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [SCALING_NOT_YET_READY.cadence.reason; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_auto_scaling_never_gets_ends_with_its_answer_after_two_minutes() {
    let refusal = refused(400, "ValidationException", "Unable to assume IAM role");
    let world = world(&[], &[], vec![always(mock!(Client::register_scalable_target), refusal)]);
    let begun = tokio::time::Instant::now();
    let error = up(&world, &scaling()).await.unwrap_err();
    assert!(error.to_string().contains("Unable to assume IAM role"), "{error}");
    assert!((110..=120).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_table_that_never_was_provisioned_is_not_asked_about() {
    let observed = async |billing: Value, scaling: Scaling| {
        let targets = always(
            mock!(Client::describe_scalable_targets),
            done(json!({ "ScalableTargets": [target(READ, 5, 50)] })),
        );
        let world = World::new().with_autoscaling(&[targets]).with_dynamodb(&[table(billing)]);
        let seen = world.observe(&scaling).await.unwrap();
        (world.calls().contains(&"DescribeScalableTargets".to_owned()), seen.is_some())
    };
    let always_on_demand = on_demand_since(1_700_000_001.0);
    assert_eq!(observed(always_on_demand.clone(), fixed()).await, (false, false));
    assert_eq!(observed(json!({ "BillingMode": "PAY_PER_REQUEST" }), fixed()).await, (false, false));
    // Switched later, by a run that was killed before it took the scaling away.
    assert_eq!(observed(on_demand_since(1_700_009_000.0), fixed()).await, (true, true));
    assert_eq!(observed(json!({ "BillingMode": "PROVISIONED" }), fixed()).await, (true, true));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_auto_scaling_has_none_and_is_asked_once_for_what_it_lacks() {
    let not_there =
        || refused(501, "InternalFailure", "API for service 'application-autoscaling' not implemented");
    let rules = vec![always(mock!(Client::describe_scalable_targets), not_there())];
    let world = World::new()
        .with_autoscaling(&rules)
        .with_dynamodb(&[table(json!({ "BillingMode": "PROVISIONED" }))]);
    assert!(world.observe(&fixed()).await.unwrap().is_none());

    let rules = vec![answers(mock!(Client::register_scalable_target), [not_there()])];
    let world = self::world(&[], &[], rules);
    let error = up(&world, &scaling()).await.unwrap_err();
    assert!(error.to_string().contains("not implemented"), "{error}");
    assert_eq!(world.mutations(), ["RegisterScalableTarget"]);
}

#[tokio::test]
async fn what_stands_is_removed_and_what_is_gone_already_is_fine() {
    let gone = refused(400, "ObjectNotFoundException", "No scalable target found");
    let rule = answers(mock!(Client::deregister_scalable_target), [gone]);
    let world = world(&[target(WRITE, 6, 50)], &[], vec![rule]);
    assert_eq!(world.remove(Mode::Apply, &scaling()).await.result.unwrap(), Outcome::Deleted);
    assert_eq!(world.sent.bodies("DeregisterScalableTarget")[0]["ScalableDimension"], WRITE);
}
