//! The log of a function, page by page.

use crate::engine::{Step, absent};
use crate::error::{Error, Result};
use crate::invocation::report::Report;
use serde::Serialize;
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

const NO_SUCH: &[&str] = &["ResourceNotFoundException"];

/// Finds reports in both formats of a function's log. Terms with a question mark are alternatives.
const REPORTS: &str = r#"?"REPORT RequestId" ?"platform.report""#;

/// Pages in a row without a new event. One that looks for what is rare goes through a megabyte or so of the log and finds
/// nothing: so many are some gigabytes, and a quarter of an hour or more.
const MOST_WITHOUT_NEWS: usize = 10_000;

/// Which events of a log group.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) group: &'a str,
    /// The first moment, in milliseconds since 1970.
    pub(crate) from_ms: i64,
    /// The last moment; `None` for up to now.
    pub(crate) to_ms: Option<i64>,
    /// A filter pattern of `CloudWatch` Logs; `None` for all.
    pub(crate) pattern: Option<&'a str>,
    /// The only stream to look at: what one environment of the function writes. `None` for all.
    pub(crate) stream: Option<&'a str>,
}

/// One message that a function, or Lambda, has written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LogEvent {
    /// Stays the same, however often the event is read.
    pub(crate) id: String,
    pub(crate) stream: String,
    /// In milliseconds since 1970, by the clock of the environment that wrote it.
    pub(crate) time_ms: i64,
    /// As it was written; most end with a newline.
    pub(crate) message: String,
}

impl LogEvent {
    /// Whether a function wrote it, as far as the stream tells. Functions may share a log group that somebody has set;
    /// then streams are called `YYYY/MM/DD/FUNCTION[VERSION]ID`, and otherwise there is nothing before the version.
    /// See <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html>.
    pub(crate) fn is_from(&self, function: &str) -> bool {
        let name = self.stream.split('[').next().and_then(|before| before.rsplit('/').next());
        !self.stream.contains('[') || name.is_none_or(|name| name.is_empty() || name == function)
    }
}

