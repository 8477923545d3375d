//! Files that a command writes its result to.

use crate::error::{Error, Result};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// Looks whether each can be written, so that a run of an hour does not end with a result that has no place. What is in a
/// file stays until the result is there.
///
/// # Errors
/// A file that cannot be written, or one that is named twice.
pub(super) fn check(files: &[Option<&Path>]) -> Result<()> {
    let files: Vec<&Path> = files.iter().copied().flatten().collect();
    for (index, file) in files.iter().enumerate() {
        if files[..index].contains(file) {
            return Err(Error::usage(format!("{} is to hold two different things", file.display())));
        }
        try_to_open(file).map_err(|e| {
            refused(file, &e).hint("Nothing was sent. Name a file in a folder that is there.")
        })?;
    }
    Ok(())
}

fn try_to_open(file: &Path) -> io::Result<()> {
    if file.exists() {
        return OpenOptions::new().append(true).open(file).map(drop);
    }
    OpenOptions::new().write(true).create_new(true).open(file)?;
    std::fs::remove_file(file)
}

/// # Errors
/// The system's own.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|e| refused(file, &e))
}

fn refused(file: &Path, error: &io::Error) -> Error {
    Error::new(format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.json"), folder.path().join("new.html"));
        std::fs::write(&old, "before").unwrap();
        check(&[Some(&old), None, Some(&new)]).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
        assert!(!new.exists());
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("missing/result.json");
        for file in [folder.path(), &nowhere] {
            let error = check(&[None, Some(file)]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("cannot write {}: ", file.display())), "{error}");
        }
        let twice = folder.path().join("result");
        let error = check(&[Some(&twice), Some(&twice)]).unwrap_err();
        assert!(error.to_string().ends_with("is to hold two different things"), "{error}");
    }
}
