//! One request to a function: through Lambda's own Invoke, or through the URL of the stack.
//!
//! What may have run is not sent again: the function may write, and a second try after a lost answer could do its work
//! twice.

use super::failure::Failure;
use super::refusal::{explained, lost};
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

/// Beyond the function's own time: a cold start, and the way there and back.
const BEYOND: Duration = Duration::from_secs(60);

/// `API Gateway` answers within 29 s, whatever the function does.
const URL_ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Lambda gives back the last 4 KB of a log. A log of nearly that length may have been longer.
const WHOLE_LOG: usize = 4000;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As the function, or the URL, gave it.
    pub(crate) body: Vec<u8>,
    /// Of HTTP; Lambda's is 200 also when the function failed.
    pub(crate) status: u16,
    /// Set when the function failed: by its own error, or because it broke.
    pub(crate) failure: Option<Failure>,
    /// The last 4 KB of what was logged; empty by way of the URL.
    pub(crate) log: String,
    /// Lambda's report, where the log has it: the last one, because the function may print what looks like one.
    pub(crate) report: Option<Report>,
}

impl Answer {
    /// Whether the log was longer than what came of it. Then it begins somewhere in a line.
    pub(crate) fn log_is_cut(&self) -> bool {
        let begins = |line: &str| {
            line.starts_with("START RequestId: ")
                || line.starts_with('{') && line.contains("\"type\":\"platform.start\"")
        };
        self.log.len() > WHOLE_LOG && !self.log.lines().any(begins)
    }
}

/// Invokes a function by name, with the end of its log. `timeout` is the function's own.
///
/// # Errors
/// Lambda's refusal; an answer that was lost, with what that means.
pub(crate) async fn invoke(
    step: &Step<'_>,
    function: &str,
    timeout: Duration,
    event: String,
) -> Result<Answer> {
    let within = TimeoutConfig::builder().operation_attempt_timeout(timeout + BEYOND).build();
    let once = Builder::default().retry_config(one_attempt()).timeout_config(within);
    let invoke = step.aws.lambda.invoke().function_name(function);
    let invoke = invoke.log_type(LogType::Tail).payload(Blob::new(event));
    let throttled = Cell::new(None);
    let answer = step.until(&FUNCTION_READY, async || {
        let invoke = invoke.clone().customize().config_override(once.clone());
        let sent = async { invoke.send().await.inspect_err(|error| throttled.set(reason(error))) };
        match step.call("lambda:InvokeFunction", sent).await {
            Ok(answer) => Ok(Some(answer)),
            // It has not run: one that was not used for weeks is made ready by the first who asks for it.
            Err(error) if error.aws().is_some_and(|aws| (FUNCTION_BUSY.applies)(aws)) => Ok(None),
            Err(error) => Err(explained(error, throttled.take().as_ref())),
        }
    });
    let answer = answer.await?;
    let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
    let log = STANDARD.decode(answer.log_result.unwrap_or_default()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log).into_owned();
    Ok(Answer {
        failure: answer.function_error.map(|_| Failure::parse(&body)),
        status: answer.status_code.try_into().unwrap_or_default(),
        report: log.lines().rev().find_map(Report::parse),
        log,
        body,
    })
}

/// Which of its limits Lambda refuses by; its message is the same for all.
fn reason<R>(error: &SdkError<InvokeError, R>) -> Option<ThrottleReason> {
    match error.as_service_error()? {
        InvokeError::TooManyRequestsException(error) => error.reason.clone(),
        _ => None,
    }
}

