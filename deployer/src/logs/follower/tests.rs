//! Where the next poll starts, and how following survives interruptions.

use super::*;
use crate::engine::Mode;
use crate::testing::World;
use crate::testing::script::{Answer, answers, broken, done, refused};
use aws_sdk_cloudwatchlogs::Client;
use aws_smithy_mocks::mock;
use serde_json::json;
use std::cell::RefCell;

const GROUP: &str = "/aws/lambda/lab";
const HOUR_MS: i64 = 3_600_000;

fn event(time_ms: i64, id: &str) -> LogEvent {
    LogEvent { id: id.to_owned(), stream: String::new(), time_ms, message: String::new() }
}

#[test]
fn passes_on_each_event_once_even_if_it_arrives_late() {
    let mut position = ReadPosition::new(1_000);
    assert!(position.is_new(&event(100_000, "a"), 110_000));
    assert!(position.is_new(&event(100_000, "b"), 110_000), "at the same time");
    position.complete_poll(110_000);
    assert_eq!(position.next_ms, 40_000);
    assert!(!position.is_new(&event(100_000, "a"), 112_000));
    assert!(position.is_new(&event(40_000, "late"), 112_000));
    position.complete_poll(112_000);
    assert_eq!(position.next_ms, 40_000, "the position never goes back");
    assert!(!position.is_new(&event(40_000, "late"), 114_000), "the event is returned again");
}

#[test]
fn never_reads_events_before_the_start() {
    let mut position = ReadPosition::new(1_000);
    assert!(position.is_new(&event(2_000, "a"), 2_000));
    position.complete_poll(2_000);
    assert_eq!(position.next_ms, 1_000);
}

#[test]
fn advances_without_events() {
    let mut position = ReadPosition::new(0);
    position.complete_poll(10 * HOUR_MS);
    assert_eq!(position.next_ms, 10 * HOUR_MS - 360_000);
}

#[test]
fn an_event_in_the_future_hides_no_other_event() {
    let mut position = ReadPosition::new(0);
    assert!(position.is_new(&event(100_000, "now"), 100_000));
    assert!(position.is_new(&event(HOUR_MS, "ahead"), 100_000));
    position.complete_poll(100_000);
    assert_eq!(position.next_ms, 40_000);
    assert!(!position.is_new(&event(HOUR_MS, "ahead"), 102_000));
}

#[test]
fn does_not_miss_events_written_during_a_long_poll() {
    let mut position = ReadPosition::new(0);
    let poll_start_ms = HOUR_MS;
    for time_ms in [poll_start_ms - 1_000, poll_start_ms + 1_000, poll_start_ms + 500_000] {
        assert!(position.is_new(&event(time_ms, "a"), poll_start_ms));
    }
    position.complete_poll(poll_start_ms);
    assert_eq!(position.next_ms, poll_start_ms - 1_000 - OVERLAP_MS);
}

#[test]
fn misses_no_event_with_the_largest_clock_error_that_aws_accepts() {
    let (now_ms, error_ms) = (10 * HOUR_MS, MAX_CLOCK_ERROR_MS);
    for machine_ms in [now_ms - error_ms, now_ms + error_ms] {
        let mut position = ReadPosition::new(machine_ms - HOUR_MS);
        position.complete_poll(machine_ms);
        assert!(position.next_ms <= now_ms - OVERLAP_MS, "{machine_ms}");
        assert!(position.is_new(&event(now_ms, "a"), machine_ms));
        position.complete_poll(machine_ms);
        assert!(position.next_ms <= now_ms - OVERLAP_MS, "{machine_ms}");
    }
}

#[test]
fn forgets_events_that_no_later_poll_can_return() {
    let mut position = ReadPosition::new(0);
    for time in 0..1_000 {
        assert!(position.is_new(&event(time * 1_000, "a"), HOUR_MS));
    }
    assert_eq!(position.recent_events.len(), 61);
}

/// A page of events, each with its age in milliseconds.
fn page(ids: &[(&str, i64)], next: Option<&str>) -> Answer {
    let event =
        |(id, age): &(&str, i64)| json!({ "eventId": id, "timestamp": now_ms() - age, "message": id });
    done(json!({ "events": ids.iter().map(event).collect::<Vec<_>>(), "nextToken": next }))
}

fn denied() -> Answer {
    refused(400, "AccessDeniedException", "no")
}

/// Follows the log from an hour ago. Returns the result, the new events and the notices.
async fn follow_log(world: &World) -> (Result<()>, Vec<String>, Vec<String>) {
    let (mut events, notices) = (Vec::new(), RefCell::new(Vec::new()));
    let on_event = |event: LogEvent| {
        events.push(event.id);
        ControlFlow::Continue(())
    };
    let from_ms = now_ms() - HOUR_MS;
    let query = LogQuery { group: GROUP, from_ms, to_ms: None, pattern: Some("x"), stream: None };
    let notify = |hint| notices.borrow_mut().push(crate::testing::command_line().sentence(&hint));
    let result = follow(|| world.engine(Mode::Plan), &world.stop, &query, on_event, notify).await;
    (result, events, notices.into_inner())
}

