//! The log group: comparison in tables, calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff, Mode, Outcome};
use crate::names::REGION_TAG;
use crate::testing::{World, scope, wire};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::delete_log_group::DeleteLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::DescribeLogGroupsOutput;
use aws_sdk_cloudwatchlogs::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::PutRetentionPolicyOutput;
use aws_sdk_cloudwatchlogs::operation::tag_resource::TagResourceOutput;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

mod calls;
mod properties;
mod races;

const NAME: &str = "/aws/lambda/lab";

fn group() -> LogGroup {
    LogGroup {
        existing: ExistingLogGroup { name: NAME.to_owned(), claims_unowned: true, scope: scope() },
        retention_days: 14,
    }
}

/// The group of `group()`, as declared.
fn seen() -> Observed {
    Observed { retention_days: Some(14), deletion_protection: false, tags: scope().tags() }
}

/// As a log line makes it, that comes when there is no group.
fn reborn() -> Observed {
    Observed { retention_days: None, deletion_protection: false, tags: Tags::new() }
}

fn no_such() -> HttpResponse {
    wire::json(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

fn busy() -> HttpResponse {
    wire::json(400, "OperationAbortedException", "A conflicting operation is currently in progress.")
}

/// `DescribeLogGroups` finds nothing, so many times.
fn absent(times: usize) -> Vec<Rule> {
    vec![
        mock!(Client::describe_log_groups)
            .sequence()
            .output(|| DescribeLogGroupsOutput::builder().build())
            .times(times)
            .build(),
        mock!(Client::list_tags_for_resource).sequence().http_response(no_such).times(times).build(),
    ]
}

/// This is what there is from now on.
fn present(seen: Observed) -> Vec<Rule> {
    let group = SdkLogGroup::builder().log_group_name(NAME).set_retention_in_days(seen.retention_days);
    let group = group.deletion_protection_enabled(seen.deletion_protection).build();
    vec![
        mock!(Client::describe_log_groups)
            .then_output(move || DescribeLogGroupsOutput::builder().log_groups(group.clone()).build()),
        mock!(Client::list_tags_for_resource)
            // Without the `:*` at the end of what DescribeLogGroups shows.
            .match_requests(|request| request.resource_arn() == Some(&scope().log_group_arn(NAME)))
            .then_output(move || {
                ListTagsForResourceOutput::builder()
                    .set_tags(Some(seen.tags.clone().into_iter().collect()))
                    .build()
            }),
    ]
}

fn page(groups: &[(&str, Option<i32>)], next: Option<&str>) -> DescribeLogGroupsOutput {
    let group = |(name, days): &(&str, Option<i32>)| {
        let arn = format!("{}:*", scope().log_group_arn(name));
        SdkLogGroup::builder().log_group_name(*name).arn(arn).set_retention_in_days(*days).build()
    };
    DescribeLogGroupsOutput::builder()
        .set_log_groups(Some(groups.iter().map(group).collect()))
        .set_next_token(next.map(str::to_owned))
        .build()
}

fn created() -> Rule {
    mock!(Client::create_log_group)
        .match_requests(|request| {
            let tags: Tags = request.tags().cloned().unwrap_or_default().into_iter().collect();
            request.log_group_name() == Some(NAME) && tags == scope().tags()
        })
        .then_output(|| CreateLogGroupOutput::builder().build())
}

fn tagged() -> Rule {
    mock!(Client::tag_resource)
        .match_requests(|request| request.resource_arn() == Some(&scope().log_group_arn(NAME)))
        .then_output(|| TagResourceOutput::builder().build())
}

fn retained() -> Rule {
    mock!(Client::put_retention_policy)
        .match_requests(|request| request.retention_in_days() == Some(14))
        .then_output(|| PutRetentionPolicyOutput::builder().build())
}

fn deleted() -> Rule {
    mock!(Client::delete_log_group)
        .match_requests(|request| request.log_group_name() == Some(NAME))
        .then_output(|| DeleteLogGroupOutput::builder().build())
}

/// The groups that Lambda makes keep everything for ever, and each first `up` ends that: it would be asked about always.
#[test]
fn a_shorter_retention_than_somebody_set_is_a_loss() {
    let loss = |days| {
        let seen = Observed { retention_days: days, ..seen() };
        let [change] = &group().diff(Some(&()), Some(&seen)).changes()[..] else { panic!("one change") };
        change.loss(&group().existing.id())
    };
    assert_eq!(loss(Some(30)), Some(format!("what {NAME} holds from more than 14 days ago")));
    assert_eq!(loss(Some(7)), None);
    assert_eq!(loss(None), None);
}

#[test]
fn each_property_that_we_set_is_compared() {
    type Case = (&'static str, fn(&mut Observed), &'static [&'static str]);
    let cases: [Case; 6] = [
        ("as declared", |_| {}, &[]),
        (
            "somebody else's tag",
            |seen| drop(seen.tags.insert("cost-centre".to_owned(), "42".to_owned())),
            &[],
        ),
        ("another retention", |seen| seen.retention_days = Some(7), &["retention-days: 7 → 14"]),
        ("kept for ever", |seen| seen.retention_days = None, &["retention-days: (none) → 14"]),
        (
            "one tag gone",
            |seen| drop(seen.tags.remove(REGION_TAG)),
            &["tags.deployer:region: (none) → us-east-1"],
        ),
        (
            "reborn",
            |seen| *seen = reborn(),
            &[
                "tags.deployer:region: (none) → us-east-1",
                "tags.deployer:stack: (none) → lab",
                "retention-days: (none) → 14",
            ],
        ),
    ];
    for (name, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        let changes = group().diff(Some(&()), Some(&seen)).changes();
        assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{name}");
    }
    assert_eq!(group().diff(Some(&()), None).changes(), [Change::Create]);
}

#[test]
fn a_group_that_nobody_owns_is_ours_unless_its_function_was_not() {
    let wary = ExistingLogGroup { claims_unowned: false, ..group().existing };
    let mut of_another_stack = seen();
    of_another_stack.tags.insert(STACK_TAG.to_owned(), "other".to_owned());
    let mut with_tags_of_its_own = reborn();
    with_tags_of_its_own.tags.insert("team".to_owned(), "a".to_owned());
    let cases = [(seen(), true, true), (reborn(), true, false), (with_tags_of_its_own, true, false)];
    for (seen, claiming, otherwise) in cases {
        assert_eq!(group().existing.owner(&seen) == Owner::Ours, claiming, "{seen:?}");
        assert_eq!(wary.owner(&seen) == Owner::Ours, otherwise, "{seen:?}");
    }
    assert_eq!(
        group().existing.owner(&of_another_stack),
        Owner::Foreign("belongs to stack other in us-east-1".to_owned())
    );
}

#[test]
fn the_state_tells_how_long_logs_are_kept() {
    assert_eq!(group().existing.state(&seen()), "kept 14 days");
    assert_eq!(group().existing.state(&reborn()), "kept for ever");
}
