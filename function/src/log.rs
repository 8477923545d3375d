//! Writes the function's log: one line of JSON for each invocation, in the format of Lambda's JSON logging.
//!
//! A line never contains data of an event, an item or an answer, nor credentials. So it has no messages of 4xx errors,
//! which quote the request.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use serde::Serialize;

use crate::handler::Report;

/// The severity of a line, and the lowest severity that is written. See
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A request that succeeded.
    #[default]
    Info,
    /// A 4xx error: the caller's, or throttling.
    Warn,
    /// A 5xx error.
    Error,
    /// The threshold above all lines: nothing is written.
    Off,
}

impl Level {
    /// Returns the level with this name, in upper or lower case. `DEBUG`, `TRACE` and unknown names mean `INFO`, because no
    /// line has a lower level.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "WARN" | "WARNING" => Self::Warn,
            "ERROR" | "FATAL" => Self::Error,
            "OFF" | "NONE" => Self::Off,
            _ => Self::Info,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error | Self::Off => "ERROR",
        }
    }
}

/// The maximum number of characters of a table's name in a line. DynamoDB allows 255, but an event can contain any name.
const MAX_TABLE_CHARACTERS: usize = 255;

/// Writes the line of an invocation to standard output, unless its level is below `threshold`.
pub fn write(threshold: Level, request_id: &str, duration: Duration, report: &Report) {
    let level = level(report);
    if level < threshold {
        return;
    }
    let line = Line::new(SystemTime::now(), level, request_id, duration, report);
    let Ok(mut text) = serde_json::to_vec(&line) else {
        return;
    };
    text.push(b'\n');
    // There is nowhere to report that stdout cannot be written.
    let _ = io::stdout().lock().write_all(&text);
}

fn level(report: &Report) -> Level {
    match report.failure.as_ref().map(|failure| failure.status) {
        None => Level::Info,
        Some(..500) => Level::Warn,
        Some(_) => Level::Error,
    }
}

/// A line of the log. Lambda evaluates `timestamp` and `level`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    level: &'static str,
    request_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    duration_ms: f64,
    outcome: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(rename = "dynamodbRequestId", skip_serializing_if = "Option::is_none")]
    dynamodb_request_id: Option<&'r str>,
}

impl<'r> Line<'r> {
    fn new(
        time: SystemTime,
        level: Level,
        request_id: &'r str,
        duration: Duration,
        report: &'r Report,
    ) -> Self {
        let Report { operation, table, failure, exchange } = report;
        let (failure, exchange) = (failure.as_ref(), exchange.as_ref());
        Self {
            timestamp: DateTime::from(time).fmt(DateTimeFormat::DateTime).ok(),
            level: level.name(),
            request_id,
            operation: *operation,
            table: table.as_ref().map(|table| table.chars().take(MAX_TABLE_CHARACTERS).collect()),
            duration_ms: milliseconds(duration),
            outcome: failure.map_or("ok", |failure| &failure.error_type),
            status: failure.map(|failure| failure.status),
            message: failure.filter(|failure| failure.status >= 500).map(|failure| failure.message.as_str()),
            detail: failure.and_then(|failure| failure.detail.as_deref()),
            attempts: exchange.map(|exchange| exchange.attempts),
            dynamodb_request_id: exchange.and_then(|exchange| exchange.request_id.as_deref()),
        }
    }
}

/// Converts a duration to milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::Failure, store::Exchange};

    fn line(report: &Report) -> String {
        let duration = Duration::from_nanos(1_234_567);
        let line = Line::new(SystemTime::UNIX_EPOCH, level(report), "request", duration, report);
        serde_json::to_string(&line).unwrap()
    }

    #[test]
    fn a_line_describes_the_invocation() {
        let report = Report {
            operation: Some("list"),
            table: Some("table\n".to_owned()),
            failure: None,
            exchange: Some(Exchange { attempts: 1, request_id: Some("id".to_owned()) }),
        };
        assert_eq!(
            line(&report),
            r#"{"timestamp":"1970-01-01T00:00:00Z","level":"INFO","requestId":"request","operation":"list","table":"table\n","durationMs":1.235,"outcome":"ok","attempts":1,"dynamodbRequestId":"id"}"#
        );
    }

    #[test]
    fn logs_causes_of_internal_errors_but_no_text_of_callers() {
        let failure = Some(Failure::internal("AccessDeniedException", "not authorized"));
        assert_eq!(
            line(&Report { failure, ..Report::default() }),
            r#"{"timestamp":"1970-01-01T00:00:00Z","level":"ERROR","requestId":"request","durationMs":1.235,"outcome":"InternalError","status":500,"message":"Internal error: AccessDeniedException","detail":"not authorized"}"#
        );
        let failure = Some(Failure::unrecognized_operation("secret"));
        assert_eq!(
            line(&Report { failure, ..Report::default() }),
            r#"{"timestamp":"1970-01-01T00:00:00Z","level":"WARN","requestId":"request","durationMs":1.235,"outcome":"ValueError","status":400}"#
        );
    }

    #[test]
    fn recognizes_the_usual_names_of_levels() {
        assert_eq!(Level::from_name("warn"), Level::Warn);
        assert_eq!(Level::from_name("FATAL"), Level::Error);
        assert_eq!(Level::from_name("off"), Level::Off);
        for name in ["TRACE", "debug", "INFO", "?"] {
            assert_eq!(Level::from_name(name), Level::Info);
        }
        assert!(Level::Info < Level::Warn && Level::Warn < Level::Error && Level::Error < Level::Off);
    }

    #[test]
    fn truncates_a_long_table_name() {
        let report = Report { table: Some("☃".repeat(6_000_000)), ..Report::default() };
        assert!(line(&report).len() < 1_000);
    }
}
