//! A function's code: cargo-lambda builds `bootstrap`, and we zip it so that the same binary gives the same bytes.
//!
//! Lambda compares code by the hash of the zip. cargo-lambda's own zip carries the time, so every upload would be a
//! change.

mod archive;
mod build;
mod kept;

pub(crate) use archive::{LARGEST_ZIP, merged};

use crate::config::{Config, Machine};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::manifest::{Architecture, Function};
use crate::report::Outcome;
use crate::resource::{Id, Kind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A zip that is ready to upload.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Shared: it may have 50 MB, and every step that may need it holds one.
    pub(crate) zip: Arc<Vec<u8>>,
    /// As Lambda reports it: SHA-256 of the zip, in base64.
    pub(crate) sha256: String,
    /// Whether it was made just now.
    built: bool,
}

impl Package {
    pub(crate) fn of(zip: Vec<u8>) -> Self {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&zip));
        Self { zip: Arc::new(zip), sha256, built: false }
    }

    fn built(zip: Vec<u8>) -> Self {
        Self { built: true, ..Self::of(zip) }
    }
}

/// The code of every function of a stack, built when it is first asked for, once.
pub(crate) struct Packages {
    machine: Machine,
    root: PathBuf,
    /// By function name.
    sources: BTreeMap<String, Source>,
    built: BTreeMap<Source, OnceCell<Package>>,
    compared: bool,
}

/// Where a function's code comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Cargo { package: String, architecture: Architecture },
    Zip(PathBuf),
}

/// What is built for a function that names no source.
const DEFAULT_PACKAGE: &str = "function";

impl Packages {
    pub(crate) fn new(functions: impl Iterator<Item = (String, Function)>, config: &Config) -> Self {
        let sources: BTreeMap<String, Source> = functions
            .map(|(name, function)| {
                let source = match function.zip {
                    Some(zip) => Source::Zip(zip),
                    None => Source::Cargo {
                        package: function.package.unwrap_or_else(|| DEFAULT_PACKAGE.to_owned()),
                        architecture: function.architecture,
                    },
                };
                (name, source)
            })
            .collect();
        Self {
            machine: config.machine.clone(),
            root: config.root.clone(),
            built: sources.values().map(|source| (source.clone(), OnceCell::new())).collect(),
            sources,
            compared: true,
        }
    }

    /// Builds nothing: the code of functions is not compared then.
    pub(crate) fn not_compared(mut self) -> Self {
        self.compared = false;
        self
    }

    /// The function's package. `None` when it could not be built; `Some(None)` when code is not compared.
    pub(crate) async fn get(&self, go: &Engine<'_>, function: &str) -> Option<Option<Package>> {
        let source = self.sources.get(function).filter(|_| self.compared);
        let Some((source, cell)) = source.and_then(|source| Some((source, self.built.get(source)?))) else {
            return Some(None);
        };
        if let Some(package) = cell.get() {
            return Some(Some(package.clone()));
        }
        let name = match source {
            Source::Cargo { package, .. } => package.clone(),
            Source::Zip(path) => path.display().to_string(),
        };
        let package = go.task(Id::new(Kind::Package, name), async |_| {
            let package = cell.get_or_try_init(|| self.make(source)).await?;
            Ok((if package.built { Outcome::Built } else { Outcome::Unchanged }, package.clone()))
        });
        package.await.map(Some)
    }

    async fn make(&self, source: &Source) -> Result<Package> {
        match source {
            Source::Cargo { package, architecture } => {
                build::build(&self.machine, &self.root, package, *architecture).await
            }
            Source::Zip(path) => {
                let path = self.root.join(path);
                let zip = std::fs::read(&path)
                    .map_err(|e| Error::usage(format!("cannot read the zip {}: {e}", path.display())))?;
                archive::require_uploadable(&zip, &format!("the zip {}", path.display()))?;
                Ok(Package::of(zip))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_written_as_lambda_writes_it() {
        assert_eq!(Package::of(Vec::new()).sha256, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
