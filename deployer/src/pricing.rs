//! What a stack costs: a dated price book, what is used, and the bill. Pure; nothing here asks AWS.
//!
//! Money and quantities are `f64`: it holds 15 digits, a price has at most 6 of them and a bill of a cent to a million
//! dollars at most 10, so that nothing is rounded before it is shown.

mod bill;
mod prices;
#[cfg(test)]
mod tests;
mod usage;

pub(crate) use bill::{Bill, FreeTier, LOG_COMPRESSION, Line, dollars, grouped};
pub(crate) use prices::{Meter, Prices};
pub(crate) use usage::{Capacity, LOG_BYTES, Usage, read_units, write_units};
