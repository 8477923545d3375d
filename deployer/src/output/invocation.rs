//! One invocation: its log for people, and its part of the document.

use super::console::Console;
use super::log_line::took;
use crate::cli::Via;
use crate::error::{Flag, Hint, Verb};
use crate::invocation::call::Answer;
use crate::invocation::report::Report;
use serde::Serialize;
use serde_json::Value;

/// The part of the document that is about the invocation.
#[derive(Debug, Serialize)]
pub(crate) struct Invocation<'a> {
    function: &'a str,
    via: Via,
    /// The HTTP status; with Lambda's Invoke, that of Lambda.
    status: u16,
    failed: bool,
    error_type: Option<&'a str>,
    error_message: Option<&'a str>,
    /// JSON where it is JSON, otherwise text.
    answer: Value,
    report: Option<&'a Report>,
    /// The end of the log, line by line.
    log: Vec<&'a str>,
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(function: &'a str, via: Via, answer: &'a Answer) -> Self {
        let failure = answer.failure.as_ref();
        Self {
            function,
            via,
            status: answer.status,
            failed: failure.is_some(),
            error_type: failure.and_then(|failure| failure.error_type.as_deref()),
            error_message: failure.and_then(|failure| failure.message.as_deref()),
            answer: serde_json::from_slice(&answer.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into()),
            report: answer.report.as_ref(),
            log: answer.log.lines().collect(),
        }
    }
}

/// Shows what was logged, then what it took. The last report is Lambda's, any other is the function's own line.
pub(crate) fn show_log(console: &Console, answer: &Answer) {
    let lines: Vec<&str> = answer.log.lines().collect();
    let is_report = |line: &&str| Report::parse(line).is_some();
    let lambdas = lines.iter().rposition(is_report);
    let cut = answer.log_is_cut();
    if cut {
        let logs = match &answer.report {
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
    if let Some(report) = &answer.report {
        console.talk(&took(report));
    }
}
