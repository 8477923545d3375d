//! What people can do about AWS's answers that deployers are known to meet.

mod denied;

use super::{AwsError, Hint, Transport, Verb};

const CODE_TOO_LARGE: &str =
    "Lambda takes a zip of at most 50 MB, and 250 MB unzipped: make the binary smaller.";

const CLOCK: &str =
    "AWS takes requests whose time is right to within some minutes: set this machine's clock.";

/// How `DynamoDB` says it of throughput that is lowered, and of billing modes.
const OF_A_DAY: [&str; 3] = ["within a given UTC day", "once in 1 day", "Next update can be made"];

/// What to do about this answer of AWS's, when it is one of the well-known.
pub(super) fn about(error: &AwsError) -> Option<Hint> {
    let says = |text: &str| error.message.contains(text);
    if error.transport == Some(Transport::Silent) {
        return Some("Check the network, or say a longer --timeout.".into());
    }
    Some(match error.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" => {
            "The credentials have expired: run `aws sso login` or `aws login`, or set new ones.".into()
        }
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => CLOCK.into(),
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if says("Signature expired") || says("Signature not yet current") =>
        {
            CLOCK.into()
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
            "AWS does not know these credentials: choose another profile with --profile, or set new ones. It says the same \
             of a temporary key (ASIA…) without its session token, and where the account has not enabled the region: enable \
             it, or choose another with --region."
                .into()
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "The secret key does not fit the access key, or this machine's clock is wrong.".into()
        }
        "AuthFailure" | "OptInRequired" => {
            "The account may not use this region: enable it, or choose another with --region.".into()
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => denied::advice(error).into(),
        "RequestEntityTooLargeException" => CODE_TOO_LARGE.into(),
        "InvalidParameterValueException" if says("Unzipped size") => CODE_TOO_LARGE.into(),
        "InvalidParameterValueException" if says("4KB limit") => {
            "A function's environment holds at most 4 KB, names and values: declare less.".into()
        }
        "InvalidParameterValueException" if says("reserved keys") => {
            "Lambda sets variables of these names itself: declare others.".into()
        }
        "CodeStorageExceededException" => {
            "The region's storage for function code is full: delete functions or versions that nobody uses.".into()
        }
        "InvalidParameterValueException" if says("less than or equal to 3008") => {
            "New accounts have functions of at most 3008 MB: declare less, or ask AWS for more.".into()
        }
        "InvalidParameterValueException" if says("UnreservedConcurrentExecution") => {
            "Lambda keeps a part of the account's concurrency for functions without a reservation, and new accounts have \
             no more than that: lower reserved-concurrency or leave it out, or ask AWS for more."
                .into()
        }
        "PolicyLengthExceededException" => {
            "A function's policy holds some 60 routes: declare ANY with a path like /{proxy+}, or use more functions."
                .into()
        }
        "KMSAccessDeniedException" => {
            Hint::from(
                "The function's role was probably deleted and made again, and the key of its environment answers only \
                 to the old one: ",
            )
            .command(Verb::Plan)
            .text(" shows it, and ")
            .command(Verb::Up)
            .text(" makes the function again.")
        }
        "LimitExceeded" if says("PolicySize") => {
            "A policy holds at most 6,144 characters, without white space: grant with patterns, or give functions roles of \
             their own."
                .into()
        }
        "LimitExceededException" if OF_A_DAY.iter().any(|text| says(text)) => {
            Hint::from("DynamoDB takes such a change of a table only so often a day: run ")
                .this_command()
                .text(" again when it does.")
        }
        "LimitExceededException" | "LimitExceeded" => {
            "A quota of the account is reached: delete what nobody uses, or ask AWS for more.".into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::refusal;

    fn told(error: &AwsError) -> Option<String> {
        about(error).map(|hint| crate::testing::command_line().sentence(&hint))
    }

    fn error(code: &str, message: &str) -> AwsError {
        AwsError { operation: "lambda:CreateFunction", ..refusal(code, message) }
    }

    #[test]
    fn a_clock_that_is_wrong_is_told_from_credentials_that_are() {
        let expired = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (…)";
        for (code, message) in [
            ("RequestExpired", ""),
            ("SignatureDoesNotMatch", expired),
            ("InvalidSignatureException", expired),
        ] {
            assert_eq!(told(&error(code, message)).as_deref(), Some(CLOCK), "{code}");
        }
        let hint = told(&error("SignatureDoesNotMatch", "The request signature we calculated …")).unwrap();
        assert!(hint.contains("secret key"), "{hint}");
        assert!(told(&error("ExpiredToken", "")).unwrap().contains("have expired"));
    }

    /// AWS has two answers: that the account may not, and that it does not know the credentials there.
    #[test]
    fn a_region_that_is_not_enabled_is_named_as_a_reason() {
        for (code, message) in [
            ("OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
            ("AuthFailure", "AWS was not able to validate the provided access credentials"),
            ("InvalidClientTokenId", "The security token included in the request is invalid."),
            ("UnrecognizedClientException", "The security token included in the request is invalid."),
        ] {
            let hint = told(&error(code, message)).unwrap();
            assert!(hint.contains("region: enable it, or choose another with --region."), "{code}: {hint}");
        }
    }

    #[test]
    fn a_limit_gets_the_advice_that_helps() {
        let below = "Specified ReservedConcurrentExecutions for function decreases account's \
                     UnreservedConcurrentExecution below its minimum value of [10].";
        let lowered =
            "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day.";
        let billed =
            "Subscriber limit exceeded: Update to PayPerRequest mode are limited to once in 1 day(s).";
        let cases = [
            ("InvalidParameterValueException", below, "lower reserved-concurrency"),
            ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", "6,144 characters"),
            ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "delete what nobody uses"),
            ("LimitExceededException", lowered, "only so often a day"),
            ("LimitExceededException", billed, "only so often a day"),
            (
                "LimitExceededException",
                "Subscriber limit exceeded: too many tables",
                "delete what nobody uses",
            ),
        ];
        for (code, message, advice) in cases {
            let hint = told(&error(code, message)).unwrap();
            assert!(hint.contains(advice), "{message}: {hint}");
        }
    }

    #[test]
    fn who_waits_in_vain_is_told_how_to_wait_longer() {
        let silent = AwsError::silent("iam:GetRole", std::time::Duration::from_millis(7_990));
        assert_eq!(silent.message, "AWS did not answer within 8 s");
        assert!(told(&silent).unwrap().contains("--timeout"));
    }

    #[test]
    fn an_unknown_answer_gets_no_advice() {
        assert_eq!(told(&error("Weird", "?")), None);
    }
}
