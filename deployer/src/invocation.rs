//! Single invocations of a function: what Lambda and CloudWatch Logs tell about them.

pub(crate) mod log_events;
pub(crate) mod report;
