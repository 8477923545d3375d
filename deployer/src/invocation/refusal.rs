//! What it means that an invocation has no answer: whether the function may have run, and what to do. Pure.

use crate::error::{AwsError, Error, Hint, Verb};
use aws_sdk_lambda::types::ThrottleReason;

/// By these codes, which come with HTTP 502, Lambda says that it could not start the function. How they begin; the
/// others that it names are no 5xx, but for `ServiceException`, which may come at any time.
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

/// Lambda's refusal, with what that means.
pub(crate) fn explained(error: Error, throttled: Option<&ThrottleReason>) -> Error {
    match error.aws() {
        Some(aws) if was_not_started(aws) => {
            error.hint("Lambda could not start the function: it has not run.")
        }
        Some(aws) if aws.outcome_unknown() => lost(error),
        Some(aws) if aws.is_throttle() => error.hint(limit(throttled)),
        _ => error,
    }
}

/// An answer that did not come.
pub(crate) fn lost(error: Error) -> Error {
    error
        .hint(Hint::from("The function may have run all the same; ").command(Verb::Logs).text(" shows it."))
        .hint("It was not tried again, because that could do its work twice.")
}

fn was_not_started(error: &AwsError) -> bool {
    NOT_STARTED.iter().any(|code| error.code.starts_with(code))
}

/// What is used up, and what to do about it.
fn limit(reason: Option<&ThrottleReason>) -> &'static str {
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

    fn hints(code: &str, status: u16, throttled: Option<&ThrottleReason>) -> String {
        let error = AwsError { status: Some(status), ..refusal(code, "Rate Exceeded.") };
        crate::testing::hints(&explained(error.into(), throttled)).join("\n")
    }

    #[test]
    fn what_lambda_could_not_start_has_not_run_and_what_broke_may_have() {
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
    fn a_role_that_was_made_again_is_mended_by_up() {
        let hints = hints("KMSAccessDeniedException", 502, None);
        assert!(hints.contains("`deployer up`"), "{hints}");
    }

    #[test]
    fn each_limit_has_advice_of_its_own() {
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
