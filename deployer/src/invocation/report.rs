//! Lambda's report on an invocation: durations, billed duration and memory. Pure.
//!
//! The report is a line of text in the log and in the log tail of `Invoke`. In the JSON log format it is a record of type
//! `platform.report`.

use serde::Serialize;
use serde_json::Value;

/// The prefix of the line of text.
const TEXT_PREFIX: &str = "REPORT RequestId: ";

/// The type of the JSON record.
const RECORD_TYPE: &str = "platform.report";

/// Lambda's measurements of one invocation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) request_id: String,
    /// The duration of the handler, in milliseconds.
    pub(crate) duration_ms: f64,
    /// The billed duration, in milliseconds: rounded up, and with the initialization where AWS bills it.
    pub(crate) billed_ms: u64,
    /// The memory setting, in MB.
    pub(crate) memory_mb: u64,
    /// The most memory that the execution environment has used so far, in MB.
    pub(crate) max_memory_used_mb: u64,
    /// The initialization of a new execution environment, in milliseconds; `None` for a warm start.
    pub(crate) init_ms: Option<f64>,
    /// The restore of a new execution environment from a snapshot, in milliseconds.
    pub(crate) restore_ms: Option<f64>,
    /// Why the runtime returned no result: `timeout`, `Runtime.ExitError`, … Errors that the function returns are not
    /// included.
    pub(crate) failure: Option<String>,
}

impl Report {
    /// Parses a log message; returns `None` if it is not a report.
    pub(crate) fn parse(message: &str) -> Option<Self> {
        if message.trim_start().starts_with('{') {
            Self::parse_record(&serde_json::from_str(message).ok()?)
        } else {
            Self::parse_text(message)
        }
    }

    /// Returns whether the invocation was a cold start.
    pub(crate) fn is_cold(&self) -> bool {
        self.init_ms.is_some() || self.restore_ms.is_some()
    }

    /// Returns the time from the invocation to the result, in milliseconds: the duration of the handler and of the start of a
    /// new execution environment.
    pub(crate) fn total_ms(&self) -> f64 {
        self.duration_ms + self.init_ms.unwrap_or_default() + self.restore_ms.unwrap_or_default()
    }

    /// Parses a line of text. Fields are separated by tabs; X-Ray's fields are on a second line.
    fn parse_text(message: &str) -> Option<Self> {
        let (request_id, rest) = message.strip_prefix(TEXT_PREFIX)?.split_once('\t')?;
        let field = |name: &str| {
            let fields = rest.split(['\t', '\n']);
            fields.filter_map(|field| field.trim().split_once(": ")).find(|field| field.0 == name)
        };
        let text = |name: &str| Some(field(name)?.1);
        let decimal = |name: &str, unit: &str| text(name)?.strip_suffix(unit)?.trim_end().parse().ok();
        let integer = |name: &str, unit: &str| text(name)?.strip_suffix(unit)?.trim_end().parse().ok();
        Some(Self {
            request_id: request_id.trim_end().to_owned(),
            duration_ms: decimal("Duration", "ms")?,
            billed_ms: integer("Billed Duration", "ms")?,
            memory_mb: integer("Memory Size", "MB")?,
            max_memory_used_mb: integer("Max Memory Used", "MB")?,
            init_ms: decimal("Init Duration", "ms"),
            restore_ms: decimal("Restore Duration", "ms"),
            failure: failure(text("Status"), text("Error Type")),
        })
    }

    fn parse_record(message: &Value) -> Option<Self> {
        if message["type"] != RECORD_TYPE {
            return None;
        }
        let record = &message["record"];
        let metrics = &record["metrics"];
        Some(Self {
            request_id: record["requestId"].as_str()?.to_owned(),
            duration_ms: metrics["durationMs"].as_f64()?,
            billed_ms: metrics["billedDurationMs"].as_u64()?,
            memory_mb: metrics["memorySizeMB"].as_u64()?,
            max_memory_used_mb: metrics["maxMemoryUsedMB"].as_u64()?,
            init_ms: metrics["initDurationMs"].as_f64(),
            restore_ms: metrics["restoreDurationMs"].as_f64(),
            failure: failure(record["status"].as_str(), record["errorType"].as_str()),
        })
    }
}

