//! Reads the events of a log group, page by page.

use crate::engine::{Step, absent};
use crate::error::{Error, Result};
use crate::invocation::report::Report;
use serde::Serialize;
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];

/// The filter pattern for invocation reports, in both log formats. Terms with a question mark are alternatives.
const REPORT_PATTERN: &str = r#"?"REPORT RequestId" ?"platform.report""#;

/// The most consecutive pages without a new event. A page that matches nothing covers about a megabyte of the log, so this
/// is some gigabytes, or at least a quarter of an hour.
const MAX_PAGES_WITHOUT_EVENTS: usize = 10_000;

/// A selection of the events of a log group.
#[derive(Clone, Debug)]
pub(crate) struct LogQuery<'a> {
    pub(crate) group: &'a str,
    /// The start of the time range, in milliseconds since 1970.
    pub(crate) from_ms: i64,
    /// The end of the time range, inclusive; `None` for now.
    pub(crate) to_ms: Option<i64>,
    /// A filter pattern of `CloudWatch` Logs; `None` for all events.
    pub(crate) pattern: Option<&'a str>,
    /// The log stream, which has the events of one execution environment; `None` for all streams.
    pub(crate) stream: Option<&'a str>,
}

/// A log event, written by a function or by Lambda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LogEvent {
    /// The event's id, which never changes.
    pub(crate) id: String,
    pub(crate) stream: String,
    /// The timestamp in milliseconds since 1970, by the clock of the execution environment.
    pub(crate) time_ms: i64,
    /// The message as it was written. Most messages end with a newline.
    pub(crate) message: String,
}

impl LogEvent {
    /// Returns whether the stream's name allows that this function wrote the event. In a log group that functions share,
    /// streams are named `YYYY/MM/DD/FUNCTION[VERSION]ID`. In a function's own log group, the name lacks `FUNCTION`.
    /// See <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html>.
    pub(crate) fn is_from(&self, function: &str) -> bool {
        let name = self.stream.split('[').next().and_then(|prefix| prefix.rsplit('/').next());
        !self.stream.contains('[') || name.is_none_or(|name| name.is_empty() || name == function)
    }
}

