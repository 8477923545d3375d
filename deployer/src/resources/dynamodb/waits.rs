//! The waits for `DynamoDB` and Application Auto Scaling: what passes by itself, and what takes its time.

use crate::time::{Cadence, Passing, ms, secs};

/// `DynamoDB` tells what it knows of a table sooner or later: what one call shows, the next may not know yet. What stays
/// unknown is gone.
pub(crate) static TABLE_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to know the table",
        first: ms(50),
        longest: secs(1),
        within: secs(30),
    },
    applies: |e| matches!(e.code.as_str(), "ResourceNotFoundException" | "TableNotFoundException"),
};

/// A table takes one change at a time, and none while it is being made. An index takes minutes even over a few items, and
/// more over many.
pub(crate) static TABLE_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to finish the previous change of the table",
        first: ms(500),
        longest: secs(4),
        within: secs(1800),
    },
    applies: |e| {
        e.code == "ResourceInUseException" && !e.message.contains("already exists")
            // So many at once; so many in all is another limit, under the same code.
            || e.code == "LimitExceededException" && e.message.contains("simultaneously")
            || e.message.contains("Please retry later")
    },
};

/// A table is usually made in 10 to 30 s. The SDK's own waiter looks only every 20 s.
pub(crate) static TABLE_ACTIVE: Cadence =
    Cadence { reason: "the table to become active", first: ms(50), longest: secs(1), within: secs(1800) };

/// A new table's tags are visible some seconds after it.
pub(crate) static TABLE_TAGS: Cadence = Cadence {
    reason: "DynamoDB to show the table's tags",
    first: ms(500),
    longest: secs(4),
    within: secs(10),
};

/// Deleting takes as long as creating.
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

/// Application Auto Scaling is eventually consistent, and makes its service-linked role when an account first uses it: until
/// the two and the table know of each other, it refuses ("`RegisterScalableTarget`" in its API reference; the messages are
/// those that Terraform's provider waits out).
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
