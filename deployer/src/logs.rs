//! Reads a function's log: by time range, continuously, or for one request.

pub(crate) mod events;
pub(crate) mod follower;
pub(crate) mod request;
pub(crate) mod transcript;
