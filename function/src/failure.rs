//! The errors that callers get.

use std::{borrow::Cow, fmt::Write};

use serde::Serialize;

use crate::{action::Action, error_table::status_of};

/// Messages are cut to about this many bytes. DynamoDB's are much shorter; only text of the request makes one longer.
const LONGEST_MESSAGE: usize = 8_000;

/// Why a request failed. Serialized, it is the error that the caller gets: `{"errorType", "errorMessage"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The HTTP status, one of [`ERROR_RESPONSES`](crate::ERROR_RESPONSES).
    #[serde(skip)]
    pub status: u16,
    /// The error's name: DynamoDB's code, or one of this function's own.
    #[serde(rename = "errorType")]
    pub error_type: Cow<'static, str>,
    /// One line without control characters. It matches the pattern of `status` and no other.
    #[serde(rename = "errorMessage")]
    pub message: String,
    /// More about the cause, for the log alone: it may name roles, tables and hosts.
    #[serde(skip)]
    pub detail: Option<String>,
}

impl Failure {
    /// The event is not a request of the contract.
    pub(crate) fn invalid_request(reason: &str) -> Self {
        Self::new(400, "InvalidRequest", &format!("Invalid request: {reason}"))
    }

    /// The operation is none of the seven.
    pub(crate) fn unrecognized_operation(operation: &str) -> Self {
        Self::new(400, "ValueError", &format!("Unrecognized operation \"{operation}\""))
    }

    /// The payload's fields are not the operation's parameters.
    pub(crate) fn parameters(problems: &[String]) -> Self {
        let message = format!("Parameter validation failed: {}", problems.join("; "));
        Self::new(400, "ParamValidationError", &message)
    }

    /// DynamoDB refused. The caller gets DynamoDB's message if the error is the caller's business, and otherwise the
    /// code only.
    pub(crate) fn refused(action: Action, code: &str, message: &str) -> Self {
        // An item that is too large answers 413, any other ValidationException 400. Only the message tells them
        // apart.
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

    /// Something that the caller cannot mend: credentials, permissions, a mistake of this function.
    pub(crate) fn internal(code: &str, detail: &str) -> Self {
        let failure = Self::new(500, "InternalError", &format!("Internal error: {code}"));
        Self { detail: first_line(detail), ..failure }
    }

    /// An answer could not be written as JSON. No event is known that causes it.
    pub(crate) fn not_written(error: &serde_json::Error) -> Self {
        Self::internal("AnswerNotWritten", &error.to_string())
    }

    /// DynamoDB cannot be reached, is out of order, or cannot be understood.
    pub(crate) fn unavailable(reason: &str, detail: &str) -> Self {
        let failure = Self::new(503, "ServiceUnavailable", &format!("Service unavailable: {reason}"));
        Self { detail: first_line(detail), ..failure }
    }

    fn new(status: u16, error_type: impl Into<Cow<'static, str>>, message: &str) -> Self {
        Self { status, error_type: error_type.into(), message: one_line(message), detail: None }
    }
}

/// Makes one line of a text: escapes control characters and line ends, and cuts what is too long.
///
/// The `.` of API Gateway's patterns matches no line end, and a message that matches no pattern answers 200.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST_MESSAGE));
    for character in text.chars() {
        if line.len() >= LONGEST_MESSAGE {
            line.push('…');
            break;
        }
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            // The Unicode line and paragraph separators end a line for Java's regular expressions.
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

/// The part of a cause that is logged. After its first line, AWS's message about a wrong signature has the request's
/// headers, and with them the session token.
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
    fn long_messages_are_cut() {
        let failure = Failure::unrecognized_operation(&"☃".repeat(1_000_000));
        assert!(failure.message.len() < LONGEST_MESSAGE + 10);
        assert!(failure.message.ends_with('…'));
    }

    #[test]
    fn callers_get_dynamodbs_message_of_their_own_mistakes() {
        let failure =
            Failure::refused(Action::PutItem, "ResourceNotFoundException", "Requested resource not found");
        assert_eq!((failure.status, failure.error_type.as_ref()), (404, "ResourceNotFoundException"));
        assert_eq!(
            failure.message,
            "An error occurred (ResourceNotFoundException) when calling the PutItem operation: Requested resource not found"
        );
        assert_eq!(failure.detail, None);
    }

    #[test]
    fn an_item_that_is_too_large_gets_a_code_of_its_own() {
        for message in [
            "Item size has exceeded the maximum allowed size",
            "Item size to update has exceeded the maximum allowed size",
        ] {
            let failure = Failure::refused(Action::UpdateItem, "ValidationException", message);
            assert_eq!((failure.status, failure.error_type.as_ref()), (413, "ItemSizeLimitExceeded"));
            assert!(failure.message.starts_with("An error occurred (ItemSizeLimitExceeded) when calling"));
        }
        assert_eq!(Failure::refused(Action::Scan, "ValidationException", "Item size").status, 400);
    }

    #[test]
    fn messages_about_permissions_are_for_the_log_only() {
        let text =
            "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: dynamodb:PutItem";
        let failure = Failure::refused(Action::PutItem, "AccessDeniedException", text);
        assert_eq!((failure.status, failure.error_type.as_ref()), (500, "InternalError"));
        assert_eq!(failure.message, "Internal error: AccessDeniedException");
        assert_eq!(failure.detail.as_deref(), Some(text));
    }

    #[test]
    fn the_log_gets_only_the_first_line_of_a_cause() {
        let text = "The request signature we calculated does not match.\n\nThe Canonical String: x-amz-security-token:secret";
        let failure = Failure::refused(Action::PutItem, "InvalidSignatureException", text);
        assert_eq!(failure.detail.as_deref(), Some("The request signature we calculated does not match."));
    }
}
