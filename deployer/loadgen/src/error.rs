//! What can go wrong before and during a run. What the target answers is never an error: it is what is measured.

use std::fmt;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run cannot start, or cannot go on.
///
/// The `Display` form is a lowercase fragment that fits after "error: ".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that cannot be done, such as a URL without a host.
    Invalid(String),
    /// The system's limit of file descriptors is lower than the run needs.
    TooFewDescriptors {
        /// How many requests were to be in flight at once.
        concurrency: usize,
        /// How many file descriptors that takes.
        needed: u64,
        /// How many this process may have.
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
                "{concurrency} requests at once take {needed} file descriptors, and this process may have {allowed}"
            ),
        }
    }
}

impl std::error::Error for Error {}
