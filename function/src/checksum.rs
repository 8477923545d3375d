//! The checksum of DynamoDB's answers.
//!
//! DynamoDB sends the CRC-32 of each body in the header `x-amz-crc32`. AWS's other SDKs compare the two and repeat
//! a request whose answer does not fit; the SDK for Rust does not look.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::config::{
    http::HttpResponse,
    interceptors::InterceptorContext,
    retry::{ClassifyRetry, RetryAction},
};

/// The checksum of a body, in decimal.
const HEADER: &str = "x-amz-crc32";

/// An answer was changed on its way: its body does not have the checksum that was sent with it.
#[derive(Debug)]
pub(crate) struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body does not have the checksum of {HEADER}")
    }
}

impl Error for Damaged {}

/// Compares an answer's body with its checksum. An answer without one is taken as it is: emulators send none.
pub(crate) fn verify(response: &HttpResponse) -> Result<(), Damaged> {
    let body = response.body().bytes().unwrap_or_default();
    match response.headers().get(HEADER) {
        Some(sent) if sent.parse() != Ok(crc32fast::hash(body)) => Err(Damaged),
        _ => Ok(()),
    }
}

/// Whether an error was caused by a damaged answer.
pub(crate) fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    error.is::<Damaged>() || error.source().is_some_and(is_damaged)
}

/// Makes the SDK repeat a request whose answer was damaged, as it does after a lost connection.
#[derive(Debug)]
pub(crate) struct RetryDamaged;

impl ClassifyRetry for RetryDamaged {
    fn name(&self) -> &'static str {
        "RetryDamaged"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if is_damaged(error) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}
