//! The files that a command writes its result to.

use crate::cli::Traffic;
use crate::config::Config;
use crate::error::{Error, Result};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Returns the files that a command reads and no result may overwrite: the manifest, what it names, the mix, and the
/// files given as `read`.
pub(crate) fn inputs<'a>(
    config: &Config,
    traffic: Option<&Traffic>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Vec<PathBuf> {
    let functions = config.manifest.functions.values();
    let named = functions.flat_map(|function| [Some(&function.policy), function.zip.as_ref()]);
    let mut files = vec![config.manifest_path.clone()];
    files.extend(named.flatten().map(|file| config.root.join(file)));
    files.extend(traffic.map(|traffic| PathBuf::from(&traffic.mix)));
    files.extend(read.into_iter().map(Path::to_owned));
    files
}

/// Checks that each file can be written, so that an hour's run does not end without a place for its result. The old
/// content stays until the result is ready.
///
/// # Errors
/// Fails for a file that cannot be written, one that is named twice, and one of `inputs`.
pub(crate) fn check(files: &[Option<&Path>], inputs: &[PathBuf]) -> Result<()> {
    let files: Vec<&Path> = files.iter().copied().flatten().collect();
    let inputs: Vec<PathBuf> = inputs.iter().map(|file| place(file)).collect();
    for (index, file) in files.iter().enumerate() {
        let place = place(file);
        if files[..index].iter().any(|other| self::place(other) == place) {
            return Err(Error::usage(format!("{} is to hold two different things", file.display())));
        }
        if inputs.contains(&place) {
            return Err(Error::usage(format!(
                "{} is read by this command, and its result would take its place",
                file.display()
            ))
            .hint("Nothing was sent. Name another file for the result."));
        }
        try_to_write(&place).map_err(|e| {
            refused(file, &e).hint("Nothing was sent. Name a file in a folder that is there.")
        })?;
    }
    Ok(())
}

/// Replaces a file atomically: it is the old one or the whole new one at any moment, even when the process is killed
/// or the disk is full.
///
/// # Errors
/// Fails with the system's error.
pub(crate) fn write(file: &Path, text: &str) -> Result<()> {
    let place = place(file);
    let written = if is_a_stream(&place) { std::fs::write(&place, text) } else { replace(&place, text) };
    written.map_err(|e| refused(file, &e))
}

/// Returns where a file is or would be, with links resolved, so that two names of one file are recognised.
fn place(file: &Path) -> PathBuf {
    if let Ok(place) = file.canonicalize() {
        return place;
    }
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) if !absolute.exists() => folder.join(name),
        _ => absolute,
    }
}

/// Whether it is a device such as `/dev/stdout`, which cannot be replaced.
fn is_a_stream(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn try_to_write(file: &Path) -> io::Result<()> {
    if is_a_stream(file) {
        // Opening a named pipe would block until somebody reads it.
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        return OpenOptions::new().write(true).custom_flags(nonblocking).open(file).map(drop);
    }
    if file.exists() {
        OpenOptions::new().append(true).open(file)?;
    }
    let beside = beside(file);
    File::create_new(&beside)?;
    std::fs::remove_file(beside)
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let beside = beside(file);
    let written = (|| {
        let mut new = File::create_new(&beside)?;
        new.write_all(text.as_bytes())?;
        if let Ok(old) = file.metadata() {
            new.set_permissions(old.permissions())?;
        }
        new.sync_all()?;
        std::fs::rename(&beside, file)
    })();
    if written.is_err() {
        // The first error matters more.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Returns a new name in the same folder, so that the file can be renamed atomically.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}.{:08x}", std::process::id(), fastrand::u32(..)))
}

fn refused(file: &Path, error: &io::Error) -> Error {
    Error::new(format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_look_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.json"), folder.path().join("new.html"));
        std::fs::write(&old, "before").unwrap();
        check(&[Some(&old), None, Some(&new)], &[]).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
        assert_eq!(names(folder.path()), ["old.json"]);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("missing/result.json");
        for file in [folder.path(), &nowhere] {
            let error = check(&[None, Some(file)], &[]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("cannot write {}: ", file.display())), "{error}");
        }
        let twice = folder.path().join("result");
        let same = folder.path().join("./result");
        let error = check(&[Some(&twice), Some(&same)], &[]).unwrap_err();
        assert!(error.to_string().ends_with("is to hold two different things"), "{error}");
    }

    #[test]
    fn a_result_never_takes_the_place_of_an_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("stack.toml"), "").unwrap();
        symlink(path("stack.toml"), path("link")).unwrap();
        std::fs::create_dir(path("f")).unwrap();
        let inputs = [path("stack.toml"), path("f/../policy.json")];
        for name in ["stack.toml", "f/../stack.toml", "link", "policy.json"] {
            let error = check(&[Some(&path(name))], &inputs).unwrap_err();
            assert!(error.to_string().contains("is read by this command"), "{name}: {error}");
        }
        check(&[Some(&path("result.json"))], &inputs).unwrap();
    }

    #[test]
    fn a_result_replaces_the_file_in_one_step_and_keeps_its_permissions_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("result"), folder.path().join("link"));
        std::fs::write(&file, "before").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        // Whoever has opened the old one goes on to read it, whole.
        let mut reader = File::open(&file).unwrap();
        write(&link, "after").unwrap();
        let mut old = String::new();
        io::Read::read_to_string(&mut reader, &mut old).unwrap();
        assert_eq!((old.as_str(), std::fs::read_to_string(&file).unwrap().as_str()), ("before", "after"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(names(folder.path()), ["link", "result"], "nothing is left beside it");
        write(Path::new("/dev/null"), "gone").unwrap();
        check(&[Some(Path::new("/dev/null"))], &[]).unwrap();
    }
}
