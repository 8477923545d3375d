//! What requests use: of Lambda, of DynamoDB, and of the log.

use crate::manifest::{Architecture, Billing, Function, Table};

/// What the function's own line, and Lambda's `START`, `END` and `REPORT`, come to for one request; an estimate.
pub(crate) const LOG_BYTES: f64 = 500.0;

/// What one request uses, on average.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usage {
    /// The function's memory setting, in MB.
    pub memory_mb: i32,
    /// Of its processor.
    pub architecture: Architecture,
    /// Billed duration, in ms, as in REPORT lines: each invocation rounded up to a whole one, with the initialization
    /// of those that started cold (<https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>).
    pub billed_ms: f64,
    /// Whether requests come through the REST API.
    pub through_api: bool,
    /// DynamoDB's write request units on on-demand tables; see [`write_units`].
    pub write_units: f64,
    /// Its read request units; see [`read_units`].
    pub read_units: f64,
    /// What is written to the log, in bytes.
    pub log_bytes: f64,
    /// How long the log is kept, in days.
    pub log_days: i32,
    /// What is paid by the hour, requests or not.
    pub capacity: Capacity,
}

/// Provisioned capacity of all tables, in DynamoDB's units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Capacity {
    /// Write capacity units.
    pub write: f64,
    /// Read capacity units.
    pub read: f64,
}

impl Usage {
    /// What an invocation of this function uses through the API, when it touches no table.
    pub(crate) fn of(function: &Function, billed_ms: f64) -> Self {
        Self {
            memory_mb: function.memory,
            architecture: function.architecture,
            billed_ms,
            through_api: true,
            write_units: 0.0,
            read_units: 0.0,
            log_bytes: LOG_BYTES,
            log_days: function.log_retention_days,
            capacity: Capacity::default(),
        }
    }
}

impl Capacity {
    /// What these tables set aside, without what auto scaling may add.
    pub(crate) fn of<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Self {
        let mut sum = Self::default();
        for table in tables {
            if let Billing::Provisioned(units) = &table.billing {
                sum.write += count(units.write);
                sum.read += count(units.read);
            }
        }
        sum
    }
}

/// The request units of writing an item of this size once: one for each KB begun.
/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
pub(crate) fn write_units(item_bytes: f64) -> f64 {
    (item_bytes / 1024.0).ceil().max(1.0)
}

/// The request units of reading an item of this size once, eventually consistent as the function's reads are: half of
/// one for each 4 KB begun. A `list` is a read of all that it scans.
pub(crate) fn read_units(item_bytes: f64) -> f64 {
    (item_bytes / 4096.0).ceil().max(1.0) / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^53 units")]
fn count(units: i64) -> f64 {
    units as f64
}
