//! The handler's interface to DynamoDB.

use bytes::Bytes;

use crate::{action::Action, failure::Failure};

/// Something that performs DynamoDB's operations.
pub trait Store {
    /// Performs one operation, retries included.
    ///
    /// `body` is the request in DynamoDB's own JSON. It has been checked against the operation's parameters.
    ///
    /// # Errors
    ///
    /// DynamoDB's refusal, or why there is no answer. In the second case a write may have been done.
    fn perform(
        &self,
        action: Action,
        table: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Reply, Refusal>>;
}

/// What DynamoDB answered to an operation that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status: 200.
    pub status: u16,
    /// The HTTP headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The answer in DynamoDB's own JSON.
    pub body: Bytes,
    /// How the request was sent.
    pub exchange: Exchange,
}

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error for the caller and the log.
    pub failure: Failure,
    /// How the request was sent.
    pub exchange: Exchange,
}

/// How often the request of one operation was sent, and its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The number of attempts, the first included.
    pub attempts: u32,
    /// DynamoDB's id of the last attempt that it answered.
    pub request_id: Option<String>,
}
