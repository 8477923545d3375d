//! Load tests of a stack: what `load` and `tune` do with the load generator, whose crate is `loadgen`.
//!
//! - `mix`: the requests, built in or from a file · `destination`: the routes that they go to
//! - `announcement`: what is said and asked before the first request, with `limits` and `cost`
//! - `measurement`: the run itself · `function_reports`: what Lambda says about it · `cleanup`: removes what it has created
//! - `earlier_result`: result files of earlier runs · `result`, `report`: the result as a document, as text and as a page

pub(crate) mod announcement;
pub(crate) mod cleanup;
pub(crate) mod cost;
pub(crate) mod destination;
pub(crate) mod earlier_result;
pub(crate) mod function_reports;
pub(crate) mod function_statistics;
pub(crate) mod limits;
pub(crate) mod measurement;
pub(crate) mod mix;
pub(crate) mod report;
pub(crate) mod result;
