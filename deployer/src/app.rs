//! What the commands share: from a command line to a stack in AWS, and the report about it.

pub(crate) mod confirmation;
pub(crate) mod function_log;
pub(crate) mod proof;
pub(crate) mod refusals;
pub(crate) mod result_file;
pub(crate) mod session;
pub(crate) mod summary;
pub(crate) mod survey;
pub(crate) mod teardown;
