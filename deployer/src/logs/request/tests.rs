//! What belongs to a request, and what is asked for to find it.

use super::*;
use crate::testing::World;
use crate::testing::script::{Answer, answers, done};
use aws_sdk_cloudwatchlogs::Client;
use aws_smithy_mocks::mock;
use serde_json::json;

const GROUP: &str = "/aws/lambda/lab";
const MINUTE: i64 = 60_000;

/// Far enough from 1970 for what is before it.
const NOW: i64 = 1_000 * MINUTE;

fn start(id: &str) -> Vec<String> {
    vec![format!("START RequestId: {id} Version: $LATEST\n")]
}

fn line(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn end(id: &str) -> Vec<String> {
    vec![format!("END RequestId: {id}\n"), format!("REPORT RequestId: {id}\tDuration: 1 ms\n")]
}

/// A request that logs one line.
fn whole(id: &str, text: &str) -> Vec<String> {
    [start(id), line(text), end(id)].concat()
}

fn record(kind: &str, id: &str) -> Vec<String> {
    vec![json!({ "type": format!("platform.{kind}"), "record": { "requestId": id } }).to_string()]
}

#[test]
fn what_stands_between_start_and_end_belongs_to_the_request() {
    let own = || whole("id-a", "x");
    let as_records = || [record("start", "id-a"), line("x"), record("report", "id-a")].concat();
    let quoting = || [start("id-a"), whole("id-b", "y"), line("x"), end("id-a")].concat();
    let cases = [
        ("alone", vec![own()], own()),
        ("among others", vec![whole("id-b", "y"), own(), whole("id-c", "z")], own()),
        ("records", vec![record("start", "id-b"), as_records(), record("start", "id-c")], as_records()),
        ("it runs", vec![end("id-b"), start("id-a"), line("x")], [start("id-a"), line("x")].concat()),
        (
            "its end was never written",
            vec![start("id-a"), line("x"), whole("id-b", "y")],
            [start("id-a"), line("x")].concat(),
        ),
        (
            "it is tried again",
            vec![own(), whole("id-b", "y"), whole("id-a", "z")],
            [own(), whole("id-a", "z")].concat(),
        ),
        ("another names it", vec![own(), whole("id-b", "after id-a")], own()),
        ("it shows the log of another", vec![quoting(), whole("id-c", "z")], quoting()),
        (
            "Lambda writes nothing",
            vec![line("w"), line("id-a x"), line("y"), line("id-a z"), line("w")],
            [line("id-a x"), line("y"), line("id-a z")].concat(),
        ),
        ("it is not there", vec![whole("id-b", "y")], vec![]),
        ("nothing is there", vec![], vec![]),
    ];
    for (case, lines, expected) in cases {
        let event = |message| LogEvent { id: String::new(), stream: String::new(), time_ms: 0, message };
        let events: Vec<LogEvent> = lines.concat().into_iter().map(event).collect();
        let found: Vec<&String> = during(&events, "id-a").iter().map(|event| &event.message).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{case}");
    }
}

/// Messages of a stream, each with its minutes before now.
fn page(stream: &str, messages: &[(i64, &str)]) -> Answer {
    let event = |(ago, message): &(i64, &str)| json!({ "logStreamName": stream, "timestamp": NOW - ago * MINUTE, "message": message });
    done(json!({ "events": messages.iter().map(event).collect::<Vec<_>>() }))
}

/// What is found of a request since ten minutes ago, and the requests that were sent for it.
async fn found(script: impl IntoIterator<Item = Answer>) -> (Vec<String>, Vec<Value>) {
    let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)]);
    let mut messages = Vec::new();
    let take = |event: LogEvent| {
        messages.push(event.message);
        ControlFlow::Continue(())
    };
    world.at(async |step| read(step, GROUP, "id-a", NOW - 10 * MINUTE, take).await).await.unwrap();
    (messages, world.sent.bodies("FilterLogEvents"))
}

const START: &str = "START RequestId: id-a Version: $LATEST\n";
const END: &str = "END RequestId: id-a\n";

#[tokio::test(start_paused = true)]
async fn a_request_that_began_before_is_shown_whole() {
    let around = [(12, START), (11, "old"), (9, "x"), (2, END)];
    let (messages, sent) = found([page("s", &[(12, START), (2, END)]), page("s", &around)]).await;
    assert_eq!(messages, [START, "old", "x", END]);
    assert_eq!(sent[0]["startTime"], NOW - 26 * MINUTE, "it may have run for 15 minutes by then");
    assert_eq!((&sent[0]["filterPattern"], &sent[0]["endTime"]), (&json!("\"id-a\""), &Value::Null));
    assert_eq!(sent[1]["logStreamNames"], json!(["s"]));
    assert_eq!(sent[1]["startTime"], NOW - 12 * MINUTE);
    assert_eq!(sent[1]["endTime"], NOW - 2 * MINUTE);
    assert!(sent[1]["filterPattern"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_runs_is_shown_up_to_now() {
    let around = [(12, START), (11, "x"), (1, "y")];
    let (messages, sent) = found([page("s", &[(12, START)]), page("s", &around)]).await;
    assert_eq!(messages, [START, "x", "y"]);
    assert!(sent[1]["endTime"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_end_is_over_where_the_next_begins() {
    let next = "START RequestId: id-b Version: $LATEST\n";
    let around = json!([
        { "timestamp": NOW - 3, "message": START },
        { "timestamp": NOW - 2, "message": "x" },
        { "timestamp": NOW - 1, "message": next },
        { "timestamp": NOW - 1, "message": "y" },
    ]);
    let around = done(json!({ "events": around, "nextToken": "nobody asks for it" }));
    let (messages, _) = found([
        done(json!({ "events": [{ "logStreamName": "s", "timestamp": NOW - 3, "message": START }] })),
        around,
    ])
    .await;
    assert_eq!(messages, [START, "x"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_over_before_is_not_shown() {
    let lines = [(13, START), (12, END)];
    let (messages, _) = found([page("s", &lines), page("s", &lines)]).await;
    assert_eq!(messages, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn tries_in_several_environments_come_in_order_of_time() {
    let (first, second) = ([(9, START), (8, END)], [(5, START), (4, END)]);
    let naming = done(json!({ "events": [
        { "logStreamName": "z", "timestamp": NOW - 9 * MINUTE, "message": START },
        { "logStreamName": "z", "timestamp": NOW - 8 * MINUTE, "message": END },
        { "logStreamName": "a", "timestamp": NOW - 5 * MINUTE, "message": START },
        { "logStreamName": "a", "timestamp": NOW - 4 * MINUTE, "message": END },
    ] }));
    let (messages, sent) = found([naming, page("z", &first), page("a", &second)]).await;
    assert_eq!(messages, [START, END, START, END]);
    assert_eq!((&sent[1]["logStreamNames"], &sent[2]["logStreamNames"]), (&json!(["z"]), &json!(["a"])));
}
