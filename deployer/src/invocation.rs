//! Single invocations of a function: made by hand, and what Lambda and CloudWatch Logs tell about them. Also how many of
//! them an account lets through.

pub(crate) mod call;
pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod refusal;
pub(crate) mod report;
pub(crate) mod route;
