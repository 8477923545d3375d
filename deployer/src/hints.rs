//! What people can do about AWS's answers that deployers are known to meet.

use crate::error::AwsError;

/// What to do about this answer of AWS's, when it is one of the well-known.
pub(crate) fn for_aws(error: &AwsError) -> Option<String> {
    let says = |text: &str| error.message.contains(text);
    Some(match error.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "The credentials have expired: run aws sso login or aws login, or set new ones.".to_owned()
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
            "AWS does not know this access key: choose another profile with --profile, or set new credentials."
                .to_owned()
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "The secret key does not fit the access key, or this machine's clock is wrong.".to_owned()
        }
        "AuthFailure" | "OptInRequired" => {
            "The account may not use this region: enable it, or choose another with --region.".to_owned()
        }
        "AccessDenied" | "AccessDeniedException" if says("explicit deny") => {
            "A policy denies this outright (a permission boundary or the organisation's own): only its owner can help."
                .to_owned()
        }
        "AccessDenied" | "AccessDeniedException" => format!(
            "Your own permissions lack {}; policies/deployer-policy.json holds the statements that deployer needs.",
            error.operation
        ),
        "RequestEntityTooLargeException" => {
            "Lambda takes a zip of at most 50 MB, and 250 MB unzipped: make the binary smaller.".to_owned()
        }
        "CodeStorageExceededException" => {
            "The region's storage for function code is full: delete functions or versions that nobody uses.".to_owned()
        }
        "InvalidParameterValueException" if says("less than or equal to 3008") => {
            "New accounts have functions of at most 3008 MB: declare less, or ask AWS for more.".to_owned()
        }
        "LimitExceededException" | "LimitExceeded" => {
            "A quota of the account is reached: delete what nobody uses, or ask AWS for more.".to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> AwsError {
        AwsError {
            operation: "lambda:CreateFunction",
            code: code.to_owned(),
            message: message.to_owned(),
            request_id: None,
            status: None,
            transport: None,
            retry_after: None,
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let hint = for_aws(&error("AccessDeniedException", "User x is not authorized")).unwrap();
        assert!(hint.contains("lambda:CreateFunction"), "{hint}");
        let hint = for_aws(&error("AccessDenied", "not authorized … with an explicit deny")).unwrap();
        assert!(hint.contains("denies this outright"), "{hint}");
    }

    #[test]
    fn an_unknown_answer_gets_no_advice() {
        assert_eq!(for_aws(&error("Weird", "?")), None);
    }
}
