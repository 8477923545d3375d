//! Explains failed invocations: whether the function may have run, and what to do. Pure.

use crate::error::{AwsError, Error, Hint, Verb};
use aws_sdk_lambda::types::ThrottleReason;

/// Prefixes of the error codes, with HTTP 502, by which Lambda says that it could not start the function. See the errors of
/// `Invoke` in its API reference; the only other 5xx, `ServiceException`, may occur at any time.
const NOT_STARTED: [&str; 9] = [
    "EC2",
    "ENI",
    "InvalidRuntime",
    "InvalidSecurityGroupID",
    "InvalidSubnetID",
    "InvalidZipFile",
    "KMS",
    "ResourceNotReady",
    "SubnetIPAddressLimitReached",
];

/// Adds hints to an error of `Invoke`: whether the function has run, or which limit is exceeded.
pub(crate) fn add_hints(error: Error, throttle_reason: Option<&ThrottleReason>) -> Error {
    match error.aws() {
        Some(aws) if was_not_started(aws) => {
            error.hint("Lambda could not start the function: it has not run.")
        }
        Some(aws) if aws.outcome_unknown() => lost_response(error),
        Some(aws) if aws.is_throttle() => error.hint(limit_hint(throttle_reason)),
        _ => error,
    }
}

/// Adds the hints for a response that was lost.
pub(crate) fn lost_response(error: Error) -> Error {
    error
        .hint(Hint::from("The function may have run all the same; ").command(Verb::Logs).text(" shows it."))
        .hint("It was not tried again, because that could do its work twice.")
}

fn was_not_started(error: &AwsError) -> bool {
    NOT_STARTED.iter().any(|prefix| error.code.starts_with(prefix))
}

/// Names the exceeded limit and what to do about it.
fn limit_hint(reason: Option<&ThrottleReason>) -> &'static str {
    match reason {
        Some(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded) => {
            "As many requests run as the function may have at once: try again, or raise its reserved-concurrency."
        }
        Some(ThrottleReason::ReservedFunctionInvocationRateLimitExceeded) => {
            "The function is called more often a second than ten times its reserved-concurrency: try again, or raise it."
        }
        Some(ThrottleReason::ConcurrentInvocationLimitExceeded) => {
            "As many requests run as the account may have at once in this region: try again, or ask AWS for more."
        }
        Some(ThrottleReason::FunctionInvocationRateLimitExceeded) => {
            "The function is called more often a second than ten times what the account may have at once: try again."
        }
        Some(ThrottleReason::CallerRateLimitExceeded) => "Lambda is asked too often a second: try again.",
        _ => {
            "Lambda takes no more requests now: try again. What limits them is the function's reserved-concurrency, \
             where it has one, or what the account may have at once."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::refusal;

    fn hints(code: &str, status: u16, throttle_reason: Option<&ThrottleReason>) -> String {
        let error = AwsError { status: Some(status), ..refusal(code, "Rate Exceeded.") };
        crate::testing::hints(&add_hints(error.into(), throttle_reason)).join("\n")
    }

    #[test]
    fn tells_whether_the_function_may_have_run() {
        let cases = [
            ("KMSAccessDeniedException", 502, "it has not run"),
            ("KMSDisabledException", 502, "it has not run"),
            ("InvalidZipFileException", 502, "it has not run"),
            ("EC2ThrottledException", 502, "it has not run"),
            ("ENILimitReachedException", 502, "it has not run"),
            ("ServiceException", 500, "may have run"),
            ("", 502, "may have run"),
            ("ServiceUnavailable", 503, "may have run"),
        ];
        for (code, status, expected) in cases {
            let hints = hints(code, status, None);
            assert!(hints.contains(expected), "{code}: {hints}");
            assert_ne!(hints.contains("has not run"), hints.contains("may have run"), "{code}: {hints}");
        }
        assert_eq!(hints("ResourceNotFoundException", 404, None), "");
    }

    #[test]
    fn suggests_up_after_the_role_was_recreated() {
        let hints = hints("KMSAccessDeniedException", 502, None);
        assert!(hints.contains("`deployer up`"), "{hints}");
    }

    #[test]
    fn each_limit_has_its_own_hint() {
        use ThrottleReason::{
            CallerRateLimitExceeded, ConcurrentInvocationLimitExceeded, FunctionInvocationRateLimitExceeded,
            ReservedFunctionConcurrentInvocationLimitExceeded, ReservedFunctionInvocationRateLimitExceeded,
        };
        let cases = [
            (Some(ReservedFunctionConcurrentInvocationLimitExceeded), true, false),
            (Some(ReservedFunctionInvocationRateLimitExceeded), true, false),
            (Some(ConcurrentInvocationLimitExceeded), false, true),
            (Some(FunctionInvocationRateLimitExceeded), false, true),
            (Some(CallerRateLimitExceeded), false, false),
            (Some(ThrottleReason::from("NewLimitExceeded")), true, true),
            (None, true, true),
        ];
        for (reason, reserved, account) in cases {
            let hints = hints("TooManyRequestsException", 429, reason.as_ref());
            let named = (hints.contains("reserved-concurrency"), hints.contains("the account"));
            assert_eq!(named, (reserved, account), "{reason:?}: {hints}");
            assert!(hints.contains("try again"), "{hints}");
        }
    }
}
