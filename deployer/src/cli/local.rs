//! The commands of the local AWS.

use clap::Subcommand;

/// What to do with the local AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Local {
    /// Start it, unless it runs
    Start,
    /// Stop it; it keeps what it holds for the next start
    Stop,
    /// Show whether it runs, where, and how other programs use it
    Status,
    /// Print its log
    Logs,
    /// Delete everything it holds
    Reset,
}
