//! Verifies the checksum of DynamoDB's answers.
//!
//! DynamoDB sends the CRC-32 of each body in the header `x-amz-crc32`. AWS's other SDKs verify it and retry
//! a request whose answer does not match. The SDK for Rust ignores it.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::config::{
    http::HttpResponse,
    interceptors::InterceptorContext,
    retry::{ClassifyRetry, RetryAction},
};

/// The header with the CRC-32 of the body, in decimal.
const HEADER: &str = "x-amz-crc32";

/// The error of an answer whose body does not match its checksum.
#[derive(Debug)]
pub(crate) struct ChecksumMismatch;

impl fmt::Display for ChecksumMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body does not match the checksum in {HEADER}")
    }
}

impl Error for ChecksumMismatch {}

/// Compares the body of an answer with its checksum. An answer without a checksum is accepted, because emulators send
/// none.
pub(crate) fn verify(response: &HttpResponse) -> Result<(), ChecksumMismatch> {
    let body = response.body().bytes().unwrap_or_default();
    match response.headers().get(HEADER) {
        Some(sent) if sent.parse() != Ok(crc32fast::hash(body)) => Err(ChecksumMismatch),
        _ => Ok(()),
    }
}

/// Returns whether a checksum mismatch caused an error.
pub(crate) fn is_mismatch(error: &(dyn Error + 'static)) -> bool {
    error.is::<ChecksumMismatch>() || error.source().is_some_and(is_mismatch)
}

/// Makes the SDK retry a request after a checksum mismatch, as it does after a lost connection.
#[derive(Debug)]
pub(crate) struct RetryChecksumMismatch;

impl ClassifyRetry for RetryChecksumMismatch {
    fn name(&self) -> &'static str {
        "RetryChecksumMismatch"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if is_mismatch(error) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}
