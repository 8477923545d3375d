//! Renders a message of a function's log for people: Lambda's own lines in words, JSON on one line.

use super::palette::{BAD, FAINT, GOOD, WARNING};
use crate::invocation::report::Report;
use crate::printable::Printable;
use anstyle::Style;
use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Map, Value};

/// The beginnings of Lambda's lines that add nothing to the report.
const SILENT: [&str; 3] = ["START RequestId: ", "END RequestId: ", "INIT_START "];

/// The types of Lambda's records that add nothing to the report unless something failed.
const SILENT_RECORDS: [&str; 12] = [
    "platform.initStart",
    "platform.initRuntimeDone",
    "platform.initReport",
    "platform.restoreStart",
    "platform.restoreRuntimeDone",
    "platform.restoreReport",
    "platform.start",
    "platform.runtimeDone",
    "platform.end",
    "platform.extension",
    "platform.telemetrySubscription",
    "platform.logsSubscription",
];

/// The keys of JSON lines that hold the time. `logs` shows the time in front.
const TIMES: [&str; 4] = ["timestamp", "time", "@timestamp", "ts"];
const LEVELS: [&str; 3] = ["level", "severity", "log_level"];
const MESSAGES: [&str; 2] = ["message", "msg"];

/// Renders a message; `None` when it has nothing for people.
pub(crate) fn readable(message: &str) -> Option<Printable> {
    let message = message.trim_end();
    if message.is_empty() || SILENT.iter().any(|start| message.starts_with(start)) {
        return None;
    }
    if let Some(report) = Report::parse(message) {
        let style = if report.failure.is_some() { BAD } else { FAINT };
        return Some(Printable::painted(&took(&report), style));
    }
    let Ok(Value::Object(object)) = serde_json::from_str(message) else {
        return Some(message.into());
    };
    match (object.get("type").and_then(Value::as_str), object.get("record")) {
        (Some(kind), Some(record)) if kind.starts_with("platform.") => of_lambda(kind, record),
        _ => Some(on_one_line(&object).unwrap_or_else(|| message.into())),
    }
}

/// Renders a record that Lambda writes in the JSON log format. A record of an unknown type may be a warning, so it is
/// shown.
fn of_lambda(kind: &str, record: &Value) -> Option<Printable> {
    let failed =
        !matches!(record["status"].as_str(), None | Some("success")) || !record["errorType"].is_null();
    if SILENT_RECORDS.contains(&kind) && !failed {
        return None;
    }
    let mut parts = vec![Printable::painted(kind, WARNING)];
    match record {
        Value::Object(record) => {
            sorted(record).for_each(|(key, value)| pairs(key, value, &mut parts));
        }
        Value::String(text) => parts.push(text.into()),
        other => parts.push(Printable::from(&other.to_string())),
    }
    Some(Printable::spaced(parts))
}

/// Writes an event's time in UTC: `2026-11-20 12:34:56.789`.
pub(crate) fn moment(time_ms: i64) -> String {
    let second = DateTime::from_secs(time_ms.div_euclid(1000)).fmt(Format::DateTime).unwrap_or_default();
    format!("{}.{:03}", second.trim_end_matches('Z').replace('T', " "), time_ms.rem_euclid(1000))
}

/// Sums up a report, with the request id that `deployer logs --request-id` takes.
pub(crate) fn took(report: &Report) -> String {
    let Report { duration_ms, billed_ms, memory_mb, max_memory_used_mb, .. } = report;
    let mut words = format!(
        "took {}, billed {billed_ms} ms, {max_memory_used_mb} of {memory_mb} MB",
        milliseconds(*duration_ms)
    );
    if let Some(init) = report.init_ms {
        words.push_str(&format!(", cold start {}", milliseconds(init)));
    }
    if let Some(restore) = report.restore_ms {
        words.push_str(&format!(", restored in {}", milliseconds(restore)));
    }
    if let Some(failure) = &report.failure {
        words.push_str(&format!(", failed: {failure}"));
    }
    words.push_str(&format!(", request {}", report.request_id));
    words
}

