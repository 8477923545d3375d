//! Maps errors to HTTP statuses, as data.
//!
//! API Gateway matches an error's message against the patterns of the integration's responses, and answers 200 if none
//! matches. An integration with this function needs the patterns of this table.

/// The HTTP statuses of errors, each with its `selectionPattern`: a Java regular expression that has to match the whole
/// `errorMessage`.
///
/// No two patterns match the same message. None matches the empty string, because API Gateway tries the patterns on
/// successes too, with an empty message. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html>.
pub const ERROR_RESPONSES: [(u16, &str); 7] = [
    (
        400,
        r#"(Invalid request|Parameter validation failed): .*|Unrecognized operation ".*|An error occurred \((ValidationException|SerializationException)\) .*"#,
    ),
    (404, r"An error occurred \(ResourceNotFoundException\) .*"),
    (
        409,
        r"An error occurred \((ConditionalCheckFailedException|TransactionConflictException|ReplicatedWriteConflictException)\) .*",
    ),
    (413, r"An error occurred \((ItemSizeLimitExceeded|ItemCollectionSizeLimitExceededException)\) .*"),
    (
        429,
        r"An error occurred \((ProvisionedThroughputExceededException|ThrottlingException|RequestLimitExceeded)\) .*",
    ),
    (500, r"Internal error: .*|RequestId: .*|\d{4}-\d\d-\d\dT\S+ \S+ Task timed out after [\d.]+ seconds"),
    (503, r"Service unavailable: .*"),
];

/// Returns the HTTP status of a DynamoDB error code whose message the caller may see.
///
/// Returns `None` for all other codes. They concern credentials, permissions or bugs of this function, and their messages
/// may name roles and accounts.
pub(crate) fn status_of(code: &str) -> Option<u16> {
    match code {
        "ValidationException" | "SerializationException" => Some(400),
        "ResourceNotFoundException" => Some(404),
        "ConditionalCheckFailedException"
        | "TransactionConflictException"
        | "ReplicatedWriteConflictException" => Some(409),
        "ItemSizeLimitExceeded" | "ItemCollectionSizeLimitExceededException" => Some(413),
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => {
            Some(429)
        }
        _ => None,
    }
}
