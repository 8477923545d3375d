//! Retry policies and waits for `DynamoDB` and Application Auto Scaling.

use crate::time::{Cadence, Passing, ms, secs};

/// `DynamoDB` is eventually consistent: what one call shows, the next may not know yet. A table that stays unknown is
/// gone.
pub(crate) static TABLE_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to know the table",
        first: ms(50),
        longest: secs(1),
        within: secs(30),
    },
    applies: |e| matches!(e.code.as_str(), "ResourceNotFoundException" | "TableNotFoundException"),
};

/// A table takes one change at a time, and none while it is being created. An index takes minutes even over a few
/// items.
pub(crate) static TABLE_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to finish the previous change of the table",
        first: ms(500),
        longest: secs(4),
        within: secs(1800),
    },
    applies: |e| {
        e.code == "ResourceInUseException" && !e.message.contains("already exists")
            // This is the limit of simultaneous operations. The limit of tables in all has the same code.
            || e.code == "LimitExceededException" && e.message.contains("simultaneously")
            || e.message.contains("Please retry later")
    },
};

/// A table is usually ready in 10 to 30 s. The SDK's own waiter polls only every 20 s.
pub(crate) static TABLE_ACTIVE: Cadence =
    Cadence { reason: "the table to become active", first: ms(50), longest: secs(1), within: secs(1800) };

/// Tags of a new table become visible some seconds later.
pub(crate) static TABLE_TAGS: Cadence = Cadence {
    reason: "DynamoDB to show the table's tags",
    first: ms(500),
    longest: secs(4),
    within: secs(10),
};

/// Deleting takes about as long as creating.
pub(crate) static TABLE_GONE: Cadence =
    Cadence { reason: "the table to be gone", first: ms(50), longest: secs(1), within: secs(1800) };

/// Auto scaling refuses a second change while the first is under way.
pub(crate) static SCALING_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "auto scaling to finish another change",
        first: ms(500),
        longest: secs(4),
        within: secs(120),
    },
    applies: |e| e.code == "ConcurrentUpdateException",
};

/// Application Auto Scaling is eventually consistent, and creates its service-linked role when an account first uses
/// it. Until it and the table know of each other, it refuses ("`RegisterScalableTarget`" in its API reference; the
/// messages are those that Terraform's provider waits for).
pub(crate) static SCALING_NOT_YET_READY: Passing = Passing {
    cadence: Cadence {
        reason: "auto scaling to be ready for the table",
        first: ms(500),
        longest: secs(4),
        within: secs(120),
    },
    applies: |e| {
        let says_any = |texts: &[&str]| texts.iter().any(|text| e.message.contains(text));
        match e.code.as_str() {
            "ObjectNotFoundException" => true,
            "ValidationException" => says_any(&["Unable to assume IAM role", "table does not exist"]),
            "FailedResourceAccessException" => {
                says_any(&["is not authorized to perform", "token included in the request is invalid"])
            }
            _ => false,
        }
    },
};
