//! The cost of a stack: a dated price book, the usage, and the bill. Pure; nothing here calls AWS.
//!
//! Money and quantities are `f64`, which has 15 significant digits. Prices need at most 6, and bills between a cent and a
//! million dollars at most 10, so nothing is rounded before it is displayed.

mod bill;
mod prices;
#[cfg(test)]
mod tests;
mod usage;

pub(crate) use bill::{Bill, BillLine, FreeTier, LOG_COMPRESSION, dollars, grouped};
pub(crate) use prices::{Meter, Prices};
pub(crate) use usage::{Capacity, LOG_BYTES, Usage, read_units, write_units};
