//! Defines the errors that callers get.

use std::{borrow::Cow, fmt::Write};

use serde::Serialize;

use crate::{action::Action, error_table::status_of};

/// The approximate maximum length of a message, in bytes. DynamoDB's messages are much shorter, but a message can quote
/// the request.
const MAX_MESSAGE_BYTES: usize = 8_000;

/// The reason why a request failed. It serializes to the error that the caller gets: `{"errorType", "errorMessage"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The HTTP status, one of [`ERROR_RESPONSES`](crate::ERROR_RESPONSES).
    #[serde(skip)]
    pub status: u16,
    /// The name of the error: DynamoDB's error code, or one that this function defines.
    #[serde(rename = "errorType")]
    pub error_type: Cow<'static, str>,
    /// One line without control characters. It matches the pattern of `status` and no other pattern.
    #[serde(rename = "errorMessage")]
    pub message: String,
    /// Details about the cause, which may name roles, tables and hosts. Only the log gets them.
    #[serde(skip)]
    pub detail: Option<String>,
}

impl Failure {
    /// An event that is not a valid request.
    pub(crate) fn invalid_request(reason: &str) -> Self {
        Self::new(400, "InvalidRequest", &format!("Invalid request: {reason}"))
    }

    /// An operation that is none of the seven.
    pub(crate) fn unrecognized_operation(operation: &str) -> Self {
        Self::new(400, "ValueError", &format!("Unrecognized operation \"{operation}\""))
    }

    /// A payload whose members are not valid parameters of the operation.
    pub(crate) fn invalid_parameters(problems: &[String]) -> Self {
        let message = format!("Parameter validation failed: {}", problems.join("; "));
        Self::new(400, "ParamValidationError", &message)
    }

    /// An error that DynamoDB returned. The caller gets DynamoDB's message if `status_of` knows the code, and otherwise
    /// the code only.
    pub(crate) fn from_dynamodb(action: Action, code: &str, message: &str) -> Self {
        // An item that is too large is a 413, and any other ValidationException a 400. Only the message distinguishes
        // them.
        let too_large = code == "ValidationException"
            && message.starts_with("Item size")
            && message.contains("exceeded the maximum allowed size");
        let code = if too_large { "ItemSizeLimitExceeded" } else { code };
        match status_of(code) {
            Some(status) => Self::new(
                status,
                code.to_owned(),
                &format!(
                    "An error occurred ({code}) when calling the {} operation: {message}",
                    action.name()
                ),
            ),
            None => Self::internal(code, message),
        }
    }

    /// An error that the caller cannot fix: credentials, permissions, or a bug of this function.
    pub(crate) fn internal(code: &str, detail: &str) -> Self {
        let failure = Self::new(500, "InternalError", &format!("Internal error: {code}"));
        Self { detail: first_line(detail), ..failure }
    }

    /// An answer that cannot be serialized as JSON. No known event causes this.
    pub(crate) fn unserializable_answer(error: &serde_json::Error) -> Self {
        Self::internal("AnswerNotWritten", &error.to_string())
    }

    /// DynamoDB cannot be reached, has an internal error, or returns a malformed answer.
    pub(crate) fn unavailable(reason: &str, detail: &str) -> Self {
        let failure = Self::new(503, "ServiceUnavailable", &format!("Service unavailable: {reason}"));
        Self { detail: first_line(detail), ..failure }
    }

    fn new(status: u16, error_type: impl Into<Cow<'static, str>>, message: &str) -> Self {
        Self { status, error_type: error_type.into(), message: one_line(message), detail: None }
    }
}

/// Converts a text to one line: escapes control characters and line ends, and truncates long text.
///
/// The `.` in API Gateway's patterns matches no line end, and API Gateway answers 200 if a message matches no pattern.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_MESSAGE_BYTES));
    for character in text.chars() {
        if line.len() >= MAX_MESSAGE_BYTES {
            line.push('…');
            break;
        }
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            // Java's regular expressions treat the Unicode line and paragraph separators as line ends.
            '\u{2028}' | '\u{2029}' => escape(&mut line, character),
            other if other.is_control() => escape(&mut line, other),
            other => line.push(other),
        }
    }
    line
}

fn escape(line: &mut String, character: char) {
    // Writing to a string cannot fail.
    let _ = write!(line, "\\u{:04x}", u32::from(character));
}

/// Returns the part of a cause that is logged. AWS's message about a wrong signature contains the request's headers after
/// its first line, and with them the session token.
fn first_line(detail: &str) -> Option<String> {
    detail.lines().next().map(one_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line() {
        let failure = Failure::unrecognized_operation("a\nb\r\t\u{0}\u{85}\u{2028}\u{2029}\u{7f}é\"");
        assert_eq!(failure.message, r#"Unrecognized operation "a\nb\r\t\u0000\u0085\u2028\u2029\u007fé"""#);
    }

    #[test]
    fn truncates_long_messages() {
        let failure = Failure::unrecognized_operation(&"☃".repeat(1_000_000));
        assert!(failure.message.len() < MAX_MESSAGE_BYTES + 10);
        assert!(failure.message.ends_with('…'));
    }

    #[test]
    fn callers_get_dynamodbs_message_about_their_own_errors() {
        let failure = Failure::from_dynamodb(
            Action::PutItem,
            "ResourceNotFoundException",
            "Requested resource not found",
        );
        assert_eq!((failure.status, failure.error_type.as_ref()), (404, "ResourceNotFoundException"));
        assert_eq!(
            failure.message,
            "An error occurred (ResourceNotFoundException) when calling the PutItem operation: Requested resource not found"
        );
        assert_eq!(failure.detail, None);
    }

    #[test]
    fn an_item_that_is_too_large_has_its_own_error_code() {
        for message in [
            "Item size has exceeded the maximum allowed size",
            "Item size to update has exceeded the maximum allowed size",
        ] {
            let failure = Failure::from_dynamodb(Action::UpdateItem, "ValidationException", message);
            assert_eq!((failure.status, failure.error_type.as_ref()), (413, "ItemSizeLimitExceeded"));
            assert!(failure.message.starts_with("An error occurred (ItemSizeLimitExceeded) when calling"));
        }
        assert_eq!(Failure::from_dynamodb(Action::Scan, "ValidationException", "Item size").status, 400);
    }

    #[test]
    fn only_the_log_gets_messages_about_permissions() {
        let text =
            "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: dynamodb:PutItem";
        let failure = Failure::from_dynamodb(Action::PutItem, "AccessDeniedException", text);
        assert_eq!((failure.status, failure.error_type.as_ref()), (500, "InternalError"));
        assert_eq!(failure.message, "Internal error: AccessDeniedException");
        assert_eq!(failure.detail.as_deref(), Some(text));
    }

    #[test]
    fn the_log_gets_only_the_first_line_of_a_cause() {
        let text = "The request signature we calculated does not match.\n\nThe Canonical String: x-amz-security-token:secret";
        let failure = Failure::from_dynamodb(Action::PutItem, "InvalidSignatureException", text);
        assert_eq!(failure.detail.as_deref(), Some("The request signature we calculated does not match."));
    }
}
