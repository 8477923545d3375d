//! Looking, making, changing and deleting.

use super::*;

/// Everything begins with a look.
const LOOK: [&str; 2] = ["DescribeLogGroups", "ListTagsForResource"];

#[tokio::test(start_paused = true)]
async fn an_absent_group_is_created_with_its_tags_and_its_retention() {
    let world = World::new().with_logs(&[absent(1), vec![created(), retained()]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.calls(), [&LOOK[..], &["CreateLogGroup", "PutRetentionPolicy"]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_new_group_may_not_be_known_to_the_next_call() {
    let unknown = mock!(Client::put_retention_policy).sequence().http_response(no_such).times(3).build();
    let world = World::new().with_logs(&[absent(1), vec![created(), unknown, retained()]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [LOG_GROUP_NOT_YET_VISIBLE.cadence.reason; 3]);
}

#[tokio::test(start_paused = true)]
async fn only_the_exact_name_counts_on_whatever_page() {
    let pages = |last: &'static str| {
        let first = mock!(Client::describe_log_groups)
            .match_requests(|request| {
                request.log_group_name_prefix() == Some(NAME) && request.next_token().is_none()
            })
            .then_output(|| page(&[("/aws/lambda/lab-2", Some(1))], Some("more")));
        let second = mock!(Client::describe_log_groups)
            .match_requests(|request| request.next_token() == Some("more"))
            .then_output(move || page(&[("/aws/lambda/lab/x", Some(2)), (last, Some(3))], None));
        [vec![first, second], present(seen())].concat()
    };
    let world = World::new().with_logs(&pages(NAME));
    assert_eq!(world.observe(&group()).await.unwrap().unwrap().retention_days, Some(3));
    let world = World::new().with_logs(&pages("/aws/lambda/LAB"));
    assert!(world.observe(&group()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_group_as_declared_is_left_alone() {
    let world = World::new().with_logs(&present(seen()));
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    assert_eq!(world.calls(), LOOK);
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_before_the_retention_is_finished_by_the_next() {
    let seen = Observed { retention_days: None, ..seen() };
    let world = World::new().with_logs(&[present(seen), vec![retained()]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["PutRetentionPolicy"]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_changes_and_throttling_are_waited_out_at_every_call() {
    let throttled: fn() -> HttpResponse = || wire::json(400, "ThrottlingException", "Rate exceeded");
    let cases = [
        (busy as fn() -> HttpResponse, "CloudWatch Logs to finish another change"),
        (throttled, "AWS's call rate limit"),
    ];
    for (refused, reason) in cases {
        let create = mock!(Client::create_log_group).sequence().http_response(refused).times(2).build();
        let tag = mock!(Client::tag_resource).sequence().http_response(refused).build();
        let retain = || mock!(Client::put_retention_policy).sequence().http_response(refused).build();
        let made = [absent(1), vec![create, created(), retain(), retained()]].concat();
        let mended = [present(reborn()), vec![tag, tagged(), retain(), retained()]].concat();
        for (rules, outcome, waits) in [(made, Outcome::Created, 3), (mended, Outcome::Updated, 2)] {
            let world = World::new().with_logs(&rules);
            let (_, record) = world.step(Mode::Apply, &group(), ()).await;
            assert_eq!(record.result.unwrap(), outcome);
            assert_eq!(world.recorder.waits(), vec![reason; waits]);
        }
        let delete = mock!(Client::delete_log_group).sequence().http_response(refused).build();
        let world = World::new().with_logs(&[present(seen()), vec![delete, deleted()]].concat());
        let record = world.remove(Mode::Apply, &group()).await;
        assert_eq!(record.result.unwrap(), Outcome::Deleted);
        assert_eq!(world.recorder.waits(), [reason]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_stays_ends_with_the_last_answer() {
    let conflict = mock!(Client::create_log_group).then_http_response(busy);
    let world = World::new().with_logs(&[absent(1), vec![conflict]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    let error = record.result.unwrap_err().to_string();
    assert!(error.starts_with("gave up after "), "{error}");
    assert!(
        error.contains("waiting for CloudWatch Logs to finish another change: logs:CreateLogGroup"),
        "{error}"
    );
    assert!(error.contains("OperationAbortedException: A conflicting operation"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_is_success() {
    let gone = mock!(Client::delete_log_group).then_http_response(no_such);
    let world = World::new().with_logs(&[present(seen()), vec![gone]].concat());
    assert_eq!(world.remove(Mode::Apply, &group()).await.result.unwrap(), Outcome::Deleted);
    let world = World::new().with_logs(&absent(1));
    assert_eq!(world.remove(Mode::Apply, &group()).await.result.unwrap(), Outcome::Absent);
}

#[tokio::test(start_paused = true)]
async fn protection_is_told_before_anything_is_deleted_and_never_switched_off() {
    for (deletion_protection, blockers) in [
        (false, &[][..]),
        (true, &["is protected against deletion; switch that off first, if you mean it"][..]),
    ] {
        let world = World::new().with_logs(&present(Observed { deletion_protection, ..seen() }));
        let record = world.remove(Mode::Plan, &group()).await;
        assert_eq!(record.changes, [Change::Delete]);
        assert_eq!(record.found.unwrap().blockers, blockers);
        let (_, record) = world.step(Mode::Apply, &group(), ()).await;
        assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_asked_for_once() {
    let cases = [
        ("AccessDeniedException", "User: x is not authorized to perform: logs:CreateLogGroup"),
        ("AccessDeniedException", "not authorized to perform: logs:TagResource with an explicit deny"),
        ("LimitExceededException", "Resource limit exceeded."),
        ("InvalidParameterException", "1 validation error detected"),
    ];
    for (code, message) in cases {
        let create =
            mock!(Client::create_log_group).then_http_response(move || wire::json(400, code, message));
        let world = World::new().with_logs(&[absent(1), vec![create]].concat());
        let (_, record) = world.step(Mode::Apply, &group(), ()).await;
        assert!(record.result.unwrap_err().to_string().contains(message));
        assert_eq!(world.mutations(), ["CreateLogGroup"], "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_may_not_be_read_are_no_missing_tags() {
    let denied = || wire::json(400, "AccessDeniedException", "not authorized: logs:ListTagsForResource");
    let tags = mock!(Client::list_tags_for_resource).then_http_response(denied);
    let world = World::new().with_logs(&[vec![tags], present(seen())].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert!(record.result.unwrap_err().has_code("AccessDeniedException"));
    assert!(world.mutations().is_empty());
}
