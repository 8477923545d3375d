//! How the errors of the lab's function become HTTP statuses.

/// Statuses with their selection patterns and what they mean. What no pattern matches answers 200, so every message of the
/// function matches exactly one.
pub(crate) const ERROR_RESPONSES: [(&str, &str, &str); 7] = [
    (
        "400",
        r#"(Invalid request|Parameter validation failed): .*|Unrecognized operation ".*|An error occurred \((ValidationException|SerializationException)\) .*"#,
        "The request is wrong",
    ),
    ("404", r"An error occurred \(ResourceNotFoundException\) .*", "No such table"),
    (
        "409",
        r"An error occurred \((ConditionalCheckFailedException|TransactionConflictException|ReplicatedWriteConflictException)\) .*",
        "A condition failed, or another write came in between",
    ),
    (
        "413",
        r"An error occurred \((ItemSizeLimitExceeded|ItemCollectionSizeLimitExceededException)\) .*",
        "The item is too large",
    ),
    (
        "429",
        r"An error occurred \((ProvisionedThroughputExceededException|ThrottlingException|RequestLimitExceeded)\) .*",
        "Too many requests",
    ),
    (
        "500",
        r"Internal error: .*|RequestId: .*|\d{4}-\d\d-\d\dT\S+ \S+ Task timed out after [\d.]+ seconds",
        "A mistake of ours",
    ),
    ("503", r"Service unavailable: .*", "DynamoDB cannot be reached"),
];
