//! The lab's function, which is in `function/`: all that this program knows of it. To the rest a function is a function.
//!
//! A manifest says which functions are the lab's: `lab = true`, by default for the package that has its name.

mod error_responses;
mod mix;
mod operation;
mod ping;

pub(crate) use error_responses::ERROR_RESPONSES;
pub(crate) use mix::{BuiltInMix, DEFAULT_SHARES, ItemKey, ItemTable};
pub(crate) use operation::event;
pub(crate) use ping::{ping, touches_table};

/// The Cargo package of the lab's function, which is also the one that is built for a function that names none.
pub(crate) const PACKAGE: &str = "function";

#[cfg(test)]
mod tests;
