//! The bytes of a zip, from when it is made until it is uploaded. A hundred of them would not fit into the memory of a small
//! machine, so they stay in their files.

use crate::error::{Error, Hint, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A zip.
#[derive(Debug)]
pub(super) struct Code {
    place: Place,
    /// In bytes.
    pub(super) size: usize,
    /// In base64, as Lambda reports it.
    pub(super) sha256: String,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    /// Open, so that another file that takes its place is not uploaded instead. The name is for messages.
    File(Mutex<File>, String),
}

impl Code {
    pub(super) fn in_memory(zip: Vec<u8>) -> Self {
        Self { size: zip.len(), sha256: sha256(&zip), place: Place::Memory(zip) }
    }

    /// `zip` is what the file holds.
    pub(super) fn in_file(file: File, path: &Path, zip: &[u8]) -> Self {
        let place = Place::File(Mutex::new(file), path.display().to_string());
        Self { size: zip.len(), sha256: sha256(zip), place }
    }

    /// The bytes.
    ///
    /// # Errors
    /// A file that cannot be read, or that was changed since it was checked.
    pub(super) fn read(&self) -> Result<Vec<u8>> {
        let (file, path) = match &self.place {
            Place::Memory(zip) => return Ok(zip.clone()),
            Place::File(file, path) => (file, path),
        };
        let mut zip = Vec::with_capacity(self.size + 1);
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.size as u64 + 1;
        let read = file.rewind().and_then(|()| file.by_ref().take(most).read_to_end(&mut zip));
        read.map_err(|e| Error::new(format!("cannot read {path}: {e}")))?;
        if sha256(&zip) != self.sha256 {
            return Err(Error::new(format!(
                "{path} was changed while this command ran, so it was not uploaded"
            ))
            .hint(Hint::from("Wait until it is complete, and run ").this_command().text(" again.")));
        }
        Ok(zip)
    }
}

fn sha256(zip: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(zip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_written_as_lambda_writes_it() {
        assert_eq!(Code::in_memory(Vec::new()).sha256, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_file_that_is_replaced_is_still_read_and_one_that_is_overwritten_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.zip");
        std::fs::write(&path, "one").unwrap();
        let code = Code::in_file(File::open(&path).unwrap(), &path, b"one");
        std::fs::write(folder.path().join("other"), "two").unwrap();
        std::fs::rename(folder.path().join("other"), &path).unwrap();
        for _ in 0..2 {
            assert_eq!(code.read().unwrap(), b"one");
        }
        let code = Code::in_file(File::open(&path).unwrap(), &path, b"two");
        for text in ["six", "tw", "twofold"] {
            std::fs::write(&path, text).unwrap();
            let error = code.read().unwrap_err().to_string();
            assert!(error.contains("was changed while this command ran"), "{error}");
        }
    }
}
