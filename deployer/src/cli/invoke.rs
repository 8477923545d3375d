//! Flags of `invoke`.

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Flags of `invoke`.
#[derive(Debug, Args)]
pub struct Invoke {
    /// An operation of the lab's function like ping, JSON, the path of a file, or - for stdin
    pub event: String,
    /// The payload of an operation, as JSON
    #[arg(allow_negative_numbers = true)]
    pub payload: Option<String>,
    /// The function, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// How the event gets to the function
    #[arg(long, value_enum, default_value_t = Via::Lambda)]
    pub via: Via,
    /// With --via api, the path, like /items/7 [default: the function's first route without parameters]
    #[arg(long, value_name = "PATH")]
    pub route: Option<String>,
}

/// How an event gets to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Lambda's own Invoke, which also shows the log.
    Lambda,
    /// A request to the stack's URL.
    Api,
}
