//! The last build's zip, kept beside it with a list of what it was made of: when all of that is as it was, Cargo need
//! not be asked, which takes longer than the rest of a deployment that has nothing to do.
//!
//! A hint and no more: any doubt means a build.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The files of one kept build.
pub(super) struct Kept {
    folder: PathBuf,
    name: String,
}

/// What a zip was made of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Inputs {
    /// Of this program, which decides how Cargo is called and how the zip is written.
    deployer: String,
    compiler: String,
    files: BTreeMap<PathBuf, Stamp>,
}

/// Enough of a file to see that it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    modified_ns: u128,
    bytes: u64,
}

impl Kept {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self { folder: folder.to_owned(), name: name.to_owned() }
    }

    /// Held while one command builds, so that another neither takes half a zip nor empties the folder under it.
    pub(super) async fn lock(&self) -> Result<File> {
        let path = self.path("lock");
        let cannot =
            |e: std::io::Error| Error::new(format!("cannot write to {}: {e}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(cannot)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(cannot)?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        locked.map_err(std::io::Error::other).and_then(|locked| locked).map_err(cannot)
    }

    /// The zip, if everything that it was made of is as it was.
    pub(super) fn zip_if_fresh(&self, compiler: &str) -> Option<Vec<u8>> {
        let kept: Inputs = serde_json::from_slice(&std::fs::read(self.path("json")).ok()?).ok()?;
        let now = Inputs {
            deployer: env!("CARGO_PKG_VERSION").to_owned(),
            compiler: compiler.to_owned(),
            files: kept.files.keys().map(|file| Some((file.clone(), stamp(file)?))).collect::<Option<_>>()?,
        };
        (now == kept && !compiler.is_empty()).then(|| std::fs::read(self.path("zip")).ok())?
    }

    /// Keeps a zip. `dependencies` is Cargo's own list of the sources; without it nothing is kept, and without
    /// success nothing is lost.
    pub(super) fn keep(&self, zip: &[u8], compiler: &str, root: &Path, dependencies: &Path) {
        let _ = std::fs::remove_file(self.path("json"));
        let Some(files) = std::fs::read_to_string(dependencies).ok().and_then(|text| inputs(&text, root))
        else {
            return;
        };
        let files = files.into_iter().filter_map(|file| Some((file.clone(), stamp(&file)?))).collect();
        let inputs =
            Inputs { deployer: env!("CARGO_PKG_VERSION").to_owned(), compiler: compiler.to_owned(), files };
        // The list comes last: a zip without it is no zip.
        if let (Ok(()), Ok(list)) = (std::fs::write(self.path("zip"), zip), serde_json::to_vec(&inputs)) {
            let _ = std::fs::write(self.path("json"), list);
        }
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(file).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Stamp { modified_ns: modified.as_nanos(), bytes: metadata.len() })
}

/// The sources that Cargo lists, and what decides how they are built: manifests, lock file, settings.
fn inputs(dependencies: &str, root: &Path) -> Option<BTreeSet<PathBuf>> {
    let (_, list) = dependencies.lines().next()?.split_once(": ")?;
    // As in a Makefile, a space inside a name is escaped.
    let list = list.replace("\\ ", "\u{0}");
    let sources: Vec<PathBuf> =
        list.split_whitespace().map(|name| PathBuf::from(name.replace('\u{0}', " "))).collect();
    let settings = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", ".cargo/config", "rust-toolchain.toml"];
    let mut files: BTreeSet<PathBuf> =
        settings.iter().map(|name| root.join(name)).filter(|file| file.exists()).collect();
    for source in &sources {
        let manifests = source.ancestors().map(|folder| folder.join("Cargo.toml"));
        files.extend(manifests.take_while(|file| file.starts_with(root)).find(|file| file.exists()));
    }
    files.extend(sources);
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Project {
        folder: tempfile::TempDir,
    }

    impl Project {
        fn new() -> Self {
            let project = Self { folder: tempfile::tempdir().unwrap() };
            for (name, text) in [("Cargo.toml", "[workspace]"), ("Cargo.lock", ""), ("f/Cargo.toml", "")] {
                project.write(name, text);
            }
            project.write("f/src/main.rs", "fn main() {}");
            project.write("f/src/a b.rs", "");
            let main = project.path("f/src/main.rs").display().to_string();
            let spaced = project.path("f/src/a b.rs").display().to_string().replace(' ', "\\ ");
            project.write("target/f.d", &format!("target/f: {main} {spaced}\n\n{main}:\n"));
            project
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn kept(&self) -> Kept {
            let kept = Kept::new(&self.path("target"), "f");
            kept.keep(b"zip", "rustc 1", self.folder.path(), &self.path("target/f.d"));
            kept
        }
    }

    #[test]
    fn an_untouched_project_need_not_be_built() {
        let project = Project::new();
        assert_eq!(project.kept().zip_if_fresh("rustc 1").as_deref(), Some(&b"zip"[..]));
    }

    #[test]
    fn whatever_the_binary_is_made_of_makes_it_stale() {
        for name in ["Cargo.toml", "Cargo.lock", "f/Cargo.toml", "f/src/main.rs", "f/src/a b.rs"] {
            let project = Project::new();
            let kept = project.kept();
            project.write(name, "changed, and longer than before");
            assert_eq!(kept.zip_if_fresh("rustc 1"), None, "{name}");
        }
        let project = Project::new();
        let kept = project.kept();
        assert_eq!(kept.zip_if_fresh("rustc 2"), None, "another compiler");
        assert_eq!(kept.zip_if_fresh(""), None, "no compiler to be asked");
        std::fs::remove_file(project.path("f/src/main.rs")).unwrap();
        assert_eq!(kept.zip_if_fresh("rustc 1"), None, "a source that is gone");
    }

    #[test]
    fn without_cargos_list_nothing_is_kept() {
        let project = Project::new();
        let kept = Kept::new(&project.path("target"), "f");
        kept.keep(b"zip", "rustc 1", project.folder.path(), &project.path("target/none.d"));
        assert_eq!(kept.zip_if_fresh("rustc 1"), None);
    }
}
