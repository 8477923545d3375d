//! Retry policies and waits for API Gateway.

use crate::time::{Cadence, Passing, ms, secs};

/// API Gateway allows one change to an API at a time.
pub(crate) static API_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "API Gateway to finish another change of the API",
        first: ms(500),
        longest: secs(8),
        within: secs(300),
    },
    applies: |e| e.code == "ConflictException" && e.message.contains("try again later"),
};

/// Another run has created an API at the same moment. It deletes or deploys it within seconds.
pub(crate) static OTHER_RUN_DECIDES: Cadence = Cadence {
    reason: "another run, which made the API at the same moment",
    first: ms(250),
    longest: secs(2),
    within: secs(60),
};

/// A definition is usually visible at once.
pub(crate) static DEFINITION_TAKEN: Cadence = Cadence {
    reason: "API Gateway to show the definition that was put",
    first: ms(250),
    longest: secs(2),
    within: secs(15),
};
