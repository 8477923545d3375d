//! AWS's answer to a call that failed.

use crate::printable::one_line;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use std::time::Duration;

/// Why a call got no answer that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The request could not be made: no credentials, bad input. Nothing happened at AWS.
    NotSent,
    /// There was no connection. Nothing happened at AWS.
    NotConnected,
    /// It may have been sent and may have been applied: a dropped connection.
    Unknown,
    /// The same, because no answer came within the time that a command has.
    Silent,
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
            transport: Some(Transport::Silent),
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
            request_id: raw.and_then(request_id).map(str::to_owned),
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
        matches!(self.transport, Some(Transport::Unknown | Transport::Silent | Transport::Unreadable))
            || broke
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

/// The id under which AWS knows a request. Its services use two headers.
pub(crate) fn request_id(response: &Response) -> Option<&str> {
    let header = |name: &str| response.headers().get(name);
    header("x-amzn-requestid").or_else(|| header("x-amz-request-id"))
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

/// An answer that says nothing that can be believed. It may have been a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) status: u16,
    pub(crate) why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer {} (HTTP {})", self.why, self.status)
    }
}

impl std::error::Error for Unreadable {}
