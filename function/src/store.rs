//! Defines the handler's interface to DynamoDB.

use bytes::Bytes;

use crate::{action::Action, failure::Failure};

/// Performs DynamoDB's operations.
pub trait Store {
    /// Performs one operation, including retries.
    ///
    /// `body` is the request in DynamoDB's typed JSON. Its parameters are already checked.
    ///
    /// # Errors
    ///
    /// DynamoDB returned an error, or did not answer. In the second case a write may have been performed.
    fn perform(
        &self,
        action: Action,
        table: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Reply, StoreError>>;
}

/// DynamoDB's answer to a successful operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status: 200.
    pub status: u16,
    /// The HTTP headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The answer in DynamoDB's typed JSON.
    pub body: Bytes,
    /// The attempts of the operation.
    pub exchange: Exchange,
}

/// The error of an unsuccessful operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The error for the caller and the log.
    pub failure: Failure,
    /// The attempts of the operation.
    pub exchange: Exchange,
}

/// The attempts of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The number of attempts, including the first.
    pub attempts: u32,
    /// The request id in DynamoDB's last answer.
    pub request_id: Option<String>,
}
