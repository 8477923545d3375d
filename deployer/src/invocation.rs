//! Single invocations of a function: made by hand, and what Lambda and CloudWatch Logs tell about them.

pub(crate) mod call;
pub(crate) mod event;
#[cfg_attr(not(test), expect(dead_code, reason = "the commands that use it come next"))]
pub(crate) mod log_events;
pub(crate) mod report;
