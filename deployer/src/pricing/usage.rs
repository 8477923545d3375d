//! The usage of Lambda, DynamoDB and CloudWatch Logs that requests cause.

use crate::manifest::{Architecture, Billing, Function, Table};

/// An estimate of the log of one request, in bytes: one line of the function, and Lambda's `START`, `END` and `REPORT`.
pub(crate) const LOG_BYTES: f64 = 500.0;

/// The average usage of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usage {
    /// The function's memory setting, in MB.
    pub memory_mb: i32,
    /// The function's architecture.
    pub architecture: Architecture,
    /// The billed duration, in ms, as in REPORT lines: each invocation is rounded up to a whole millisecond, and cold starts
    /// include the initialization (<https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>).
    pub billed_ms: f64,
    /// Whether requests pass through the REST API.
    pub through_api: bool,
    /// Write request units of on-demand tables; see [`write_units`].
    pub write_units: f64,
    /// Read request units of on-demand tables; see [`read_units`].
    pub read_units: f64,
    /// The log, in bytes.
    pub log_bytes: f64,
    /// The retention of the log, in days.
    pub log_days: i32,
    /// The capacity that is billed by the hour, with or without requests.
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
    /// Returns the usage of an invocation of a function through the API, without access to tables.
    pub(crate) fn for_function(function: &Function, billed_ms: f64) -> Self {
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
    /// Sums the provisioned capacity of tables, without what auto scaling may add.
    pub(crate) fn from_tables<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Self {
        let mut total = Self::default();
        for table in tables {
            if let Billing::Provisioned(units) = &table.billing {
                total.write += to_f64(units.write);
                total.read += to_f64(units.read);
            }
        }
        total
    }
}

/// Returns the request units for writing an item of this size: one for each started KB.
/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
pub(crate) fn write_units(item_bytes: f64) -> f64 {
    (item_bytes / 1024.0).ceil().max(1.0)
}

/// Returns the request units for an eventually consistent read of an item of this size: a half for each started 4 KB. A
/// `list` reads everything that it scans.
pub(crate) fn read_units(item_bytes: f64) -> f64 {
    (item_bytes / 4096.0).ceil().max(1.0) / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^53 units")]
fn to_f64(units: i64) -> f64 {
    units as f64
}
