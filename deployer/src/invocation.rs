//! Single invocations of a function: the event, the call, the response and Lambda's report.

pub(crate) mod event;
pub(crate) mod function_error;
pub(crate) mod invoke;
pub(crate) mod invoke_error;
pub(crate) mod report;
pub(crate) mod route;
