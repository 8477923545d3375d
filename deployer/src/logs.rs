//! Reading a function's log: events page by page, as they come, and those of one request.

pub(crate) mod events;
pub(crate) mod follow;
pub(crate) mod request;
pub(crate) mod transcript;
