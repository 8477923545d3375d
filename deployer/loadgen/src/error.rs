//! The errors of this crate. An answer of the target is never an error: it is measured.

use std::fmt;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a run cannot start or continue.
///
/// The `Display` form is a lowercase fragment that fits after "error: ".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The input is invalid, such as a URL without a host.
    Invalid(String),
    /// The system's limit of file descriptors is lower than the run needs.
    TooFewDescriptors {
        /// The maximum number of requests in flight.
        concurrency: usize,
        /// The number of file descriptors that they need.
        needed: u64,
        /// The number of file descriptors that this process may open.
        allowed: u64,
    },
    /// The system refused a thread, a timer or memory, or a thread of the run panicked.
    System(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) | Self::System(message) => f.write_str(message),
            Self::TooFewDescriptors { concurrency, needed, allowed } => write!(
                f,
                "{concurrency} requests at once need {needed} file descriptors, but this process may open {allowed}"
            ),
        }
    }
}

impl std::error::Error for Error {}
