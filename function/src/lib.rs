//! The Lambda function behind the API: seven operations, five of them on a DynamoDB table.
//!
//! An event goes through the modules in this order:
//!
//! | module | does |
//! |---|---|
//! | `runtime` | gets events from Lambda and gives it the answers |
//! | `handler` | the whole way from an event's bytes to the answer's text, over any [`Store`] |
//! | [`json`] | reads JSON within bounds, without touching its numbers |
//! | `proxy` | unpacks events of `aws-proxy` integrations |
//! | `event` | reads which of the seven operations an event asks for |
//! | `action` | the five operations of DynamoDB as data: their parameters and results |
//! | `validate` | checks the parameters of a request against that data |
//! | [`attribute`] | plain JSON ↔ DynamoDB's typed JSON |
//! | `call` | writes the body of DynamoDB's request, and the answer to the caller |
//! | `store`, `dynamodb` | performs the call |
//! | `checksum` | whether DynamoDB's answer arrived as it was sent |
//! | `failure`, `error_table` | the errors that callers get, and their HTTP statuses |
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
mod validate;

pub use action::Action;
pub use config::Config;
pub use dynamodb::DynamoDb;
pub use error_table::ERROR_RESPONSES;
pub use failure::Failure;
pub use handler::{Outcome, Report, handle};
pub use runtime::run;
pub use store::{Exchange, Refusal, Reply, Store};