/// Sends the event to the stack's own URL.
///
/// # Errors
/// No answer, with what that means.
pub(crate) async fn request(step: &Step<'_>, method: &str, url: &str, event: &str) -> Result<Answer> {
    let request = Box::pin(step.aws.http.exchange(method, url, event));
    let lost = |why: String| lost(Error::new(format!("{method} {url} has no answer: {why}")));
    let (status, body) = match step.answer("the URL to answer", URL_ANSWERS_WITHIN, request).await {
        Some(answer) => answer.map_err(lost)?,
        None => return Err(lost(format!("nothing within {} s", URL_ANSWERS_WITHIN.as_secs()))),
    };
    let failure = (status >= 400).then(|| Failure::parse(&body));
    Ok(Answer { body, status, failure, log: String::new(), report: None })
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

    fn answered(body: &'static str, error: Option<&'static str>, log: &str) -> Rule {
        let log = STANDARD.encode(log);
        mock!(Client::invoke)
            .match_requests(|request| {
                request.function_name() == Some("lab") && request.log_type() == Some(&LogType::Tail)
            })
            .then_http_response(move || {
                let mut answer = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
                answer.headers_mut().insert("x-amz-log-result", log.clone());
                if let Some(error) = error {
                    answer.headers_mut().insert("x-amz-function-error", error);
                }
                answer
            })
    }

    async fn invoked(world: &World) -> Result<Answer> {
        world.at(async |step| invoke(step, "lab", Duration::from_secs(10), "{}".to_owned()).await).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_as_the_function_gave_it_with_its_log_and_its_report() {
        let log = format!("START RequestId: 1 Version: $LATEST\na line\nEND RequestId: 1\n{REPORT}");
        let world = World::new().with_lambda(&[answered(r#"{ "n": 1.50 }"#, None, &log)]);
        let answer = invoked(&world).await.unwrap();
        assert_eq!(answer.body, br#"{ "n": 1.50 }"#);
        assert_eq!((answer.status, answer.failure), (200, None));
        assert_eq!(answer.log, log);
        assert_eq!(answer.report, Report::parse(REPORT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_the_function_prints_does_not_replace_lambdas() {
        let own = REPORT.replace("1.23 ms", "9999.00 ms");
        let log = format!("START RequestId: 1 Version: $LATEST\n{own}END RequestId: 1\n{REPORT}");
        let world = World::new().with_lambda(&[answered("1", None, &log)]);
        assert_eq!(invoked(&world).await.unwrap().report, Report::parse(REPORT));
    }

    #[test]
    fn a_long_log_without_its_beginning_was_cut() {
        let is_cut = |beginning: &str, lines: usize| {
            let log = format!("{beginning}{}{REPORT}", "a line\n".repeat(lines));
            Answer { body: Vec::new(), status: 200, failure: None, log, report: None }.log_is_cut()
        };
        assert!(is_cut("", 600));
        assert!(!is_cut("", 10), "Lambda was told not to log the beginning");
        assert!(!is_cut("START RequestId: 1 Version: $LATEST\n", 600));
        assert!(!is_cut("{\"time\":\"x\",\"type\":\"platform.start\",\"record\":{}}\n", 600));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_function_has_an_answer_and_says_why() {
        let failure = |error_type: Option<&str>, message: Option<&str>| Failure {
            error_type: error_type.map(str::to_owned),
            message: message.map(str::to_owned),
        };
        let cases = [
            (
                r#"{"errorType":"ValueError","errorMessage":"Unrecognized operation \"fly\""}"#,
                failure(Some("ValueError"), Some("Unrecognized operation \"fly\"")),
            ),
            (r#"{"errorMessage":"Task timed out"}"#, failure(None, Some("Task timed out"))),
            ("no JSON", failure(None, None)),
        ];
        for (body, expected) in cases {
            let world = World::new().with_lambda(&[answered(body, Some("Unhandled"), "")]);
            let answer = invoked(&world).await.unwrap();
            assert_eq!((answer.failure, answer.report), (Some(expected), None), "{body}");
            assert_eq!(answer.body, body.as_bytes());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_is_not_ready_yet_has_not_run_and_is_asked_again() {
        let pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending";
        let refused = mock!(Client::invoke)
            .sequence()
            .http_response(move || wire::json(409, "ResourceConflictException", pending))
            .times(2)
            .build();
        let world = World::new().with_lambda(&[refused, answered("1", None, "")]);
        assert_eq!(invoked(&world).await.unwrap().body, b"1");
        assert_eq!(world.recorder.waits(), ["Lambda to make the function ready"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_and_a_lost_answer_are_not_followed_by_a_second_try() {
        let throttled = || {
            let body = r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
            let mut answer = HttpResponse::new(StatusCode::try_from(429).unwrap(), SdkBody::from(body));
            answer.headers_mut().insert("x-amzn-errortype", "TooManyRequestsException");
            answer
        };
        let cases: [(fn() -> HttpResponse, &str); 5] = [
            (|| wire::json(500, "ServiceException", "broken"), "may have run"),
            (|| wire::json(502, "KMSAccessDeniedException", "Lambda was unable to decrypt"), "has not run"),
            (|| wire::json(429, "TooManyRequestsException", "Rate Exceeded."), "reserved-concurrency"),
            (throttled, "asked too often"),
            (|| wire::json(403, "AccessDeniedException", "no"), "Your own permissions"),
        ];
        for (answer, hint) in cases {
            let rule = mock!(Client::invoke).then_http_response(answer);
            let world = World::new().with_lambda(&[rule]);
            let error = invoked(&world).await.unwrap_err();
            assert_eq!(world.sent.of("Invoke").len(), 1, "{error}");
            assert!(
                crate::testing::hints(&error)[0].contains(hint),
                "{hint}: {:?}",
                crate::testing::hints(&error)
            );
        }
    }
}
