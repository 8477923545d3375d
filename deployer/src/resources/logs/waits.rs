//! The waits for `CloudWatch` Logs: what passes by itself, and what takes its time.

use crate::time::{Cadence, Passing, ms, secs};

/// What one call has just created, the next may not know yet. What stays unknown is gone.
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
