//! Zips of earlier builds, kept in Cargo's target folder: making one again takes longer than the rest of a deployment that
//! has nothing to do.
//!
//! A zip is kept by the hash of what is in it, so it cannot be stale. The folder may be deleted at any time.

use super::archive::ZipFile;
use super::check::LARGEST_CODE;
use super::code::Code;
use crate::error::{Error, Result};
use crate::files;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Changes when the same files give another zip.
const FORMAT: &[u8] = b"1";

/// The folder in which zips are kept, locked for as long as this lives: so one command builds at a time, and none reads an
/// executable while another one's Cargo replaces it.
pub(super) struct Kept {
    folder: PathBuf,
    _lock: File,
}

impl Kept {
    /// Makes the folder if need be, and locks it. `waits` is called when another command holds it.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub(super) async fn lock(folder: PathBuf, waits: impl FnOnce()) -> Result<Self> {
        let cannot = |e: std::io::Error| {
            Error::new(format!("cannot write to {}: {e}", folder.display()))
                .hint("Cargo's target folder must be writable: choose another one with CARGO_TARGET_DIR.")
        };
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        let path = folder.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(cannot)?;
        let lock = match file.try_lock() {
            Ok(()) => file,
            Err(_) => {
                waits();
                let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
                locked.map_err(std::io::Error::other).and_then(|locked| locked).map_err(cannot)?
            }
        };
        Ok(Self { folder, _lock: lock })
    }

    /// The zip of these files: the kept one of this name if it holds just them, or what `make` makes of them, which is kept
    /// from then on. The second value says which: true for one that was made. One that cannot be kept stays in memory.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn zip(
        &self,
        name: &str,
        files: &[ZipFile],
        make: impl FnOnce(&[ZipFile]) -> Result<Vec<u8>>,
    ) -> Result<(Code, bool)> {
        let (zip_path, hash_path) = (self.path(name, "zip"), self.path(name, "sha256"));
        let hash = hash(files);
        if std::fs::read_to_string(&hash_path).is_ok_and(|kept| kept == hash)
            && let Ok((file, zip)) = files::open_and_read(&zip_path, LARGEST_CODE)
        {
            return Ok((Code::in_file(file, &zip_path, &zip), false));
        }
        let zip = make(files)?;
        // In this order, so that a zip never stands beside the hash of another one.
        let kept = remove(&hash_path)
            .and_then(|()| self.replace(&zip_path, &zip))
            .and_then(|()| self.replace(&hash_path, hash.as_bytes()))
            .and_then(|()| File::open(&zip_path));
        let code = match kept {
            Ok(file) => Code::in_file(file, &zip_path, &zip),
            Err(_) => Code::in_memory(zip),
        };
        Ok((code, true))
    }

    /// Writes a file whole or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let unfinished = self.folder.join("unfinished");
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(&unfinished, path)
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Of names, modes and contents, each with its length, so that no two lists of files have the same.
fn hash(files: &[ZipFile]) -> String {
    let mut hash = Sha256::new();
    hash.update(FORMAT);
    for file in files {
        hash.update(file.name.len().to_le_bytes());
        hash.update(&file.name);
        hash.update(file.mode.to_le_bytes());
        hash.update(file.contents.len().to_le_bytes());
        hash.update(&file.contents);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, contents: &str) -> ZipFile {
        ZipFile { name: name.to_owned(), mode: 0o755, contents: contents.into() }
    }

    #[tokio::test]
    async fn a_zip_is_made_once_for_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::lock(folder.path().join("deployer"), || ()).await.unwrap();
        let zip = |files: &[ZipFile]| {
            let make = |files: &[ZipFile]| Ok(files.iter().flat_map(|file| file.contents.clone()).collect());
            let (code, is_new) = kept.zip("shop", files, make).unwrap();
            (code.read().unwrap(), is_new)
        };
        let one = [file("bootstrap", "one")];
        assert_eq!(zip(&one), (b"one".to_vec(), true));
        assert_eq!(zip(&one), (b"one".to_vec(), false));
        let two = [file("bootstrap", "two")];
        assert_eq!(zip(&two), (b"two".to_vec(), true));
        assert_eq!(zip(&one), (b"one".to_vec(), true));
    }

    #[test]
    fn anything_that_changes_the_zip_changes_the_hash() {
        let first = hash(&[file("a", "b")]);
        assert_eq!(first, hash(&[file("a", "b")]));
        let other_mode = ZipFile { mode: 0o644, ..file("a", "b") };
        for files in [
            vec![file("ab", "")],
            vec![file("a", "c")],
            vec![other_mode],
            vec![],
            vec![file("a", "b"), file("c", "")],
        ] {
            assert_ne!(hash(&files), first);
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Kept::lock(folder.path().join("file/deployer"), || ()).await.err().unwrap();
        assert!(error.to_string().starts_with("cannot write to "), "{error}");
    }
}