/// Hands over the events in order of time, as they come, until they are no longer taken. `false` when there is no such
/// log group.
///
/// An event is found some seconds after it was written, and one that was written earlier may be found later.
///
/// # Errors
/// AWS's refusal; pages without end. What was handed over before stays so.
pub(crate) async fn read(
    step: &Step<'_>,
    query: &Query<'_>,
    take: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<bool> {
    read_within(step, query, MOST_WITHOUT_NEWS, take).await
}

/// The same, with another bound than usual on pages in a row without a new event.
async fn read_within(
    step: &Step<'_>,
    query: &Query<'_>,
    most_without_news: usize,
    mut take: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<bool> {
    let mut token = None;
    let mut last: Option<(i64, String)> = None;
    let mut without_news = 0;
    while without_news < most_without_news {
        let filter = step.aws.logs.filter_log_events().log_group_name(query.group);
        let filter = filter.start_time(query.from_ms).set_end_time(query.to_ms);
        let filter =
            filter.set_filter_pattern(query.pattern.map(str::to_owned)).set_next_token(token.clone());
        let filter = filter.set_log_stream_names(query.stream.map(|stream| vec![stream.to_owned()]));
        let filter = || step.call("logs:FilterLogEvents", filter.clone().send());
        let Some(page) = absent(step.retry(&[], filter).await, NO_SUCH)? else {
            return Ok(false);
        };
        let events = page.events.unwrap_or_default();
        let newest = events
            .last()
            .map(|event| (event.timestamp.unwrap_or_default(), event.event_id.clone().unwrap_or_default()));
        without_news = if newest.is_none() || newest == last { without_news + 1 } else { 0 };
        last = newest.or(last);
        for event in events {
            let event = LogEvent {
                id: event.event_id.unwrap_or_default(),
                stream: event.log_stream_name.unwrap_or_default(),
                time_ms: event.timestamp.unwrap_or_default(),
                message: event.message.unwrap_or_default(),
            };
            if take(event).is_break() {
                return Ok(true);
            }
        }
        // A page without events says nothing: AWS has looked at so much, and found nothing in it.
        // The same mark again would lead here again, for ever.
        let next = page.next_token.filter(|next| Some(next) != token.as_ref());
        if next.is_none() {
            return Ok(true);
        }
        token = next;
    }
    Err(Error::new(format!(
        "CloudWatch Logs answers without end: the last {without_news} pages had no new event"
    )))
}

/// By this machine's clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// The reports of all invocations of a function that ended within a span of time, both ends included, in milliseconds
/// since 1970, in order of time. None when there is no such log group.
///
/// A report is found some seconds after its invocation has ended: ask again until all are there.
///
/// # Errors
/// AWS's refusal.
pub(crate) async fn reports(
    step: &Step<'_>,
    group: &str,
    function: &str,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Report>> {
    let query = Query { group, from_ms, to_ms: Some(to_ms), pattern: Some(REPORTS), stream: None };
    let mut reports = Vec::new();
    let take = |event: LogEvent| {
        if event.is_from(function) {
            reports.extend(Report::parse(&event.message));
        }
        ControlFlow::Continue(())
    };
    read(step, &query, take).await?;
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::script::{always, answers, done, refused};
    use aws_sdk_cloudwatchlogs::Client;
    use aws_smithy_mocks::mock;
    use serde_json::{Value, json};

    const GROUP: &str = "/aws/lambda/lab";

    fn page(messages: &[&str], next: Option<&str>) -> Value {
        let event = |(index, message): (usize, &&str)| json!({ "eventId": message, "timestamp": 1_000 + index, "message": message });
        let events: Vec<Value> = messages.iter().enumerate().map(event).collect();
        json!({ "events": events, "nextToken": next })
    }

    async fn some(world: &World, wanted: usize) -> Result<(bool, Vec<String>)> {
        let mut messages = Vec::new();
        let take = |event: LogEvent| {
            messages.push(event.message);
            if messages.len() < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let query = Query { group: GROUP, from_ms: 1_000, to_ms: None, pattern: None, stream: None };
        let exists = world.at(async |step| read(step, &query, take).await).await?;
        Ok((exists, messages))
    }

    async fn all(world: &World) -> Result<(bool, Vec<String>)> {
        some(world, usize::MAX).await
    }

    #[tokio::test(start_paused = true)]
    async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
        let pages = [page(&["a", "b"], Some("1")), page(&[], Some("2")), page(&["c"], None)];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(all(&world).await.unwrap(), (true, ["a", "b", "c"].map(str::to_owned).to_vec()));
        let sent = world.sent.bodies("FilterLogEvents");
        let tokens: Vec<&Value> = sent.iter().map(|body| &body["nextToken"]).collect();
        assert_eq!(tokens, [&Value::Null, &json!("1"), &json!("2")]);
        assert!(sent.iter().all(|body| body["startTime"] == 1_000 && body["logGroupName"] == GROUP));
        assert!(sent.iter().all(|body| body["endTime"].is_null() && body["filterPattern"].is_null()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_leads_to_itself_is_the_last() {
        let pages = [page(&["a"], Some("1")), page(&["b"], Some("1"))];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(all(&world).await.unwrap().1, ["a", "b"]);
    }

    /// Each mark is another one.
    #[tokio::test(start_paused = true)]
    async fn pages_without_end_and_without_news_are_an_error() {
        for messages in [&[][..], &["the same"][..]] {
            let pages = (0..=20).map(|number| done(page(messages, Some(&number.to_string()))));
            let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages)]);
            let query = Query { group: GROUP, from_ms: 1_000, to_ms: None, pattern: None, stream: None };
            let take = |_| ControlFlow::Continue(());
            let read = world.at(async |step| read_within(step, &query, 20, take).await).await;
            let error = read.unwrap_err().to_string();
            assert_eq!(error, "CloudWatch Logs answers without end: the last 20 pages had no new event");
            assert_eq!(world.sent.of("FilterLogEvents").len(), 20 + messages.len(), "{messages:?}");
        }
    }

    /// What is rare may stand at the end of a large log.
    #[tokio::test(start_paused = true)]
    async fn many_empty_pages_are_read_through() {
        let empty = (0..1_000).map(|number| page(&[], Some(&number.to_string())));
        let pages = empty.chain([page(&["found"], None)]);
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(all(&world).await.unwrap().1, ["found"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_more_is_asked_for_when_nobody_takes_it() {
        let pages = [done(page(&["a", "b"], Some("1")))];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages)]);
        assert_eq!(some(&world, 1).await.unwrap(), (true, vec!["a".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_is_not_there_has_no_events() {
        let none = refused(400, "ResourceNotFoundException", "The specified log group does not exist.");
        let world = World::new().with_logs(&[always(mock!(Client::filter_log_events), none)]);
        assert_eq!(all(&world).await.unwrap(), (false, vec![]));
        let found = world.at(async |step| reports(step, GROUP, "lab", 0, 1).await).await.unwrap();
        assert_eq!(found, []);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_waited_out_and_the_page_is_asked_for_again() {
        let script = [
            done(page(&["a"], Some("1"))),
            refused(400, "ThrottlingException", "Rate exceeded"),
            done(page(&["b"], None)),
        ];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)]);
        assert_eq!(all(&world).await.unwrap().1, ["a", "b"]);
        assert_eq!(world.recorder.waits(), ["AWS's call rate limit"]);
        assert_eq!(world.sent.bodies("FilterLogEvents")[2]["nextToken"], "1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_names_the_call() {
        let denied = refused(400, "AccessDeniedException", "no");
        let world = World::new().with_logs(&[always(mock!(Client::filter_log_events), denied)]);
        let error = all(&world).await.unwrap_err();
        assert!(error.to_string().contains("logs:FilterLogEvents"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn reports_are_asked_for_by_both_formats_and_the_rest_is_left_out() {
        let report = "REPORT RequestId: 1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
                      Max Memory Used: 20 MB\t\n";
        let record = r#"{"type":"platform.report","record":{"requestId":"2","metrics":{"durationMs":1,
                      "billedDurationMs":1,"memorySizeMB":128,"maxMemoryUsedMB":20}}}"#;
        let mut found = page(&[report, "a line with platform.report in it", record, report], None);
        found["events"][0]["logStreamName"] = json!("2026/11/20/[$LATEST]0123");
        found["events"][2]["logStreamName"] = json!("2026/11/20/lab[$LATEST]0123");
        found["events"][3]["logStreamName"] = json!("2026/11/20/other[$LATEST]0123");
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), [done(found)])]);
        let found = world.at(async |step| reports(step, GROUP, "lab", 5, 7).await).await.unwrap();
        assert_eq!(found.iter().map(|report| report.request_id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        let sent = &world.sent.bodies("FilterLogEvents")[0];
        assert_eq!((&sent["startTime"], &sent["endTime"]), (&json!(5), &json!(7)));
        assert_eq!(sent["filterPattern"], REPORTS);
    }
}
