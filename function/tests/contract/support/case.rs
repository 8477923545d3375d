//! Reads the corpus: requests that were recorded with the Python original, and the expected answers of this function.

use std::fs;

use function::json::{Json, Member, parse};

use super::emulator::elements;

/// The number of cases. A test checks it, so that no case is lost unnoticed.
pub(crate) const CASES: usize = 271;

/// Returns the cases of the corpus as JSON text.
pub(crate) fn texts() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/cases.jsonl");
    let texts: Vec<String> = fs::read_to_string(path).unwrap().lines().map(expand).collect();
    assert_eq!(texts.len(), CASES);
    texts
}

/// Expands `@@REPEAT:x:n@@` to n times x.
fn expand(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("@@REPEAT:") {
        let (what, after) = after.split_once(':').unwrap();
        let (count, after) = after.split_once("@@").unwrap();
        text = text + before + &what.repeat(count.parse().unwrap());
        rest = after;
    }
    text + rest
}

/// One recorded request with its expected answer.
pub(crate) struct Case<'a>(Json<'a>);

/// The expected result of a case.
#[derive(Debug)]
pub(crate) enum Expected<'c> {
    /// The answer of the original.
    Answer(&'c Json<'c>),
    /// Any successful answer. The original failed in this case.
    Success,
    /// An error with this status, type and message.
    Error { status: &'c str, error_type: &'c str, message: Message<'c> },
}

/// The expected message of an error.
#[derive(Debug)]
pub(crate) enum Message<'c> {
    /// Exactly this text.
    Text(String),
    /// A text that matches this regular expression as a whole.
    Pattern(&'c str),
}

impl<'a> Case<'a> {
    pub(crate) fn from_text(text: &'a str) -> Self {
        Self(parse(text.as_bytes()).unwrap())
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// Returns the text of the event.
    pub(crate) fn event(&self) -> &str {
        self.text("request_text")
    }

    /// Returns the emulator of the recording: its name, `stub` for canned answers, or `none` for cases without DynamoDB.
    pub(crate) fn emulator(&self) -> &str {
        self.text("emulator")
    }

    /// Returns DynamoDB's canned answer, if the case has one.
    pub(crate) fn canned(&self) -> Option<(u16, &str)> {
        let stub = self.setup("stub")?;
        let status = match stub.get("status") {
            Some(Json::Number(status)) => status.parse().unwrap(),
            _ => 200,
        };
        Some((status, stub.get("body").and_then(Json::text).unwrap_or_default()))
    }

    /// Returns the tables of the case, each with its initial items.
    pub(crate) fn tables(&self) -> Vec<(&str, &[Json<'a>])> {
        let items = self.setup("items");
        let tables = self.setup("tables").map(elements).unwrap_or_default();
        let items_in = |table| items.and_then(|items| items.get(table)).map(elements).unwrap_or_default();
        tables.iter().filter_map(Json::text).map(|table| (table, items_in(table))).collect()
    }

    /// Returns the tables with their items after the original's answer.
    pub(crate) fn final_tables(&self) -> &[Member<'a>] {
        self.0.get("after").and_then(Json::members).unwrap_or_default()
    }

    /// Returns whether the original changed the tables.
    pub(crate) fn is_write(&self) -> bool {
        self.0.get("changed") == Some(&Json::Bool(true))
    }

    /// Returns the paths in an answer whose values differ in each run.
    pub(crate) fn volatile(&self) -> Vec<&str> {
        self.names("volatile")
    }

    /// Returns the paths of arrays in an answer whose elements have no fixed order.
    pub(crate) fn unordered(&self) -> Vec<&str> {
        self.names("unordered")
    }

    /// Returns the expected result on an emulator, or `None` if the emulator differs from AWS in this case.
    pub(crate) fn expected_on(&self, emulator: &str) -> Option<Expected<'_>> {
        let agrees = self.names("agree").contains(&emulator);
        let other = self.0.get("others").and_then(|others| others.get(emulator));
        match self.expected() {
            expected if agrees => Some(expected),
            Expected::Error { status, error_type, .. } => {
                // The service writes the text, so each emulator has its own.
                let text = other?.get("error")?.get("errorMessage")?.text()?;
                let has_type = text.starts_with(&format!("An error occurred ({error_type})"));
                has_type.then(|| Expected::Error {
                    status,
                    error_type,
                    message: Message::Text(text.to_owned()),
                })
            }
            Expected::Answer(_) => other?.get("response").map(Expected::Answer),
            Expected::Success => other?.get("response").map(|_| Expected::Success),
        }
    }

    /// Returns the expected result on the emulator of the recording.
    pub(crate) fn expected(&self) -> Expected<'_> {
        let rust = self.0.get("rust").unwrap();
        let text = |name: &str| rust.get(name).and_then(Json::text);
        if rust.get("same") == Some(&Json::Bool(true)) {
            return Expected::Answer(self.0.get("response").unwrap());
        }
        if rust.get("accepts") == Some(&Json::Bool(true)) {
            return Expected::Success;
        }
        let Some(Json::Number(status)) = rust.get("status") else { panic!("{} has no status", self.id()) };
        let message = match (text("errorMessage"), text("errorMessage_pattern")) {
            (Some(text), _) => Message::Text(text.to_owned()),
            (None, Some(pattern)) => Message::Pattern(pattern),
            (None, None) => panic!("{} has no message", self.id()),
        };
        Expected::Error { status, error_type: text("errorType").unwrap(), message }
    }

    fn setup(&self, name: &str) -> Option<&Json<'a>> {
        self.0.get("setup")?.get(name)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Json::text).unwrap()
    }

    fn names(&self, name: &str) -> Vec<&str> {
        self.0.get(name).map(elements).unwrap_or_default().iter().filter_map(Json::text).collect()
    }
}
