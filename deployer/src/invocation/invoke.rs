//! Sends one event to a function, through Lambda's `Invoke` or through the URL of the stack.
//!
//! An event that the function may have received is never sent again: the function may not be idempotent.

use super::function_error::FunctionError;
use super::invoke_error::{add_hints, lost_response};
use super::report::Report;
use crate::aws::one_attempt;
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::resources::lambda::waits::{FUNCTION_BUSY, FUNCTION_READY};
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{LogType, ThrottleReason};
use aws_smithy_runtime_api::client::result::SdkError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::cell::Cell;
use std::time::Duration;

/// The time to wait for a response in addition to the function's timeout, for a cold start and the network.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(60);

/// The limit for a response from the URL. `API Gateway` answers within 29 s, whatever the function does.
const URL_TIMEOUT: Duration = Duration::from_secs(60);

/// The length above which a log may be truncated, in bytes. Lambda returns the last 4 KB of a log.
const MAX_COMPLETE_LOG: usize = 4000;

/// The response to an event.
#[derive(Debug)]
pub(crate) struct InvokeResponse {
    /// The result of the function, or the body from the URL.
    pub(crate) body: Vec<u8>,
    /// The HTTP status. Lambda's is 200 even if the function failed.
    pub(crate) status: u16,
    /// Set if the function failed, with an error of its own or of the runtime.
    pub(crate) function_error: Option<FunctionError>,
    /// The last 4 KB of the log; empty for requests through the URL.
    pub(crate) log: String,
    /// Lambda's report, if the log has it. It is the last one in the log, because the function may print lines that look
    /// like a report.
    pub(crate) report: Option<Report>,
}

impl InvokeResponse {
    /// Returns whether the log is truncated. Its first line is then incomplete.
    pub(crate) fn log_is_truncated(&self) -> bool {
        let is_start = |line: &str| {
            line.starts_with("START RequestId: ")
                || line.starts_with('{') && line.contains("\"type\":\"platform.start\"")
        };
        self.log.len() > MAX_COMPLETE_LOG && !self.log.lines().any(is_start)
    }
}

/// Invokes a function by name and returns its response with the end of its log. `timeout` is the function's timeout.
///
/// # Errors
/// A refusal of Lambda; a lost response, with a hint that the function may have run.
pub(crate) async fn invoke(
    step: &Step<'_>,
    function: &str,
    timeout: Duration,
    event: String,
) -> Result<InvokeResponse> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(timeout + TIMEOUT_MARGIN).build();
    let config = Builder::default().retry_config(one_attempt()).timeout_config(timeouts);
    let invoke = step.aws.lambda.invoke().function_name(function);
    let invoke = invoke.log_type(LogType::Tail).payload(Blob::new(event));
    let throttle_reason = Cell::new(None);
    let response = step.until(&FUNCTION_READY, async || {
        let invoke = invoke.clone().customize().config_override(config.clone());
        let send =
            async { invoke.send().await.inspect_err(|error| throttle_reason.set(throttle_reason_of(error))) };
        match step.call("lambda:InvokeFunction", send).await {
            Ok(response) => Ok(Some(response)),
            // The function has not run. Lambda activates a function that was idle for weeks at its next invocation.
            Err(error) if error.aws().is_some_and(|aws| (FUNCTION_BUSY.applies)(aws)) => Ok(None),
            Err(error) => Err(add_hints(error, throttle_reason.take().as_ref())),
        }
    });
    let response = response.await?;
    let body = response.payload.map(Blob::into_inner).unwrap_or_default();
    let log = STANDARD.decode(response.log_result.unwrap_or_default()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log).into_owned();
    Ok(InvokeResponse {
        function_error: response.function_error.map(|_| FunctionError::parse(&body)),
        status: response.status_code.try_into().unwrap_or_default(),
        report: log.lines().rev().find_map(Report::parse),
        log,
        body,
    })
}

/// Returns the limit that an invocation exceeded. Lambda's message is the same for all limits.
fn throttle_reason_of<R>(error: &SdkError<InvokeError, R>) -> Option<ThrottleReason> {
    match error.as_service_error()? {
        InvokeError::TooManyRequestsException(error) => error.reason.clone(),
        _ => None,
    }
}

