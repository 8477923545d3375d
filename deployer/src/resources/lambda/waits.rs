//! Retry policies and waits for Lambda.

use crate::time::{Cadence, Passing, ms, secs};

/// Lambda makes one change to a function at a time. "Function already exist" has the same code and never passes.
pub(crate) static FUNCTION_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "Lambda to finish the previous change of the function",
        first: ms(250),
        longest: secs(2),
        within: secs(300),
    },
    applies: |e| {
        e.code == "ResourceConflictException"
            && ["in progress", "Pending", "concurrent update"].iter().any(|text| e.message.contains(text))
    },
};

/// A new function may not be known to the next calls yet. One that stays unknown is gone.
pub(crate) static FUNCTION_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "Lambda to know the function",
        first: ms(250),
        longest: secs(2),
        within: secs(30),
    },
    applies: |e| e.code == "ResourceNotFoundException",
};

/// A new function is pending for a second or two, and its permission and the smoke test wait for it. Lambda allows a
/// hundred of these reads a second.
pub(crate) static FUNCTION_READY: Cadence = Cadence {
    reason: "Lambda to make the function ready",
    first: ms(50),
    longest: ms(100),
    within: secs(300),
};

/// Deleting a function may be asynchronous.
pub(crate) static FUNCTION_GONE: Cadence =
    Cadence { reason: "the function to be gone", first: ms(250), longest: secs(2), within: secs(600) };
