//! Where the next look begins, and what a log that is followed may go through.

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
fn an_event_is_new_once_and_a_late_one_too() {
    let mut follow = Follow::from(1_000);
    assert!(follow.is_new(&event(100_000, "a"), 110_000));
    assert!(follow.is_new(&event(100_000, "b"), 110_000), "at the same time");
    follow.all_read(110_000);
    assert_eq!(follow.next_ms, 40_000);
    assert!(!follow.is_new(&event(100_000, "a"), 112_000));
    assert!(follow.is_new(&event(40_000, "late"), 112_000));
    follow.all_read(112_000);
    assert_eq!(follow.next_ms, 40_000, "it does not go back");
    assert!(!follow.is_new(&event(40_000, "late"), 114_000), "it is looked at again");
}

#[test]
fn nothing_is_looked_at_from_before_the_start() {
    let mut follow = Follow::from(1_000);
    assert!(follow.is_new(&event(2_000, "a"), 2_000));
    follow.all_read(2_000);
    assert_eq!(follow.next_ms, 1_000);
}

#[test]
fn what_was_read_without_an_event_is_not_read_for_ever() {
    let mut follow = Follow::from(0);
    follow.all_read(10 * HOUR_MS);
    assert_eq!(follow.next_ms, 10 * HOUR_MS - 360_000);
}

#[test]
fn an_event_that_is_dated_ahead_hides_nothing() {
    let mut follow = Follow::from(0);
    assert!(follow.is_new(&event(100_000, "now"), 100_000));
    assert!(follow.is_new(&event(HOUR_MS, "ahead"), 100_000));
    follow.all_read(100_000);
    assert_eq!(follow.next_ms, 40_000);
    assert!(!follow.is_new(&event(HOUR_MS, "ahead"), 102_000));
}

#[test]
fn what_is_written_during_a_long_look_is_looked_for_from_its_beginning() {
    let mut follow = Follow::from(0);
    let began_ms = HOUR_MS;
    for time_ms in [began_ms - 1_000, began_ms + 1_000, began_ms + 500_000] {
        assert!(follow.is_new(&event(time_ms, "a"), began_ms));
    }
    follow.all_read(began_ms);
    assert_eq!(follow.next_ms, began_ms - 1_000 - OVERLAP_MS);
}

#[test]
fn a_clock_that_is_as_wrong_as_aws_lets_it_be_hides_nothing() {
    let (now_ms, wrong_ms) = (10 * HOUR_MS, CLOCKS_DIFFER_MS);
    for machine_ms in [now_ms - wrong_ms, now_ms + wrong_ms] {
        let mut follow = Follow::from(machine_ms - HOUR_MS);
        follow.all_read(machine_ms);
        assert!(follow.next_ms <= now_ms - OVERLAP_MS, "{machine_ms}");
        assert!(follow.is_new(&event(now_ms, "a"), machine_ms));
        follow.all_read(machine_ms);
        assert!(follow.next_ms <= now_ms - OVERLAP_MS, "{machine_ms}");
    }
}

#[test]
fn what_cannot_come_again_is_forgotten_while_it_is_read() {
    let mut follow = Follow::from(0);
    for time in 0..1_000 {
        assert!(follow.is_new(&event(time * 1_000, "a"), HOUR_MS));
    }
    assert_eq!(follow.seen.len(), 61);
}

/// An event of so many milliseconds ago.
fn page(ids: &[(&str, i64)], next: Option<&str>) -> Answer {
    let event =
        |(id, ago): &(&str, i64)| json!({ "eventId": id, "timestamp": now_ms() - ago, "message": id });
    done(json!({ "events": ids.iter().map(event).collect::<Vec<_>>(), "nextToken": next }))
}

fn denied() -> Answer {
    refused(400, "AccessDeniedException", "no")
}

/// Follows through these answers since an hour ago: how it ended, what was new, and what was said.
async fn through(world: &World) -> (Result<()>, Vec<String>, Vec<String>) {
    let (mut taken, said) = (Vec::new(), RefCell::new(Vec::new()));
    let take = |event: LogEvent| {
        taken.push(event.id);
        ControlFlow::Continue(())
    };
    let from_ms = now_ms() - HOUR_MS;
    let query = Query { group: GROUP, from_ms, to_ms: None, pattern: Some("x"), stream: None };
    let say = |hint| said.borrow_mut().push(crate::testing::command_line().sentence(&hint));
    let ended = follow(|| world.engine(Mode::Plan), &world.stop, &query, take, say).await;
    (ended, taken, said.into_inner())
}