/// Sends an event to a URL of the stack.
///
/// # Errors
/// No response, with a hint that the function may have run.
pub(crate) async fn send_to_url(
    step: &Step<'_>,
    method: &str,
    url: &str,
    event: &str,
) -> Result<InvokeResponse> {
    let request = Box::pin(step.aws.http.exchange(method, url, event));
    let lost = |why: String| lost_response(Error::new(format!("{method} {url} did not answer: {why}")));
    let (status, body) = match step.answer("the URL to answer", URL_TIMEOUT, request).await {
        Some(response) => response.map_err(lost)?,
        None => return Err(lost(format!("nothing within {} s", URL_TIMEOUT.as_secs()))),
    };
    let function_error = (status >= 400).then(|| FunctionError::parse(&body));
    Ok(InvokeResponse { body, status, function_error, log: String::new(), report: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::wire;
    use aws_sdk_lambda::Client;
    use aws_smithy_mocks::{Rule, mock};
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    const REPORT: &str = "REPORT RequestId: 1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
                          Max Memory Used: 20 MB\tInit Duration: 30.00 ms\t\n";

    fn response(body: &'static str, error: Option<&'static str>, log: &str) -> Rule {
        let log = STANDARD.encode(log);
        mock!(Client::invoke)
            .match_requests(|request| {
                request.function_name() == Some("lab") && request.log_type() == Some(&LogType::Tail)
            })
            .then_http_response(move || {
                let mut response = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
                response.headers_mut().insert("x-amz-log-result", log.clone());
                if let Some(error) = error {
                    response.headers_mut().insert("x-amz-function-error", error);
                }
                response
            })
    }

    async fn invoke_lab(world: &World) -> Result<InvokeResponse> {
        world.at(async |step| invoke(step, "lab", Duration::from_secs(10), "{}".to_owned()).await).await
    }

    #[tokio::test(start_paused = true)]
    async fn returns_the_result_unchanged_with_log_and_report() {
        let log = format!("START RequestId: 1 Version: $LATEST\na line\nEND RequestId: 1\n{REPORT}");
        let world = World::new().with_lambda(&[response(r#"{ "n": 1.50 }"#, None, &log)]);
        let response = invoke_lab(&world).await.unwrap();
        assert_eq!(response.body, br#"{ "n": 1.50 }"#);
        assert_eq!((response.status, response.function_error), (200, None));
        assert_eq!(response.log, log);
        assert_eq!(response.report, Report::parse(REPORT));
    }

    #[tokio::test(start_paused = true)]
    async fn prefers_lambdas_report_to_one_that_the_function_prints() {
        let printed = REPORT.replace("1.23 ms", "9999.00 ms");
        let log = format!("START RequestId: 1 Version: $LATEST\n{printed}END RequestId: 1\n{REPORT}");
        let world = World::new().with_lambda(&[response("1", None, &log)]);
        assert_eq!(invoke_lab(&world).await.unwrap().report, Report::parse(REPORT));
    }

    #[test]
    fn detects_a_truncated_log() {
        let is_truncated = |start: &str, lines: usize| {
            let log = format!("{start}{}{REPORT}", "a line\n".repeat(lines));
            let response =
                InvokeResponse { body: Vec::new(), status: 200, function_error: None, log, report: None };
            response.log_is_truncated()
        };
        assert!(is_truncated("", 600));
        assert!(!is_truncated("", 10), "short logs are complete even without a start");
        assert!(!is_truncated("START RequestId: 1 Version: $LATEST\n", 600));
        assert!(!is_truncated("{\"time\":\"x\",\"type\":\"platform.start\",\"record\":{}}\n", 600));
    }

    #[tokio::test(start_paused = true)]
    async fn parses_the_error_of_a_failed_function() {
        let function_error = |error_type: Option<&str>, message: Option<&str>| FunctionError {
            error_type: error_type.map(str::to_owned),
            message: message.map(str::to_owned),
        };
        let cases = [
            (
                r#"{"errorType":"ValueError","errorMessage":"Unrecognized operation \"fly\""}"#,
                function_error(Some("ValueError"), Some("Unrecognized operation \"fly\"")),
            ),
            (r#"{"errorMessage":"Task timed out"}"#, function_error(None, Some("Task timed out"))),
            ("not JSON", function_error(None, None)),
        ];
        for (body, expected) in cases {
            let world = World::new().with_lambda(&[response(body, Some("Unhandled"), "")]);
            let response = invoke_lab(&world).await.unwrap();
            assert_eq!((response.function_error, response.report), (Some(expected), None), "{body}");
            assert_eq!(response.body, body.as_bytes());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retries_while_the_function_is_not_ready() {
        let pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending";
        let refused = mock!(Client::invoke)
            .sequence()
            .http_response(move || wire::json(409, "ResourceConflictException", pending))
            .times(2)
            .build();
        let world = World::new().with_lambda(&[refused, response("1", None, "")]);
        assert_eq!(invoke_lab(&world).await.unwrap().body, b"1");
        assert_eq!(world.recorder.waits(), ["Lambda to make the function ready"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn never_retries_after_a_refusal_or_a_lost_response() {
        let throttled = || {
            let body = r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
            let mut response = HttpResponse::new(StatusCode::try_from(429).unwrap(), SdkBody::from(body));
            response.headers_mut().insert("x-amzn-errortype", "TooManyRequestsException");
            response
        };
        let cases: [(fn() -> HttpResponse, &str); 5] = [
            (|| wire::json(500, "ServiceException", "broken"), "may have run"),
            (|| wire::json(502, "KMSAccessDeniedException", "Lambda was unable to decrypt"), "has not run"),
            (|| wire::json(429, "TooManyRequestsException", "Rate Exceeded."), "reserved-concurrency"),
            (throttled, "asked too often"),
            (|| wire::json(403, "AccessDeniedException", "no"), "Your own permissions"),
        ];
        for (response, hint) in cases {
            let rule = mock!(Client::invoke).then_http_response(response);
            let world = World::new().with_lambda(&[rule]);
            let error = invoke_lab(&world).await.unwrap_err();
            assert_eq!(world.sent.of("Invoke").len(), 1, "{error}");
            assert!(
                crate::testing::hints(&error)[0].contains(hint),
                "{hint}: {:?}",
                crate::testing::hints(&error)
            );
        }
    }
}
