//! Retry policies and waits for `CloudWatch` Logs.

use crate::time::{Cadence, Passing, ms, secs};

/// A new group may not be known to the next call yet. One that stays unknown is gone.
pub(crate) static LOG_GROUP_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "CloudWatch Logs to know the log group",
        first: ms(250),
        longest: secs(2),
        within: secs(30),
    },
    applies: |e| e.code == "ResourceNotFoundException",
};

/// Somebody else is changing the same log group.
pub(crate) static LOG_GROUP_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "CloudWatch Logs to finish another change",
        first: ms(250),
        longest: secs(2),
        within: secs(60),
    },
    applies: |e| e.code == "OperationAbortedException",
};
