//! The Lambda function behind the API: seven operations, five of them on a DynamoDB table.
//!
//! An event goes through the modules in this order:
//!
//! | module | does |
//! |---|---|
//! | `runtime` | receives events from Lambda and returns the answers |
//! | `handler` | turns the bytes of an event into the text of the answer, with any [`Store`] |
//! | [`json`] | parses JSON within bounds, and keeps the exact text of numbers |
//! | `proxy` | unpacks events of `aws-proxy` integrations |
//! | `event` | determines which of the seven operations an event requests |
//! | `action` | describes the five DynamoDB operations as data: their parameters and outputs |
//! | `validation` | checks the parameters of a request against that data |
//! | [`attribute`] | converts between plain JSON and DynamoDB's typed JSON |
//! | `call` | writes the body of the request to DynamoDB, and the answer to the caller |
//! | `store`, `dynamodb` | perform the call |
//! | `checksum` | verifies the checksum of DynamoDB's answer |
//! | `failure`, `error_table` | define the errors that callers get, and their HTTP statuses |
//! | `log` | writes one line for each invocation |

mod action;
pub mod attribute;
mod call;
mod checksum;
mod config;
mod dynamodb;
mod error_table;
mod event;
mod failure;
mod handler;
pub mod json;
pub mod log;
mod proxy;
mod runtime;
mod store;
mod validation;

pub use action::Action;
pub use config::Config;
pub use dynamodb::DynamoDb;
pub use error_table::ERROR_RESPONSES;
pub use failure::Failure;
pub use handler::{Outcome, Report, handle};
pub use runtime::run;
pub use store::{Exchange, Reply, Store, StoreError};
