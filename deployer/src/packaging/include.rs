//! The files that cargo-lambda's `include` puts into a zip beside the binary.

use super::archive::ZipFile;
use super::check::LARGEST_CODE;
use crate::error::{Error, Result};
use crate::files;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Reads the files of `include` entries, sorted by their names in the zip. An entry is a file or a folder, `PATH` or
/// `NAME_IN_ZIP:PATH`; relative paths start at `root`. Symbolic links are followed, as cargo-lambda's own zip does for files.
///
/// # Errors
/// An entry that is not there or cannot be read, and a name that leaves the zip.
pub(super) fn files(root: &Path, include: &[String]) -> Result<Vec<ZipFile>> {
    let mut files = Vec::new();
    for entry in include {
        let (name, path) = entry.split_once(':').unwrap_or((entry, entry));
        let leaves = Path::new(name).is_absolute()
            || Path::new(name).components().any(|part| part.as_os_str() == "..");
        if leaves {
            return Err(Error::usage(format!("the include \"{entry}\" has no place inside the zip"))
                .hint("Say where it goes, in cargo-lambda's settings: include = [\"NAME_IN_ZIP:PATH\"]."));
        }
        add(&mut files, &root.join(path), Path::new(name), entry)?;
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.dedup_by(|later, earlier| later.name == earlier.name);
    Ok(files)
}

fn add(files: &mut Vec<ZipFile>, path: &Path, name: &Path, entry: &str) -> Result<()> {
    let cannot = |e: std::io::Error| {
        Error::usage(format!(
            "cannot read {} for the include \"{entry}\" of cargo-lambda's settings: {e}",
            path.display()
        ))
    };
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        let folder: std::io::Result<Vec<PathBuf>> =
            std::fs::read_dir(path).map_err(cannot)?.map(|entry| Ok(entry?.path())).collect();
        for path in folder.map_err(cannot)? {
            add(files, &path, &name.join(path.file_name().unwrap_or_default()), entry)?;
        }
        return Ok(());
    }
    let is_executable = metadata.permissions().mode() & 0o111 != 0;
    let plain: PathBuf = name.components().filter(|part| part.as_os_str() != ".").collect();
    files.push(ZipFile {
        name: plain.display().to_string(),
        // Lambda runs the code as another user than the owner of the files.
        mode: if is_executable { 0o755 } else { 0o644 },
        contents: files::read(path, LARGEST_CODE).map_err(cannot)?,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("assets/deep")).unwrap();
        std::fs::write(folder.path().join("assets/deep/b"), "b").unwrap();
        std::fs::write(folder.path().join("assets/a"), "a").unwrap();
        std::fs::write(folder.path().join("run.sh"), "#!").unwrap();
        let executable = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path().join("run.sh"), executable).unwrap();
        folder
    }

    fn names(include: &[&str]) -> Vec<(String, u32)> {
        let include: Vec<String> = include.iter().map(|entry| (*entry).to_owned()).collect();
        files(folder().path(), &include).unwrap().into_iter().map(|file| (file.name, file.mode)).collect()
    }

    #[test]
    fn folders_are_taken_whole_and_files_under_the_name_that_is_asked_for() {
        let expected = |list: &[(&str, u32)]| {
            list.iter().map(|(name, mode)| ((*name).to_owned(), *mode)).collect::<Vec<_>>()
        };
        assert_eq!(names(&["./assets"]), expected(&[("assets/a", 0o644), ("assets/deep/b", 0o644)]));
        assert_eq!(
            names(&["bin/run:run.sh", "assets/a"]),
            expected(&[("assets/a", 0o644), ("bin/run", 0o755)])
        );
    }

    #[test]
    fn refuses_what_is_not_there_and_what_leaves_the_zip() {
        let refused = |entry: &str| files(folder().path(), &[entry.to_owned()]).unwrap_err().to_string();
        assert!(
            refused("none").contains("for the include \"none\" of cargo-lambda's settings: No such file")
        );
        for entry in ["/etc/hostname", "../x", "a/../../x:run.sh"] {
            assert_eq!(refused(entry), format!("the include \"{entry}\" has no place inside the zip"));
        }
    }
}
