//! What the commands share: the way from a command line to a stack in AWS, and what to say about it.

pub(crate) mod refusals;
pub(crate) mod result_file;
pub(crate) mod session;
pub(crate) mod summary;
pub(crate) mod survey;
