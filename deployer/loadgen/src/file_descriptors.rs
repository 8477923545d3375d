//! The limit of open file descriptors. Each connection takes one; without enough of them, requests would fail on this
//! machine and count as failures of the target.

use crate::error::{Error, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a thread needs for its runtime and its timer.
const PER_THREAD: u64 = 8;

/// What else the program has open: its terminal, other connections, name look-ups, files.
const OTHERS: u64 = 64;

/// Raises this process's limit of file descriptors to what a run with this many connections needs, unless it is high enough.
///
/// # Errors
/// [`Error::TooFewDescriptors`] when the system's hard limit is lower.
pub fn reserve(concurrency: usize) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let needed = concurrency as u64 + PER_THREAD * processors as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), ..limit };
    if limit.maximum.is_none_or(|most| most >= needed) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let allowed = limit.maximum.or(limit.current).unwrap_or_default();
    Err(Error::TooFewDescriptors { concurrency, needed, allowed })
}

/// Whether a connection failed because this process or this machine has no descriptor left.
pub(crate) fn ran_out(error: &std::io::Error) -> bool {
    let codes = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
