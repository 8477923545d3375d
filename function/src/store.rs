//! The border to DynamoDB: what the handler needs of it, and nothing of how it is done.

use bytes::Bytes;

use crate::{action::Action, failure::Failure};

/// Something that performs DynamoDB's operations.
pub trait Store {
    /// Performs one operation, with whatever retries are fit.
    ///
    /// `body` is the request in DynamoDB's own JSON. It has been checked against the operation's parameters.
    ///
    /// # Errors
    ///
    /// DynamoDB's refusal, or why it could not be asked. After a failure that is not a refusal, a write may have
    /// happened.
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
    /// How it came about.
    pub exchange: Exchange,
}

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller and the log are told.
    pub failure: Failure,
    /// How it came about.
    pub exchange: Exchange,
}

/// The traffic of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// How often the request was sent, the first time included.
    pub attempts: u32,
    /// DynamoDB's id of the last request that it answered.
    pub request_id: Option<String>,
}
