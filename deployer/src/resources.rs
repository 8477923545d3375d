//! The kinds of things that a stack owns, one file each. Only these call AWS.

pub(crate) mod function;
pub(crate) mod log_group;
pub(crate) mod permission;
pub(crate) mod policy;
pub(crate) mod rest_api;
pub(crate) mod role;
pub(crate) mod scaling;
pub(crate) mod table;
