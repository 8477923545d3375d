//! The one error type: what failed, why, and what to do next.
//!
//! A message is a lowercase fragment that fits after "error: ". Hints are whole sentences. The kind decides the
//! exit code, in one place.

use crate::http::Unreadable;
use crate::printable::one_line;
use crate::shell::{Flags, completed};
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use std::time::Duration;

/// What every fallible function here returns.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Something went wrong and nothing was changed by it, or everything else went through. Exit code 1.
    Failed,
    /// The command line or the manifest is wrong. Exit code 2.
    Usage,
    /// Some changes were made and some were not: running the command again goes on from there. Exit code 3.
    Partial,
    /// The person said no. Exit code 1, one calm line.
    Declined,
}

impl ErrorKind {
    /// The process's exit code for this kind.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Declined => 1,
            Self::Usage => 2,
            Self::Partial => 3,
        }
    }
}

/// A failure, written for the person who reads it.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: Message,
    aws: Option<Box<AwsError>>,
    hints: Vec<String>,
    /// The flags that name the stack, for the commands in hints.
    flags: Flags,
}

/// Why something failed: a text that is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message(String);

impl Message {
    /// A failure without a reason is a fault of this program, and says so.
    fn new(text: String) -> Self {
        if text.trim().is_empty() {
            Self("it failed without a reason, which is a fault of deployer's: please report it".to_owned())
        } else {
            Self(text)
        }
    }
}

impl Error {
    /// A failure that changed nothing.
    #[must_use]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Failed, message)
    }

    /// Bad input: a flag, an argument, the manifest.
    #[must_use]
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Usage, message)
    }

    /// A failure of the given kind.
    #[must_use]
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = Message::new(message.into());
        Self { kind, message, aws: None, hints: Vec::new(), flags: Flags::default() }
    }

    /// The same error with one more thing to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same error, said more precisely. AWS's own answer stays attached.
    #[must_use]
    pub(crate) fn context(mut self, what: &str) -> Self {
        self.message.0 = format!("{what}: {}", self.message.0);
        self
    }

    /// The same error, with what it came from.
    #[must_use]
    pub(crate) fn because(mut self, cause: &str) -> Self {
        self.message.0 = format!("{}: {cause}", self.message.0);
        self
    }

    /// The same error, whose commands in hints name the stack with these flags.
    #[must_use]
    pub(crate) fn naming(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// AWS's answer, when it was AWS that refused.
    #[must_use]
    pub(crate) fn aws(&self) -> Option<&AwsError> {
        self.aws.as_deref()
    }

    /// What to do next, in order.
    #[must_use]
    pub(crate) fn hints(&self) -> Vec<String> {
        let known = self.aws().and_then(crate::hints::for_aws);
        let all = self.hints.iter().cloned().chain(known);
        all.map(|hint| completed(&hint, &self.flags)).collect()
    }

    /// Whether AWS refused with this code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.aws().is_some_and(|aws| aws.code == code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.0)
    }
}

impl std::error::Error for Error {}

impl From<AwsError> for Error {
    fn from(aws: AwsError) -> Self {
        Self {
            kind: ErrorKind::Failed,
            message: Message::new(aws.to_string()),
            aws: Some(Box::new(aws)),
            hints: Vec::new(),
            flags: Flags::default(),
        }
    }
}

/// Why a call got no answer that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The request could not be made: no credentials, bad input. Nothing happened at AWS.
    NotSent,
    /// There was no connection. Nothing happened at AWS.
    NotConnected,
    /// It may have been sent and may have been applied: a timeout, a dropped connection.
    Unknown,
    /// Something was answered that nobody understands: half an answer, or a proxy's page. It may have been applied.
    Unreadable,
}

/// AWS's answer to one call, kept whole enough to classify it.
///
/// Calls are told apart by service, operation, code and message, never by HTTP status: not-found alone is 400 in
/// `DynamoDB` and `CloudWatch` Logs and 404 in Lambda and API Gateway.
#[derive(Clone, Debug)]
pub(crate) struct AwsError {
    /// The service and operation, as IAM writes it: `lambda:CreateFunction`.
    pub operation: &'static str,
    /// AWS's error code, as on the wire; empty when there was no answer.
    pub code: String,
    /// AWS's message, or what the transport reported.
    pub message: String,
    /// The request id to quote to AWS support.
    pub request_id: Option<String>,
    /// The HTTP status, for unknown codes only.
    pub status: Option<u16>,
    /// Set when there was no answer.
    pub transport: Option<Transport>,
    /// How long AWS asks to wait before the next try.
    pub retry_after: Option<Duration>,
    /// The ARN of what the call was about, where it is known and a policy can name it.
    pub resource: Option<String>,
}

impl AwsError {
    /// No answer within the time that a command has.
    pub(crate) fn silent(operation: &'static str, within: Duration) -> Self {
        Self {
            operation,
            code: String::new(),
            message: format!("AWS did not answer within {} s", within.as_millis().div_ceil(1000)),
            request_id: None,
            status: None,
            transport: Some(Transport::Unknown),
            retry_after: None,
            resource: None,
        }
    }

