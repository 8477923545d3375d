//! Shows one invocation: its log for people, and its part of the JSON document.

use super::console::Console;
use super::log_line::took;
use crate::cli::Via;
use crate::error::{Flag, Hint, Verb};
use crate::invocation::invoke::InvokeResponse;
use crate::invocation::report::Report;
use serde::Serialize;
use serde_json::Value;

/// The invocation in the JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Invocation<'a> {
    function: &'a str,
    via: Via,
    /// The HTTP status: the API's, or that of Lambda's Invoke.
    status: u16,
    failed: bool,
    error_type: Option<&'a str>,
    error_message: Option<&'a str>,
    /// The answer, as JSON where it is JSON and otherwise as text.
    answer: Value,
    report: Option<&'a Report>,
    /// The last lines of the log.
    log: Vec<&'a str>,
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(function: &'a str, via: Via, response: &'a InvokeResponse) -> Self {
        let error = response.function_error.as_ref();
        Self {
            function,
            via,
            status: response.status,
            failed: error.is_some(),
            error_type: error.and_then(|error| error.error_type.as_deref()),
            error_message: error.and_then(|error| error.message.as_deref()),
            answer: serde_json::from_slice(&response.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&response.body).into()),
            report: response.report.as_ref(),
            log: response.log.lines().collect(),
        }
    }
}

/// Shows the log and then the report. The last report is Lambda's; others are lines of the function.
pub(crate) fn show_log(console: &Console, response: &InvokeResponse) {
    let lines: Vec<&str> = response.log.lines().collect();
    let is_report = |line: &&str| Report::parse(line).is_some();
    let lambdas = lines.iter().rposition(is_report);
    let cut = response.log_is_truncated();
    if cut {
        let logs = match &response.report {
            Some(report) => Verb::Logs.flag(Flag::RequestId(report.request_id.clone())),
            None => Verb::Logs.into(),
        };
        console.advise(Hint::from("This is the end of the log; ").command(logs).text(" shows all of it:"));
    }
    for (at, line) in lines.iter().enumerate() {
        if at == 0 && cut {
            console.talk(&format!("…{line}"));
        } else if !is_report(line) {
            console.talk_of_log(line);
        } else if Some(at) != lambdas {
            console.talk(*line);
        }
    }
    if let Some(report) = &response.report {
        console.talk(&took(report));
    }
}
