//! `error-responses`: which HTTP status an error of a function answers with, by its message.

use super::problem::Problem;
use super::read::{Item, Text};
use super::schema::{of_keys, without_default};
use crate::lab;
use schemars::{Schema, json_schema};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;

/// Selection patterns of API Gateway: Java's regular expressions, each of which has to match a whole message. An error that
/// none matches answers 200, as a success does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorResponses(BTreeMap<String, ErrorResponse>);

/// What one status is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    /// The messages that it answers.
    pub(crate) pattern: String,
    /// The same, for people.
    pub(crate) meaning: String,
}

const LIKE: &str = "a table like { \"404\" = 'Not found: .*' }";

/// AWS documents no limit.
const LONGEST_PATTERN: usize = 1024;

/// What AWS advises for every error: its `.` matches no line end.
const ANY_MESSAGE: &str = r"(\n|.)+";

/// Patterns that people write for every error and that match the message of a success too, which is empty.
const MATCH_SUCCESSES: [&str; 6] = [".*", "^.*$", r"(\n|.)*", r"(.|\n)*", r"[\s\S]*", r"(?s).*"];

/// What the schema says of them wherever they are declared. It does not count brackets.
pub(super) fn in_schema(responses: &mut Schema) {
    // It depends on the function.
    without_default(responses);
    of_keys(|status| {
        status.insert("pattern".to_owned(), "^[1-5][0-9][0-9]$".into());
        status.insert("not".to_owned(), json!({ "const": "200" }));
    })(responses);
    let refused: Vec<&str> = ["default"].into_iter().chain(MATCH_SUCCESSES).collect();
    let pattern = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_PATTERN,
        "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$",
        "not": { "enum": refused },
    });
    responses.insert("additionalProperties".to_owned(), pattern);
}

/// Adds those of the API. Reading gives them to its routes, so that no field of it has them.
pub(super) fn of_api_in_schema(api: &mut Schema) {
    let mut responses = json_schema!({
        "type": "object",
        "description": "Which errors of a function answer with which HTTP status, for every route with `integration = \"aws\"`, \
    of which there must be one. A key is a status, three digits from 100 to 599 and not 200. Its value is a regular expression \
    of Java's that matches the whole message. No two statuses have the same pattern. Without this key, each function has its own.",
    });
    in_schema(&mut responses);
    if let Some(Value::Object(keys)) = api.get_mut("properties") {
        keys.insert("error-responses".to_owned(), responses.into());
    }
}

impl ErrorResponses {
    /// What a route has that declares none, by whether its function is the lab's.
    pub(super) fn default_of(is_labs: bool) -> Self {
        let of = |(status, pattern, meaning): (&str, &str, &str)| {
            (status.to_owned(), ErrorResponse { pattern: pattern.to_owned(), meaning: meaning.to_owned() })
        };
        if is_labs {
            Self(lab::ERROR_RESPONSES.map(of).into())
        } else {
            Self([("500", ANY_MESSAGE, "The function failed")].map(of).into())
        }
    }

    /// By status.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &ErrorResponse)> {
        self.0.iter()
    }

    pub(super) fn read(responses: &Item<'_>) -> Self {
        let mut all = BTreeMap::new();
        let mut taken: BTreeMap<String, (String, Range<usize>)> = BTreeMap::new();
        for (status, pattern) in responses.named(LIKE).unwrap_or_default() {
            let is_status = check_status(&status, &pattern);
            let Some(text) = read_pattern(&pattern) else { continue };
            if let Some((other, span)) = taken.get(&text) {
                let problem = pattern
                    .wrong(&format!("must not be the pattern of {other} too: a message has one status"));
                pattern.report(problem.earlier(span.clone(), "the same pattern"));
            }
            taken.insert(text.clone(), (status.text.to_owned(), pattern.span.clone()));
            if is_status {
                let meaning = "An error of the function".to_owned();
                all.insert(status.text.to_owned(), ErrorResponse { pattern: text, meaning });
            }
        }
        Self(all)
    }
}

/// API Gateway takes 100 to 599. An integration answers with 200 what is no error, and what no pattern matches.
fn check_status(status: &Text<'_>, pattern: &Item<'_>) -> bool {
    let digits = status.text.as_bytes();
    let is_status =
        digits.len() == 3 && matches!(digits[0], b'1'..=b'5') && digits.iter().all(u8::is_ascii_digit);
    let message = match status.text {
        "200" => "the status 200 has no pattern: it answers successes, and errors that no pattern matches",
        _ if is_status => return true,
        _ => "a status of error-responses must be three digits, 100 to 599",
    };
    pattern.report(Problem::new(status.span.clone(), message));
    false
}

fn read_pattern(pattern: &Item<'_>) -> Option<String> {
    let Text { text, .. } = pattern.text("a pattern, like 'Not found: .*'")?;
    let wrong = match text {
        "" => "must not be empty".to_owned(),
        // In API Gateway's definitions, the word stands for the response that has no pattern.
        "default" => "must be another pattern than default, like '(default)'".to_owned(),
        _ if MATCH_SUCCESSES.contains(&text) => {
            format!("must not match an empty message, which successes have; every error is {ANY_MESSAGE}")
        }
        _ if text.chars().count() > LONGEST_PATTERN => {
            format!("must be at most {LONGEST_PATTERN} characters")
        }
        _ if text.contains(char::is_control) => {
            "must have no line end or other control character; in single quotes, '\\n' is one to the pattern"
                .to_owned()
        }
        _ => match unbalanced(text) {
            Some(what) => format!("is no regular expression: {what}"),
            None => return Some(text.to_owned()),
        },
    };
    pattern.report(pattern.wrong(&wrong));
    None
}

/// What keeps a pattern from being a regular expression of Java's, as far as brackets tell.
fn unbalanced(pattern: &str) -> Option<&'static str> {
    // Between them, nothing means anything.
    if pattern.contains(r"\Q") {
        return None;
    }
    let (mut groups, mut classes) = (0_u32, 0_u32);
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.next().is_none() => return Some("it ends with a backslash"),
            '[' => {
                classes += 1;
                // A bracket that comes first in a class is one of its characters.
                let _ = chars.next_if_eq(&'^');
                let _ = chars.next_if_eq(&']');
            }
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 => groups += 1,
            ')' if classes == 0 && groups == 0 => return Some("a ) closes nothing"),
            ')' if classes == 0 => groups -= 1,
            _ => {}
        }
    }
    match (groups, classes) {
        (0, 0) => None,
        (_, 0) => Some("a ( is not closed"),
        _ => Some("a [ is not closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_as_java_does() {
        for pattern in [ANY_MESSAGE, r"a\(b", "[(]", "[]a]", "[^]]", "[a[b]]", r"\Q(\E", r"\\(a)", "a]"] {
            assert_eq!(unbalanced(pattern), None, "{pattern}");
        }
        for (_, pattern, _) in lab::ERROR_RESPONSES {
            assert_eq!(unbalanced(pattern), None, "{pattern}");
        }
        for (pattern, what) in [
            ("(a", "a ( is not closed"),
            ("a)(", "a ) closes nothing"),
            ("[a", "a [ is not closed"),
            ("a\\", "it ends with a backslash"),
            (r"\\(", "a ( is not closed"),
        ] {
            assert_eq!(unbalanced(pattern), Some(what), "{pattern}");
        }
    }
}