fn world(script: impl IntoIterator<Item = Answer>) -> World {
    World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)])
}

#[tokio::test(start_paused = true)]
async fn a_look_that_found_nothing_is_not_repeated_from_the_start() {
    let world = world([page(&[], Some("1")), page(&[], None), page(&[], None), denied()]);
    let (ended, taken, said) = through(&world).await;
    assert!(ended.unwrap_err().to_string().contains("AccessDeniedException"));
    assert_eq!((taken, said), (vec![], vec![]));
    let sent = world.sent.bodies("FilterLogEvents");
    let ago = |nth: usize| (now_ms() - sent[nth]["startTime"].as_i64().unwrap()) / 60_000;
    assert_eq!([ago(0), ago(1), ago(2), ago(3)], [60, 60, 6, 6]);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_the_future_is_shown_once_and_later_ones_too() {
    let ahead = ("ahead", -HOUR_MS);
    let world = world([page(&[ahead], None), page(&[("a", 1_000)], None), page(&[("b", 0)], None), denied()]);
    let (_, taken, _) = through(&world).await;
    assert_eq!(taken, ["ahead", "a", "b"]);
    let sent = world.sent.bodies("FilterLogEvents");
    assert!(sent.iter().all(|body| body["startTime"].as_i64().unwrap() < now_ms()), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_heard_is_asked_on_and_that_is_said_once() {
    let script = [page(&[("a", 500)], None), broken(), broken(), page(&[("b", 0)], None), denied()];
    let world = world(script);
    let (ended, taken, said) = through(&world).await;
    assert!(ended.unwrap_err().has_code("AccessDeniedException"), "a refusal ends it");
    assert_eq!(taken, ["a", "b"]);
    let [silent, again] = &said[..] else { panic!("{said:?}") };
    assert!(
        silent.starts_with("No answer from CloudWatch Logs, asking on until Ctrl-C: logs:FilterLogEvents")
    );
    assert_eq!(again, "The log group /aws/lambda/lab can be read now.");
}

#[tokio::test(start_paused = true)]
async fn a_log_half_read_is_read_on_from_there() {
    let world = world([
        page(&[("a", 600_000)], Some("1")),
        broken(),
        page(&[("a", 600_000), ("b", 0)], None),
        denied(),
    ]);
    let (_, taken, said) = through(&world).await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(taken.iter().filter(|id| *id == "b").count(), 1);
    let sent = world.sent.bodies("FilterLogEvents");
    let ago = (now_ms() - sent[2]["startTime"].as_i64().unwrap()) / 60_000;
    assert_eq!(ago, 11, "what was read is not read again");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_there_is_waited_for_and_that_is_said_once() {
    let none = || refused(400, "ResourceNotFoundException", "The specified log group does not exist.");
    let world =
        world([none(), none(), page(&[("a", 0)], None), none(), none(), page(&[("b", 0)], None), denied()]);
    let (_, taken, said) = through(&world).await;
    assert_eq!(taken, ["a", "b"]);
    let absent = "There is no log group /aws/lambda/lab: `deployer up` makes it. Looking on until Ctrl-C.";
    let there = "The log group /aws/lambda/lab can be read now.";
    assert_eq!(said, [absent, there, absent, there]);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_end_it() {
    let world = world([refused(400, "ExpiredTokenException", "expired")]);
    let (ended, _, said) = through(&world).await;
    assert!(ended.unwrap_err().has_code("ExpiredTokenException"));
    assert!(said.is_empty(), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn it_ends_well_when_nobody_takes_any_more_or_ctrl_c_comes() {
    let two = [page(&[("a", 0), ("b", 0)], Some("1"))];
    let world = world(two);
    let query = Query { group: GROUP, from_ms: 0, to_ms: None, pattern: None, stream: None };
    let engine = || world.engine(Mode::Plan);
    let mut taken = 0;
    let take = |_| {
        taken += 1;
        ControlFlow::Break(())
    };
    follow(engine, &world.stop, &query, take, |_| {}).await.unwrap();
    assert_eq!(taken, 1);
    world.stop.set();
    follow(engine, &world.stop, &query, |_| ControlFlow::Continue(()), |_| {}).await.unwrap();
    assert_eq!(world.calls().len(), 1, "nothing is asked after Ctrl-C");
}