fn milliseconds(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Writes level and message, then `key=value`. `None` when there is nothing except the time.
fn on_one_line(object: &Map<String, Value>) -> Option<Printable> {
    let find =
        |names: &'static [&str]| names.iter().find_map(|name| Some((*name, object.get(*name)?.as_str()?)));
    let (level, message) = (find(&LEVELS), find(&MESSAGES));
    let mut parts = Vec::new();
    if let Some((_, level)) = level {
        parts.push(Printable::painted(level, style_of(level)));
    }
    if let Some((_, message)) = message {
        parts.push(message.into());
    }
    let said = [level, message].map(|found| found.map(|(name, _)| name));
    for (key, value) in sorted(object) {
        let is_moment = TIMES.contains(&key.as_str()) && is_moment(value);
        if !said.contains(&Some(key.as_str())) && !is_moment {
            pairs(key, value, &mut parts);
        }
    }
    (!parts.is_empty()).then(|| Printable::spaced(parts))
}

/// Whether a value is a time as loggers write it: a date with a time of day, or the time since 1970 in seconds,
/// milliseconds and so on. Other numbers are something else, such as a duration.
fn is_moment(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let has = |sign| text.contains(sign);
            let fits = |c: char| c.is_ascii_digit() || "-/:., +TZ".contains(c);
            text.len() >= 16 && (has('-') || has('/')) && has(':') && text.chars().all(fits)
        }
        Value::Number(number) => number.as_f64().is_some_and(|number| {
            // From 2017 to 2049.
            [1.0, 1e3, 1e6, 1e9].iter().any(|unit| (1.5e9..2.5e9).contains(&(number / unit)))
        }),
        _ => false,
    }
}

/// Flattens an object's members under its name: `a.b=1`.
fn pairs(key: &str, value: &Value, parts: &mut Vec<Printable>) {
    let text = match value {
        Value::Object(object) if !object.is_empty() => {
            return sorted(object).for_each(|(inner, value)| {
                pairs(&format!("{key}.{inner}"), value, parts);
            });
        }
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        other => other.to_string(),
    };
    parts.push(Printable::painted(&format!("{key}="), FAINT).with(&text));
}

/// Sorted, because the order of a map depends on the build.
fn sorted(object: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(key, _)| *key);
    members.into_iter()
}

