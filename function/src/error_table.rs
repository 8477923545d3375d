//! Which errors answer which HTTP status, as data.
//!
//! API Gateway matches an error's message against the patterns of an integration's responses, and maps an error
//! that matches none to 200. Whoever deploys this function gives its integration these patterns.

/// An HTTP status and the `selectionPattern` of the errors that answer it: a Java regular expression, matched
/// in full against `errorMessage`.
///
/// No two patterns match the same message, and none matches the empty string, which is what API Gateway tries
/// on a success. See
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

/// The status that a code of DynamoDB's answers, when its own message may be shown to the caller.
///
/// Other codes are about credentials, permissions or this function's own mistakes: not the caller's business.
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
