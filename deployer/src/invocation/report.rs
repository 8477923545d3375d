//! Lambda's report at the end of each invocation: what it took, and what it is billed for. Pure.
//!
//! It comes as a line of text in the tail of an invocation and in the log, or as a record `platform.report` in the log
//! of a function whose log format is JSON.

use serde::Serialize;
use serde_json::Value;

/// Begins the line of text.
const TEXT: &str = "REPORT RequestId: ";

/// The type of the record.
const RECORD: &str = "platform.report";

/// One invocation, as Lambda measured it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) request_id: String,
    /// What the handler took, in milliseconds.
    pub(crate) duration_ms: f64,
    /// What is paid for, in milliseconds: rounded up, and with the initialisation where AWS bills that.
    pub(crate) billed_ms: u64,
    /// What the function had, in MB.
    pub(crate) memory_mb: u64,
    /// The most that its environment has ever used, in MB.
    pub(crate) max_memory_used_mb: u64,
    /// What a new environment took to start, in milliseconds. `None` when it was there already.
    pub(crate) init_ms: Option<f64>,
    /// What a new environment took to come back from a snapshot, in milliseconds.
    pub(crate) restore_ms: Option<f64>,
    /// Why the runtime did not get to an answer: `timeout`, `Runtime.ExitError`, … An error that the function answers
    /// is none.
    pub(crate) failure: Option<String>,
}

impl Report {
    /// Finds out whether a message of a log is a report; `None` when it is something else.
    pub(crate) fn parse(message: &str) -> Option<Self> {
        if message.trim_start().starts_with('{') {
            Self::of_record(&serde_json::from_str(message).ok()?)
        } else {
            Self::of_text(message)
        }
    }

    /// Whether the invocation had to wait for a new environment.
    pub(crate) fn is_cold(&self) -> bool {
        self.init_ms.is_some() || self.restore_ms.is_some()
    }

    /// From the invocation to the answer, in milliseconds: the handler's duration, and the start of a new environment.
    pub(crate) fn total_ms(&self) -> f64 {
        self.duration_ms + self.init_ms.unwrap_or_default() + self.restore_ms.unwrap_or_default()
    }

    /// Fields stand between tabs; those of X-Ray on a line of their own.
    fn of_text(message: &str) -> Option<Self> {
        let (request_id, rest) = message.strip_prefix(TEXT)?.split_once('\t')?;
        let field = |name: &str| {
            let fields = rest.split(['\t', '\n']);
            fields.filter_map(|field| field.trim().split_once(": ")).find(|field| field.0 == name)
        };
        let text = |name: &str| Some(field(name)?.1);
        let number = |name: &str, unit: &str| text(name)?.strip_suffix(unit)?.trim_end().parse().ok();
        let whole = |name: &str, unit: &str| text(name)?.strip_suffix(unit)?.trim_end().parse().ok();
        Some(Self {
            request_id: request_id.trim_end().to_owned(),
            duration_ms: number("Duration", "ms")?,
            billed_ms: whole("Billed Duration", "ms")?,
            memory_mb: whole("Memory Size", "MB")?,
            max_memory_used_mb: whole("Max Memory Used", "MB")?,
            init_ms: number("Init Duration", "ms"),
            restore_ms: number("Restore Duration", "ms"),
            failure: failure(text("Status"), text("Error Type")),
        })
    }

    fn of_record(message: &Value) -> Option<Self> {
        if message["type"] != RECORD {
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

/// The type of the error says more than "error" or "failure".
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
    fn lines_of_text_are_read() {
        let failed = |why: &str| Report { failure: Some(why.to_owned()), ..report() };
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
    fn records_are_read() {
        let record = |more: &str, status: &str| {
            format!(
                r#"{{"time":"2024-06-17T17:23:55.826Z","type":"platform.report","record":{{"requestId":
                "8fc6f963-411b-58b5-8483-a32130c0f45d","metrics":{{"durationMs":1.23,"billedDurationMs":2,
                "memorySizeMB":128,"maxMemoryUsedMB":20{more}}}{status}}}}}"#
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
    fn everything_else_is_none() {
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
    fn a_start_from_nothing_or_from_a_snapshot_is_cold() {
        assert!(!report().is_cold());
        assert!(Report { init_ms: Some(30.0), ..report() }.is_cold());
        assert!(Report { restore_ms: Some(30.0), ..report() }.is_cold());
    }
}
