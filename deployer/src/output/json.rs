//! The one JSON document that a command leaves on stdout. docs/src/reference/json.md documents it; `schema_version` grows when a field
//! changes its meaning or goes.

use crate::engine::{Change, Kind, Outcome, Record, StackState};
use crate::error::{CommandLine, Error};
use crate::names::{Owner, Scope};
use crate::printable::in_json;
use serde::Serialize;

const SCHEMA_VERSION: u32 = 1;

/// The document of one command.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    schema_version: u32,
    command: &'static str,
    stack: Option<String>,
    account: Option<String>,
    region: Option<String>,
    /// `absent`, `in_sync` or `different`, when the command ended.
    pub(crate) state: Option<StackState>,
    pub(crate) url: Option<String>,
    /// Whether the URL answered as expected.
    pub(crate) answers: Option<bool>,
    pub(crate) resources: Vec<Resource>,
    error: Option<Failure>,
    /// The command's own part, under its name.
    #[serde(flatten)]
    own: serde_json::Map<String, serde_json::Value>,
}

/// One resource of the document.
#[derive(Debug, Serialize)]
pub(crate) struct Resource {
    kind: Kind,
    name: String,
    exists: Option<bool>,
    ours: Option<bool>,
    condition: Option<String>,
    changes: Vec<MeantChange>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
}

/// A change, and what it means for the users of the stack.
#[derive(Debug, Serialize)]
struct MeantChange {
    #[serde(flatten)]
    change: Change,
    means: Option<&'static str>,
}

/// The error, if the command failed.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    message: String,
    operation: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    hints: Vec<String>,
}

impl Document {
    pub(crate) fn new(command: &'static str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            command,
            stack: None,
            account: None,
            region: None,
            state: None,
            url: None,
            answers: None,
            resources: Vec::new(),
            error: None,
            own: serde_json::Map::new(),
        }
    }

    /// Adds the command's own part.
    pub(crate) fn own(&mut self, value: &impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.own.insert(self.command.to_owned(), value);
    }

    /// Returns the document of a command that failed.
    pub(crate) fn failed(mut self, error: &Error, command_line: &CommandLine) -> Self {
        self.error = Some(Failure::new(error, command_line));
        self
    }

    /// Writes it to stdout. Characters that could steer a terminal are written as JSON escapes.
    ///
    /// # Errors
    /// Fails when stdout cannot be written.
    pub(crate) fn print(&self) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        super::text::data(format!("{}\n", in_json(&text)).as_bytes())
    }

    /// Describes the manifest's stack, without AWS.
    pub(crate) fn declared(&mut self, stack: String, region: &str) {
        self.stack = Some(stack);
        self.region = Some(region.to_owned());
    }

    pub(crate) fn place(&mut self, scope: &Scope) {
        self.stack = Some(scope.stack.clone());
        self.account = Some(scope.account.clone());
        self.region = Some(scope.region.clone());
    }

    /// Describes a planning walk. Nothing has an outcome.
    pub(crate) fn found(&mut self, records: &[Record]) {
        self.resources = records.iter().filter(|r| r.is_of_the_stack()).map(|r| resource(r, None)).collect();
    }

    /// Describes a walk that made changes.
    pub(crate) fn done(&mut self, records: &[Record]) {
        let outcome = |record: &Record| match &record.result {
            Ok(outcome) => outcome.clone(),
            Err(error) => Outcome::Failed { error: error.to_string() },
        };
        let ours = records.iter().filter(|r| r.is_of_the_stack());
        self.resources = ours.map(|r| resource(r, Some(outcome(r)))).collect();
    }
}

fn resource(record: &Record, outcome: Option<Outcome>) -> Resource {
    let looked = record.result.is_ok() && record.is_of_the_stack();
    Resource {
        kind: record.id.kind,
        name: record.id.name.clone(),
        exists: looked.then_some(record.found.is_some()),
        ours: record.found.as_ref().map(|found| found.owner == Owner::Ours),
        condition: record.found.as_ref().map(|found| found.state.clone()),
        changes: record
            .changes
            .iter()
            .map(|change| MeantChange { change: change.clone(), means: change.means(record.id.kind) })
            .collect(),
        outcome,
    }
}

impl Failure {
    fn new(error: &Error, command_line: &CommandLine) -> Self {
        let aws = error.aws();
        Self {
            message: error.to_string(),
            operation: aws.map(|aws| aws.operation),
            code: aws.map(|aws| aws.code.clone()).filter(|code| !code.is_empty()),
            request_id: aws.and_then(|aws| aws.request_id.clone()),
            hints: command_line.hints(error),
        }
    }
}
