//! Renders events and documents. Only these modules print.

pub(crate) mod chart;
pub(crate) mod columns;
pub(crate) mod console;
pub(crate) mod cost;
pub(crate) mod html;
pub(crate) mod human;
pub(crate) mod invocation;
pub(crate) mod json;
pub(crate) mod log_line;
mod palette;
pub(crate) mod plain;
mod pretty;
mod sign;
pub(crate) mod text;
pub(crate) mod trace;
