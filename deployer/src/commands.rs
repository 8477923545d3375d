//! One file for each verb: short scripts over what they share in `app`.

pub(crate) mod cost;
pub(crate) mod down;
pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod load;
pub(crate) mod local;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod tune;
pub(crate) mod up;