    /// Reads an SDK error once, at the call.
    pub(crate) fn new<E>(operation: &'static str, error: &SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let transport = match error {
            SdkError::ConstructionFailure(_) => Some(Transport::NotSent),
            SdkError::DispatchFailure(failure) if failure.is_user() => Some(Transport::NotSent),
            SdkError::DispatchFailure(failure) if failed_with(failure, NO_CREDENTIALS) => {
                Some(Transport::NotSent)
            }
            SdkError::DispatchFailure(failure) if failed_with(failure, NO_CONNECTION) => {
                Some(Transport::NotConnected)
            }
            SdkError::DispatchFailure(failure) if unreadable(failure).is_some() => {
                Some(Transport::Unreadable)
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
                Some(Transport::Unknown)
            }
            // It says yes, in words that nobody understands.
            SdkError::ServiceError(answer) if answer.raw().status().is_success() => {
                Some(Transport::Unreadable)
            }
            _ => None,
        };
        let raw = error.raw_response();
        let header = |name: &str| raw.and_then(|r| r.headers().get(name)).map(str::to_owned);
        // Milliseconds in AWS's own header, seconds in HTTP's.
        let retry_after = header("x-amz-retry-after")
            .and_then(|ms| ms.parse().ok().map(Duration::from_millis))
            .or_else(|| header("retry-after").and_then(|s| s.parse().ok().map(Duration::from_secs)));
        let message = match error.message().filter(|message| !message.trim().is_empty()) {
            Some(message) => message.to_owned(),
            // Not the SDK's own longest text, which quotes the answer with all that is secret in it.
            None => match (raw, error) {
                (_, SdkError::DispatchFailure(failure)) if unreadable(failure).is_some() => {
                    unreadable(failure).map(ToString::to_string).unwrap_or_default()
                }
                (Some(raw), _) => format!("{} (HTTP {})", root_causes(error), raw.status().as_u16()),
                (None, _) => root_causes(error),
            },
        };
        Self {
            operation,
            code: error.code().unwrap_or_default().to_owned(),
            message,
            request_id: header("x-amzn-requestid").or_else(|| header("x-amz-request-id")),
            status: raw.map(|r| r.status().as_u16()),
            transport,
            retry_after,
            resource: None,
        }
    }

    /// Whether the call may have been applied although it failed: the answer was lost, or the service broke.
    #[must_use]
    pub(crate) fn outcome_unknown(&self) -> bool {
        // 501 says that there is no such operation, so that nothing can have come of it.
        let broke = self.status.is_some_and(|status| status >= 500 && status != 501);
        matches!(self.transport, Some(Transport::Unknown | Transport::Unreadable)) || broke
    }

    /// Whether the service was not heard, or broke: what only reads may get through later.
    #[must_use]
    pub(crate) fn is_outage(&self) -> bool {
        self.transport == Some(Transport::NotConnected) || self.outcome_unknown()
    }

    /// Whether AWS asks for fewer calls a second.
    #[must_use]
    pub(crate) fn is_throttle(&self) -> bool {
        let code = self.code.as_str();
        matches!(code, "TooManyRequestsException" | "Throttling" | "ThrottlingException" | "ThrottledException")
            || matches!(code, "RequestLimitExceeded" | "RequestThrottled" | "RequestThrottledException" | "SlowDown")
            // What a table was given to read and write for a second is used up.
            || code == "ProvisionedThroughputExceededException"
            // The code of a quota that is full, too. Only of a rate does API Gateway say when to come again.
            || code == "LimitExceededException" && self.retry_after.is_some()
            || self.message.contains("Rate exceeded")
            // A front end may refuse without a word.
            || code.is_empty() && self.status == Some(429)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: ", self.operation)?;
        if !self.code.is_empty() {
            write!(f, "{}: ", one_line(&self.code))?;
        }
        // Some messages have several lines, and none may look like a line of ours.
        let lines: Vec<&str> = self.message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        f.write_str(&lines.join(" "))?;
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

/// hyper's own words for a connection that was never made.
const NO_CONNECTION: &[&str] = &["client error (Connect)", "dns error"];

/// The identity cache's words. Credentials may need a connection of their own, which is no fault of the service's.
const NO_CREDENTIALS: &[&str] = &["redentials"];

/// What was answered, where nobody understands it.
fn unreadable(failure: &DispatchFailure) -> Option<&Unreadable> {
    std::error::Error::source(failure.as_connector_error()?)?.downcast_ref()
}

/// Whether one of these texts is among the causes: the SDK tells no more about what came before sending.
fn failed_with(failure: &DispatchFailure, texts: &[&str]) -> bool {
    let causes = failure.as_connector_error().map(|error| root_causes(error)).unwrap_or_default();
    texts.iter().any(|text| causes.contains(text))
}

/// The chain of causes on one line, each said once: the SDK's own outermost text ("dispatch failure") says nothing.
pub(crate) fn root_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = error.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests;
