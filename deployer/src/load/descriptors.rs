//! File descriptors: each connection takes one. Without enough of them, requests would fail on this machine and count as
//! failures of the target.

use crate::error::{Error, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a thread takes for its runtime and its timer.
const OF_A_THREAD: u64 = 8;

/// What the program has open besides: its terminal, its clients of AWS, looking up a name, files of a result.
const OTHERS: u64 = 64;

/// Lets this process have as many as connections need that are open at once, if the system does.
///
/// # Errors
/// The system's limit is lower.
pub(crate) fn reserve(concurrency: usize) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let needed = concurrency as u64 + OF_A_THREAD * processors as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), ..limit };
    if limit.maximum.is_none_or(|most| most >= needed) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let most = limit.maximum.or(limit.current).unwrap_or_default();
    Err(Error::usage(format!(
        "{concurrency} requests at once take {needed} file descriptors, and this process may have {most}"
    ))
    .hint(format!("Raise the limit with ulimit -n {needed}, or ask for less with --concurrency.")))
}

/// Whether a connection failed because this process, or this machine, has no descriptor left for it.
pub(super) fn ran_out(error: &std::io::Error) -> bool {
    let codes = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