/// Passes the events to `on_event` in order of time until it breaks. Returns `false` if the log group does not exist.
///
/// An event appears some seconds after it was written, and an earlier event may appear later.
///
/// # Errors
/// A refusal of AWS; pages without end. The events before have been passed on.
pub(crate) async fn read(
    step: &Step<'_>,
    query: &LogQuery<'_>,
    on_event: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<bool> {
    read_pages(step, query, MAX_PAGES_WITHOUT_EVENTS, on_event).await
}

/// The same, with a limit for consecutive pages without a new event.
async fn read_pages(
    step: &Step<'_>,
    query: &LogQuery<'_>,
    max_pages_without_events: usize,
    mut on_event: impl FnMut(LogEvent) -> ControlFlow<()>,
) -> Result<bool> {
    let mut token = None;
    let mut last: Option<(i64, String)> = None;
    let mut pages_without_events = 0;
    while pages_without_events < max_pages_without_events {
        let filter = step.aws.logs.filter_log_events().log_group_name(query.group);
        let filter = filter.start_time(query.from_ms).set_end_time(query.to_ms);
        let filter =
            filter.set_filter_pattern(query.pattern.map(str::to_owned)).set_next_token(token.clone());
        let filter = filter.set_log_stream_names(query.stream.map(|stream| vec![stream.to_owned()]));
        let filter = || step.call("logs:FilterLogEvents", filter.clone().send());
        let Some(page) = absent(step.retry(&[], filter).await, NOT_FOUND)? else {
            return Ok(false);
        };
        let events = page.events.unwrap_or_default();
        let newest = events
            .last()
            .map(|event| (event.timestamp.unwrap_or_default(), event.event_id.clone().unwrap_or_default()));
        pages_without_events = if newest.is_none() || newest == last { pages_without_events + 1 } else { 0 };
        last = newest.or(last);
        for event in events {
            let event = LogEvent {
                id: event.event_id.unwrap_or_default(),
                stream: event.log_stream_name.unwrap_or_default(),
                time_ms: event.timestamp.unwrap_or_default(),
                message: event.message.unwrap_or_default(),
            };
            if on_event(event).is_break() {
                return Ok(true);
            }
        }
        // An empty page is not the last: AWS has searched a part of the log without a match. The same token again would
        // loop forever.
        let next_token = page.next_token.filter(|next| Some(next) != token.as_ref());
        if next_token.is_none() {
            return Ok(true);
        }
        token = next_token;
    }
    Err(Error::new(format!(
        "CloudWatch Logs answers without end: the last {pages_without_events} pages had no new event"
    )))
}

/// Returns the current time by this machine's clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the reports of all invocations of a function that ended within a time range (inclusive, in milliseconds since
/// 1970), in order of time. There are none if the log group does not exist.
///
/// A report appears some seconds after its invocation has ended, so callers read again until all have appeared.
///
/// # Errors
/// A refusal of AWS.
pub(crate) async fn reports(
    step: &Step<'_>,
    group: &str,
    function: &str,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Report>> {
    let query = LogQuery { group, from_ms, to_ms: Some(to_ms), pattern: Some(REPORT_PATTERN), stream: None };
    let mut reports = Vec::new();
    let on_event = |event: LogEvent| {
        if event.is_from(function) {
            reports.extend(Report::parse(&event.message));
        }
        ControlFlow::Continue(())
    };
    read(step, &query, on_event).await?;
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

    fn page(messages: &[&str], next_token: Option<&str>) -> Value {
        let event = |(index, message): (usize, &&str)| json!({ "eventId": message, "timestamp": 1_000 + index, "message": message });
        let events: Vec<Value> = messages.iter().enumerate().map(event).collect();
        json!({ "events": events, "nextToken": next_token })
    }

    /// Reads until this many events have been passed on. Returns whether the log group exists, and the messages.
    async fn read_up_to(world: &World, count: usize) -> Result<(bool, Vec<String>)> {
        let mut messages = Vec::new();
        let on_event = |event: LogEvent| {
            messages.push(event.message);
            if messages.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let query = LogQuery { group: GROUP, from_ms: 1_000, to_ms: None, pattern: None, stream: None };
        let exists = world.at(async |step| read(step, &query, on_event).await).await?;
        Ok((exists, messages))
    }

    async fn read_all(world: &World) -> Result<(bool, Vec<String>)> {
        read_up_to(world, usize::MAX).await
    }

    #[tokio::test(start_paused = true)]
    async fn reads_all_pages_although_one_is_empty() {
        let pages = [page(&["a", "b"], Some("1")), page(&[], Some("2")), page(&["c"], None)];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(read_all(&world).await.unwrap(), (true, ["a", "b", "c"].map(str::to_owned).to_vec()));
        let sent = world.sent.bodies("FilterLogEvents");
        let tokens: Vec<&Value> = sent.iter().map(|body| &body["nextToken"]).collect();
        assert_eq!(tokens, [&Value::Null, &json!("1"), &json!("2")]);
        assert!(sent.iter().all(|body| body["startTime"] == 1_000 && body["logGroupName"] == GROUP));
        assert!(sent.iter().all(|body| body["endTime"].is_null() && body["filterPattern"].is_null()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_with_its_own_token_is_the_last() {
        let pages = [page(&["a"], Some("1")), page(&["b"], Some("1"))];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(read_all(&world).await.unwrap().1, ["a", "b"]);
    }

    /// Each page has another token.
    #[tokio::test(start_paused = true)]
    async fn endless_pages_without_new_events_are_an_error() {
        for messages in [&[][..], &["the same"][..]] {
            let pages = (0..=20).map(|number| done(page(messages, Some(&number.to_string()))));
            let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages)]);
            let query = LogQuery { group: GROUP, from_ms: 1_000, to_ms: None, pattern: None, stream: None };
            let on_event = |_| ControlFlow::Continue(());
            let result = world.at(async |step| read_pages(step, &query, 20, on_event).await).await;
            let error = result.unwrap_err().to_string();
            assert_eq!(error, "CloudWatch Logs answers without end: the last 20 pages had no new event");
            assert_eq!(world.sent.of("FilterLogEvents").len(), 20 + messages.len(), "{messages:?}");
        }
    }

    /// A rare match may be at the end of a large log.
    #[tokio::test(start_paused = true)]
    async fn reads_through_many_empty_pages() {
        let empty = (0..1_000).map(|number| page(&[], Some(&number.to_string())));
        let pages = empty.chain([page(&["found"], None)]);
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages.map(done))]);
        assert_eq!(read_all(&world).await.unwrap().1, ["found"]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_no_further_page_after_a_break() {
        let pages = [done(page(&["a", "b"], Some("1")))];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), pages)]);
        assert_eq!(read_up_to(&world, 1).await.unwrap(), (true, vec!["a".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_log_group_has_no_events() {
        let missing = refused(400, "ResourceNotFoundException", "The specified log group does not exist.");
        let world = World::new().with_logs(&[always(mock!(Client::filter_log_events), missing)]);
        assert_eq!(read_all(&world).await.unwrap(), (false, vec![]));
        let found = world.at(async |step| reports(step, GROUP, "lab", 0, 1).await).await.unwrap();
        assert_eq!(found, []);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_out_throttling_and_requests_the_page_again() {
        let script = [
            done(page(&["a"], Some("1"))),
            refused(400, "ThrottlingException", "Rate exceeded"),
            done(page(&["b"], None)),
        ];
        let world = World::new().with_logs(&[answers(mock!(Client::filter_log_events), script)]);
        assert_eq!(read_all(&world).await.unwrap().1, ["a", "b"]);
        assert_eq!(world.recorder.waits(), ["AWS's call rate limit"]);
        assert_eq!(world.sent.bodies("FilterLogEvents")[2]["nextToken"], "1");
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_names_the_call() {
        let denied = refused(400, "AccessDeniedException", "no");
        let world = World::new().with_logs(&[always(mock!(Client::filter_log_events), denied)]);
        let error = read_all(&world).await.unwrap_err();
        assert!(error.to_string().contains("logs:FilterLogEvents"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn finds_reports_in_both_formats_and_ignores_other_functions() {
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
        assert_eq!(sent["filterPattern"], REPORT_PATTERN);
    }
}
