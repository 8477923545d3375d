//! Manages the limit of open file descriptors. Each connection takes one. Without enough of them, requests would fail on
//! this machine but count as failures of the target.

use crate::error::{Error, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The file descriptors of a thread's runtime and timer.
const PER_THREAD: u64 = 8;

/// The other file descriptors of the program: its terminal, other connections, name resolution, files.
const RESERVED: u64 = 64;

/// Raises the limit of file descriptors of this process, if a run with this many connections needs more.
///
/// # Errors
/// [`Error::TooFewDescriptors`] if the hard limit of the system is lower.
pub fn reserve(concurrency: usize) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let needed = concurrency as u64 + PER_THREAD * processors as u64 + RESERVED;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), ..limit };
    if limit.maximum.is_none_or(|maximum| maximum >= needed) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let allowed = limit.maximum.or(limit.current).unwrap_or_default();
    Err(Error::TooFewDescriptors { concurrency, needed, allowed })
}

/// Returns whether an error means that this process or this machine has no file descriptor left.
pub(crate) fn is_exhausted(error: &std::io::Error) -> bool {
    let codes = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