fn style_of(level: &str) -> Style {
    match level.to_ascii_uppercase().as_str() {
        "ERROR" | "FATAL" | "CRITICAL" => BAD,
        "WARN" | "WARNING" => WARNING,
        "INFO" => GOOD,
        _ => FAINT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    const REPORT: &str = "REPORT RequestId: 1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
                          Max Memory Used: 20 MB\t";

    /// What is printed, with colours or without.
    fn shown(message: &str, colour: bool) -> Option<String> {
        let line = readable(message)?;
        Some(if colour { line.as_str().to_owned() } else { strip_str(line.as_str()).to_string() })
    }

    #[test]
    fn lines_are_put_in_words() {
        let cold = format!("{REPORT}Init Duration: 30.00 ms\t\n");
        let restored = format!("{REPORT}Restore Duration: 412.50 ms\t\n");
        let failed = format!("{REPORT}Status: timeout\n");
        let cases = [
            ("START RequestId: 1 Version: $LATEST\n", None),
            ("END RequestId: 1\n", None),
            ("INIT_START Runtime Version: provided:al2023.v1\n", None),
            ("\n", None),
            (REPORT, Some("took 1.2 ms, billed 2 ms, 20 of 128 MB, request 1")),
            (&cold, Some("took 1.2 ms, billed 2 ms, 20 of 128 MB, cold start 30.0 ms, request 1")),
            (&restored, Some("took 1.2 ms, billed 2 ms, 20 of 128 MB, restored in 412 ms, request 1")),
            (&failed, Some("took 1.2 ms, billed 2 ms, 20 of 128 MB, failed: timeout, request 1")),
            ("a line\n", Some("a line")),
            ("two\n\tlines\n", Some("two\n\tlines")),
            ("\u{1b}[31mred\u{7}\u{202e}", Some("\\u{1b}[31mred\\u{7}\\u{202e}")),
            ("START of something", Some("START of something")),
            (r#"{"type":"platform.start","record":{"requestId":"1"}}"#, None),
            (r#"{"type":"platform.runtimeDone","record":{"status":"success"}}"#, None),
            (
                r#"{"time":"x","type":"platform.initReport","record":{"status":"error"}}"#,
                Some("platform.initReport status=error"),
            ),
            (r#"{"type":"platform.extension","record":{"name":"x","state":"Ready"}}"#, None),
            (
                r#"{"type":"platform.extension","record":{"name":"x","errorType":"Extension.Crash"}}"#,
                Some("platform.extension errorType=Extension.Crash name=x"),
            ),
            (
                r#"{"type":"platform.logsDropped","record":{"droppedBytes":1,"droppedRecords":2,"reason":"Too late."}}"#,
                Some(r#"platform.logsDropped droppedBytes=1 droppedRecords=2 reason="Too late.""#),
            ),
            (
                r#"{"type":"platform.fault","record":"RequestId: 1 Process exited"}"#,
                Some("platform.fault RequestId: 1 Process exited"),
            ),
            (r#"{"type":"platform.new\u001b","record":[1]}"#, Some("platform.new\\u{1b} [1]")),
            // The function's own.
            (r#"{"type":"platform.stats","message":"x"}"#, Some("x type=platform.stats")),
            (r#"{"type":"platform.start"}"#, Some("type=platform.start")),
            ("[1,2]", Some("[1,2]")),
            (r#"{"a":1"#, Some(r#"{"a":1"#)),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message, false).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn json_begins_with_level_and_message() {
        let cases = [
            (
                r#"{"timestamp":"1970-01-01T00:00:00Z","level":"INFO","requestId":"1","operation":"list","durationMs":1.235}"#,
                "INFO durationMs=1.235 operation=list requestId=1",
            ),
            (
                r#"{"time":"2026-11-20 12:21:36,007","severity":"WARN","msg":"a b","x":{"y":[1,2],"z":{}},"text":"c d","none":""}"#,
                r#"WARN a b none="" text="c d" x.y=[1,2] x.z={}"#,
            ),
            (r#"{"level":30,"ok":true}"#, "level=30 ok=true"),
            (r#"{"message":"\u001b[2J"}"#, "\\u{1b}[2J"),
            (r#"{"msg":"done","time":12.5}"#, "done time=12.5"),
            (r#"{"msg":"done","ts":"fast","time":null}"#, "done time=null ts=fast"),
            (r#"{"msg":"done","ts":1795177296.007,"time":1795177296007}"#, "done"),
            (r#"{"msg":"done","@timestamp":"2026-11-20T12:21:36.007123+00:00"}"#, "done"),
            (r#"{"time":1}"#, "time=1"),
            (r#"{"time":1795177296}"#, r#"{"time":1795177296}"#),
            ("{}", "{}"),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message, false).as_deref(), Some(expected), "{message}");
        }
    }

    #[test]
    fn a_moment_has_three_digits_after_the_second() {
        assert_eq!(moment(1_795_177_296_007), "2026-11-20 12:21:36.007");
        assert_eq!(moment(1_795_177_296_000), "2026-11-20 12:21:36.000");
        assert_eq!(moment(0), "1970-01-01 00:00:00.000");
    }

    #[test]
    fn colour_follows_the_level() {
        let line = |level: &str| shown(&format!(r#"{{"level":"{level}"}}"#), true).unwrap();
        for (level, code) in [("ERROR", 31), ("fatal", 31), ("Warning", 33), ("INFO", 32), ("TRACE", 2)] {
            assert_eq!(line(level), format!("\u{1b}[{code}m{level}\u{1b}[0m"));
        }
        assert_eq!(shown(r#"{"a":1}"#, true).unwrap(), "\u{1b}[2ma=\u{1b}[0m1");
    }
}
