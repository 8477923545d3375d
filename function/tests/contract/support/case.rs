//! The corpus: requests that were recorded with the Python original, and what this function must do with them.

use std::fs;

use function::json::{Json, Member, parse};

use super::emulator::elements;

/// The number of cases, so that cases cannot get lost unnoticed.
pub(crate) const CASES: usize = 271;

/// The cases of the corpus as JSON text.
pub(crate) fn texts() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/cases.jsonl");
    let texts: Vec<String> = fs::read_to_string(path).unwrap().lines().map(unfold).collect();
    assert_eq!(texts.len(), CASES);
    texts
}

/// Expands `@@REPEAT:x:n@@` to n times x.
fn unfold(line: &str) -> String {
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

/// A case.
pub(crate) struct Case<'a>(Json<'a>);

/// What the function must do in a case.
#[derive(Debug)]
pub(crate) enum Expected<'c> {
    /// This answer, which is the original's.
    Answer(&'c Json<'c>),
    /// A success where the original failed.
    Success,
    /// An error with this type and a message that is this text, or matches this pattern in full.
    Error { status: &'c str, error_type: &'c str, message: Message<'c> },
}

/// What an error's message must be.
#[derive(Debug)]
pub(crate) enum Message<'c> {
    Text(String),
    Pattern(&'c str),
}

impl<'a> Case<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        Self(parse(text.as_bytes()).unwrap())
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// The event, as it is sent.
    pub(crate) fn event(&self) -> &str {
        self.text("request_text")
    }

    /// Where the case was recorded: an emulator, `stub` for canned answers, `none` for no DynamoDB at all.
    pub(crate) fn place(&self) -> &str {
        self.text("emulator")
    }

    /// The canned answer of DynamoDB, in cases of a `stub`.
    pub(crate) fn canned(&self) -> Option<(u16, &str)> {
        let stub = self.setup("stub")?;
        let status = match stub.get("status") {
            Some(Json::Number(status)) => status.parse().unwrap(),
            _ => 200,
        };
        Some((status, stub.get("body").and_then(Json::text).unwrap_or_default()))
    }

    /// The tables that the case works on, each with its items.
    pub(crate) fn tables(&self) -> Vec<(&str, &[Json<'a>])> {
        let items = self.setup("items");
        let tables = self.setup("tables").map(elements).unwrap_or_default();
        let filled = |table| items.and_then(|items| items.get(table)).map(elements).unwrap_or_default();
        tables.iter().filter_map(Json::text).map(|table| (table, filled(table))).collect()
    }

    /// What the tables held after the original's answer.
    pub(crate) fn after(&self) -> &[Member<'a>] {
        self.0.get("after").and_then(Json::members).unwrap_or_default()
    }

    /// Whether the original changed the tables.
    pub(crate) fn changed(&self) -> bool {
        self.0.get("changed") == Some(&Json::Bool(true))
    }

    /// The paths in an answer whose values differ in each run.
    pub(crate) fn volatile(&self) -> Vec<&str> {
        self.names("volatile")
    }

    /// The arrays in an answer whose elements have no fixed order.
    pub(crate) fn unordered(&self) -> Vec<&str> {
        self.names("unordered")
    }

    /// What must happen on an emulator; `None` if that emulator differs from AWS in this case.
    pub(crate) fn expected_on(&self, emulator: &str) -> Option<Expected<'_>> {
        let agrees = self.names("agree").contains(&emulator);
        let other = self.0.get("others").and_then(|others| others.get(emulator));
        match self.expected() {
            expected if agrees => Some(expected),
            Expected::Error { status, error_type, .. } => {
                // The text is the service's own, so it is that of the emulator in use.
                let text = other?.get("error")?.get("errorMessage")?.text()?;
                let right = text.starts_with(&format!("An error occurred ({error_type})"));
                right.then(|| Expected::Error { status, error_type, message: Message::Text(text.to_owned()) })
            }
            Expected::Answer(_) => other?.get("response").map(Expected::Answer),
            Expected::Success => other?.get("response").map(|_| Expected::Success),
        }
    }

    /// What must happen, wherever the case is run.
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
