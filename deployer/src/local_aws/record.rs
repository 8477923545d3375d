//! Which process is the local AWS of a state folder.
//!
//! Nobody is asked who may have taken a port: the launcher writes its process and its port into a file of its folder, which is
//! closed to other users, and holds a lock on that file for as long as it lives. The kernel says whose lock it is, so a record
//! that a killed process left behind is never taken for a process that has got its number since.

use crate::error::{Error, Result};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use serde::Deserialize;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// The process that holds a state folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: Pid,
    /// Where it listens, once it answers.
    pub(crate) port: Option<u16>,
}

/// The launcher's file.
#[derive(Deserialize)]
struct Record {
    pid: i32,
    port: u16,
    ready: bool,
}

/// Who holds a state folder, if anybody does.
///
/// # Errors
/// The record cannot be read, which is what another user's local AWS looks like; its process cannot be seen from here.
pub(crate) fn holder(state: &Path) -> Result<Option<Holder>> {
    let path = state.join("running");
    let cannot_read = |e: std::io::Error| Error::new(format!("cannot read {}: {e}", path.display()));
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(cannot_read(e)),
    };
    let lock = fcntl_getlk(&file, &Flock::from(FlockType::ReadLock)).map_err(|e| cannot_read(e.into()))?;
    let Some(lock) = lock else { return Ok(None) };
    let Some(pid) = lock.pid else {
        return Err(Error::new(format!(
            "the local AWS of {} runs where its process cannot be seen, such as in another container",
            state.display()
        )));
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(cannot_read)?;
    // It is written a moment after the lock is taken.
    let record = serde_json::from_str::<Record>(&text).ok();
    let ready = record.filter(|record| record.ready && record.pid == pid.as_raw_nonzero().get());
    Ok(Some(Holder { pid, port: ready.map(|record| record.port) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_whose_process_has_ended_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None);
        let pid = std::process::id();
        let left = format!(r#"{{"pid": {pid}, "port": 4566, "ready": true}}"#);
        std::fs::write(folder.path().join("running"), left).unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None, "this process lives, but is not the local AWS");
    }
}