/// Returns the error type if there is one; it is more specific than the status `error` or `failure`.
fn failure(status: Option<&str>, error_type: Option<&str>) -> Option<String> {
    let status = status.filter(|status| *status != "success")?;
    Some(error_type.unwrap_or(status).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            request_id: "8fc6f963-411b-58b5-8483-a32130c0f45d".to_owned(),
            duration_ms: 1.23,
            billed_ms: 2,
            memory_mb: 128,
            max_memory_used_mb: 20,
            init_ms: None,
            restore_ms: None,
            failure: None,
        }
    }

    const WARM: &str = "REPORT RequestId: 8fc6f963-411b-58b5-8483-a32130c0f45d\tDuration: 1.23 ms\t\
                        Billed Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\t";

    #[test]
    fn parses_lines_of_text() {
        let failed = |failure: &str| Report { failure: Some(failure.to_owned()), ..report() };
        let cases = [
            ("", report()),
            ("\n", report()),
            ("Init Duration: 30.00 ms\t\n", Report { init_ms: Some(30.0), ..report() }),
            (
                "Restore Duration: 412.5 ms\tBilled Restore Duration: 3 ms\t\n",
                Report { restore_ms: Some(412.5), ..report() },
            ),
            (
                "\nXRAY TraceId: 1-61c86fa4-59b3c6d959653c527fd10966\tSegmentId: 107ea78a5750a811\tSampled: true\t\n",
                report(),
            ),
            ("Status: timeout\n", failed("timeout")),
            ("Status: error\tError Type: Runtime.ExitError\n", failed("Runtime.ExitError")),
            ("Status: success\n", report()),
            ("Something New: 7 GB\n", report()),
        ];
        for (end, expected) in cases {
            assert_eq!(Report::parse(&format!("{WARM}{end}")), Some(expected), "{end}");
        }
    }

    #[test]
    fn parses_json_records() {
        let record = |metrics: &str, status: &str| {
            format!(
                r#"{{"time":"2024-06-17T17:23:55.826Z","type":"platform.report","record":{{"requestId":
                "8fc6f963-411b-58b5-8483-a32130c0f45d","metrics":{{"durationMs":1.23,"billedDurationMs":2,
                "memorySizeMB":128,"maxMemoryUsedMB":20{metrics}}}{status}}}}}"#
            )
        };
        let cases = [
            ("", r#","status":"success""#, report()),
            (r#","initDurationMs":30.5"#, "", Report { init_ms: Some(30.5), ..report() }),
            (r#","restoreDurationMs":412.5"#, "", Report { restore_ms: Some(412.5), ..report() }),
            ("", r#","status":"timeout""#, Report { failure: Some("timeout".to_owned()), ..report() }),
            (
                "",
                r#","status":"error","errorType":"Runtime.ExitError""#,
                Report { failure: Some("Runtime.ExitError".to_owned()), ..report() },
            ),
        ];
        for (metrics, status, expected) in cases {
            assert_eq!(Report::parse(&record(metrics, status)), Some(expected), "{metrics}{status}");
        }
    }

    #[test]
    fn ignores_messages_that_are_not_reports() {
        let without = |part: &str| WARM.replace(part, "");
        let others = [
            "",
            "START RequestId: 8fc6f963-411b-58b5-8483-a32130c0f45d Version: $LATEST\n",
            "INIT_REPORT Init Duration: 154.03 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n",
            "REPORT RequestId: 8fc6f963",
            &without("Duration: 1.23 ms\t"),
            &without("Memory Size: 128 MB\t"),
            &WARM.replace("2 ms", "many ms"),
            &WARM.replace("128 MB", "128 apples"),
            &format!("a line that quotes {WARM}"),
            r#"{"type":"platform.start","record":{"requestId":"8fc6f963"}}"#,
            r#"{"type":"platform.report","record":{"requestId":"8fc6f963"}}"#,
            r#"{"type":"platform.report""#,
            r#"{"message":"REPORT"}"#,
        ];
        for other in others {
            assert_eq!(Report::parse(other), None, "{other}");
        }
    }

    #[test]
    fn initialization_and_restore_are_cold_starts() {
        assert!(!report().is_cold());
        assert!(Report { init_ms: Some(30.0), ..report() }.is_cold());
        assert!(Report { restore_ms: Some(30.0), ..report() }.is_cold());
    }
}