fn world(script: impl IntoIterator<Item = Answer>) -> World {
    World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)])
}

#[tokio::test(start_paused = true)]
async fn an_empty_poll_is_not_repeated_from_the_start() {
    let world = world([page(&[], Some("1")), page(&[], None), page(&[], None), denied()]);
    let (result, events, notices) = follow_log(&world).await;
    assert!(result.unwrap_err().to_string().contains("AccessDeniedException"));
    assert_eq!((events, notices), (vec![], vec![]));
    let sent = world.sent.bodies("FilterLogEvents");
    let minutes_ago = |index: usize| (now_ms() - sent[index]["startTime"].as_i64().unwrap()) / 60_000;
    assert_eq!([0, 1, 2, 3].map(minutes_ago), [60, 60, 6, 6]);
}

#[tokio::test(start_paused = true)]
async fn shows_an_event_in_the_future_once_and_the_events_after_it() {
    let future = ("ahead", -HOUR_MS);
    let world =
        world([page(&[future], None), page(&[("a", 1_000)], None), page(&[("b", 0)], None), denied()]);
    let (_, events, _) = follow_log(&world).await;
    assert_eq!(events, ["ahead", "a", "b"]);
    let sent = world.sent.bodies("FilterLogEvents");
    assert!(sent.iter().all(|body| body["startTime"].as_i64().unwrap() < now_ms()), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn keeps_polling_an_unreachable_service_and_says_so_once() {
    let script = [page(&[("a", 500)], None), broken(), broken(), page(&[("b", 0)], None), denied()];
    let world = world(script);
    let (result, events, notices) = follow_log(&world).await;
    assert!(result.unwrap_err().has_code("AccessDeniedException"), "a refusal ends following");
    assert_eq!(events, ["a", "b"]);
    let [unreachable, readable] = &notices[..] else { panic!("{notices:?}") };
    assert!(
        unreachable
            .starts_with("No answer from CloudWatch Logs, asking on until Ctrl-C: logs:FilterLogEvents")
    );
    assert_eq!(readable, "The log group /aws/lambda/lab can be read now.");
}

#[tokio::test(start_paused = true)]
async fn resumes_where_an_interrupted_poll_stopped() {
    let world = world([
        page(&[("a", 600_000)], Some("1")),
        broken(),
        page(&[("a", 600_000), ("b", 0)], None),
        denied(),
    ]);
    let (_, events, notices) = follow_log(&world).await;
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert_eq!(events.iter().filter(|id| *id == "b").count(), 1);
    let sent = world.sent.bodies("FilterLogEvents");
    let minutes_ago = (now_ms() - sent[2]["startTime"].as_i64().unwrap()) / 60_000;
    assert_eq!(minutes_ago, 11, "the first page is not read again");
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_missing_log_group_and_says_so_once() {
    let missing = || refused(400, "ResourceNotFoundException", "The specified log group does not exist.");
    let world = world([
        missing(),
        missing(),
        page(&[("a", 0)], None),
        missing(),
        missing(),
        page(&[("b", 0)], None),
        denied(),
    ]);
    let (_, events, notices) = follow_log(&world).await;
    assert_eq!(events, ["a", "b"]);
    let absent = "There is no log group /aws/lambda/lab: `deployer up` makes it. Looking on until Ctrl-C.";
    let readable = "The log group /aws/lambda/lab can be read now.";
    assert_eq!(notices, [absent, readable, absent, readable]);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_end_following() {
    let world = world([refused(400, "ExpiredTokenException", "expired")]);
    let (result, _, notices) = follow_log(&world).await;
    assert!(result.unwrap_err().has_code("ExpiredTokenException"));
    assert!(notices.is_empty(), "{notices:?}");
}

#[tokio::test(start_paused = true)]
async fn ends_without_an_error_on_break_and_on_ctrl_c() {
    let pages = [page(&[("a", 0), ("b", 0)], Some("1"))];
    let world = world(pages);
    let query = LogQuery { group: GROUP, from_ms: 0, to_ms: None, pattern: None, stream: None };
    let engine = || world.engine(Mode::Plan);
    let mut count = 0;
    let on_event = |_| {
        count += 1;
        ControlFlow::Break(())
    };
    follow(engine, &world.stop, &query, on_event, |_| {}).await.unwrap();
    assert_eq!(count, 1);
    world.stop.set();
    follow(engine, &world.stop, &query, |_| ControlFlow::Continue(()), |_| {}).await.unwrap();
    assert_eq!(world.calls().len(), 1, "no call after Ctrl-C");
}
