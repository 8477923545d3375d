//! A function's code: cargo-lambda builds `bootstrap`, and we zip it so that the same binary gives the same bytes.
//!
//! Lambda compares code by the hash of the zip. cargo-lambda's own zip carries the time, so every upload would be a
//! change.

use crate::config::{Config, Machine};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::manifest::{Architecture, Function};
use crate::report::Outcome;
use crate::resource::{Id, Kind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use tokio::sync::OnceCell;
use zip::write::SimpleFileOptions;

/// What `provided.al2023` offers.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// What cargo-lambda is told to link against, well below.
const LINKED_GLIBC: &str = "2.26";

/// A zip that is ready to upload.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) zip: Vec<u8>,
    /// As Lambda reports it: SHA-256 of the zip, in base64.
    pub(crate) sha256: String,
}

impl Package {
    pub(crate) fn of(zip: Vec<u8>) -> Self {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&zip));
        Self { zip, sha256 }
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
            Ok((Outcome::Passed, package.clone()))
        });
        package.await.map(Some)
    }

    async fn make(&self, source: &Source) -> Result<Package> {
        match source {
            Source::Cargo { package, architecture } => {
                build(&self.machine, &self.root, package, *architecture).await
            }
            Source::Zip(path) => {
                let path = self.root.join(path);
                let zip = std::fs::read(&path)
                    .map_err(|e| Error::usage(format!("cannot read the zip {}: {e}", path.display())))?;
                require_uploadable(&zip, &format!("the zip {}", path.display()))?;
                Ok(Package::of(zip))
            }
        }
    }
}

/// Builds a Cargo package of the workspace in `root` for Lambda, and zips it.
async fn build(
    machine: &Machine,
    root: &Path,
    package: &str,
    architecture: Architecture,
) -> Result<Package> {
    require_tools(machine)?;
    let triple = match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    };
    require_target(machine, triple).await?;
    let folder = root.join("target/lambda").join(format!("{package}-{triple}"));
    // One binary is expected there; an earlier build may have left another one of an old name.
    remove_if_there(&folder)?;
    let mut cargo = command(machine, "cargo", root);
    // The linker that cargo-lambda writes lies there, and another path would make Cargo build everything again. Its
    // own choice is a folder of the home, which differs between people and between tests.
    cargo.env("CARGO_ZIGBUILD_CACHE_DIR", root.join("target/lambda/linker"));
    cargo.args(["lambda", "build", "--profile", "lambda", "--package", package]);
    // Without --skip-target-check cargo-lambda would have rustup download the target, silently.
    cargo.args(["--target", &format!("{triple}.{LINKED_GLIBC}"), "--skip-target-check", "--lambda-dir"]);
    run(cargo.arg(&folder), &format!("building the package {package}")).await?;
    let binary = only_bootstrap(&folder, package)?;
    let bytes = std::fs::read(&binary)
        .map_err(|e| Error::new(format!("cannot read {}: {e}", binary.display())))?;
    require_glibc(&bytes, &binary)?;
    let zip = zip_of(&bytes)?;
    require_uploadable(&zip, &format!("the package {package}"))?;
    Ok(Package::of(zip))
}

fn command(machine: &Machine, program: &str, root: &Path) -> Command {
    let mut command = Command::new(machine.find(program).unwrap_or_else(|| program.into()));
    command.current_dir(root).env("PATH", &machine.path).stdin(Stdio::null());
    command
}

/// Runs a build tool and keeps quiet about it, unless it fails: then all that it said is shown.
async fn run(command: &mut Command, what: &str) -> Result<String> {
    let output = command.output().await.map_err(|e| Error::new(format!("{what} failed to start: {e}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Error::new(format!("{what} failed ({})\n{said}", output.status)))
}

fn require_tools(machine: &Machine) -> Result<()> {
    let missing: Vec<&str> =
        ["cargo", "cargo-lambda", "zig"].into_iter().filter(|tool| machine.find(tool).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut error = Error::new(format!("packaging the function needs {}, not found on PATH", missing.join(" and ")));
    if missing.contains(&"cargo") {
        error = error.hint("Install Rust: https://rustup.rs");
    }
    if missing != ["cargo"] {
        error = error.hint("In this project, make setup installs cargo-lambda and zig into .venv; elsewhere, pip install cargo-lambda ziglang does.");
    }
    Err(error)
}

async fn require_target(machine: &Machine, triple: &str) -> Result<()> {
    let mut rustc = command(machine, "rustc", Path::new("."));
    let folder = run(rustc.args(["--print", "target-libdir", "--target", triple]), "asking rustc for its targets");
    if Path::new(folder.await?.trim()).is_dir() {
        return Ok(());
    }
    Err(Error::new(format!("Rust's standard library for {triple} is not installed"))
        .hint(format!("Run: rustup target add {triple}")))
}

fn remove_if_there(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(format!("cannot empty {}: {e}", folder.display())))
        }
        _ => Ok(()),
    }
}

/// cargo-lambda makes one folder for each binary of the package.
fn only_bootstrap(folder: &Path, package: &str) -> Result<PathBuf> {
    let folders = std::fs::read_dir(folder)
        .map_err(|e| Error::new(format!("cargo-lambda left nothing in {}: {e}", folder.display())))?;
    let found: Vec<PathBuf> = folders
        .filter_map(|entry| Some(entry.ok()?.path().join("bootstrap")))
        .filter(|file| file.is_file())
        .collect();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::new(format!("the package {package} has no binary for Lambda to start"))
            .hint("Give it a src/main.rs that runs lambda_runtime.")),
        many => Err(Error::new(format!("the package {package} has {} binaries, and Lambda starts one", many.len()))
            .hint("Split them into packages, one for each function.")),
    }
}

/// Refuses a binary that Lambda's runtime could not start, which would show only as a failed first request.
fn require_glibc(binary: &[u8], path: &Path) -> Result<()> {
    let newest = newest_glibc(binary);
    match newest {
        Some(version) if version > NEWEST_GLIBC => Err(Error::new(format!(
            "{} needs glibc {}.{}, and Lambda's provided.al2023 has {}.{}",
            path.display(),
            version.0,
            version.1,
            NEWEST_GLIBC.0,
            NEWEST_GLIBC.1
        ))
        .hint("Build it with zig as linker: check that zig is on PATH, then run the command again.")),
        _ => Ok(()),
    }
}

/// The newest `GLIBC_x.y` that the binary's symbol versions name. `None` for a static binary.
fn newest_glibc(binary: &[u8]) -> Option<(u32, u32)> {
    let marker = b"GLIBC_";
    let mut newest = None;
    for start in (0..binary.len().saturating_sub(marker.len())).filter(|&i| binary[i..].starts_with(marker)) {
        let text: String = binary[start + marker.len()..]
            .iter()
            .take(8)
            .map(|&b| char::from(b))
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let mut parts = text.split('.').map(str::parse);
        if let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) {
            newest = newest.max(Some((major, minor)));
        }
    }
    newest
}

/// One entry, a fixed time, mode 0755: the same binary gives the same zip on every machine.
fn zip_of(bootstrap: &[u8]) -> Result<Vec<u8>> {
    let failed = |e: zip::result::ZipError| Error::new(format!("cannot write the zip: {e}"));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options).map_err(failed)?;
    writer.write_all(bootstrap).map_err(|e| Error::new(format!("cannot write the zip: {e}")))?;
    Ok(writer.finish().map_err(failed)?.into_inner())
}

/// Refuses code that Lambda would refuse, before anything is sent: a large upload may end in a broken connection, which
/// says nothing.
fn require_uploadable(zip: &[u8], what: &str) -> Result<()> {
    const MB: usize = 1 << 20;
    if zip.len() > 50 * MB {
        return Err(Error::usage(format!("{what} has {} MB, and Lambda takes 50", zip.len().div_ceil(MB)))
            .hint("Leave out what the function does not need, or strip the binary of its symbols."));
    }
    let archive = zip::ZipArchive::new(Cursor::new(zip));
    let archive = archive.map_err(|e| Error::usage(format!("{what} cannot be opened as a zip: {e}")))?;
    let unzipped = archive.decompressed_size().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if unzipped > 250 * MB {
        let size = unzipped.div_ceil(MB);
        return Err(Error::usage(format!("{what} has {size} MB when it is unzipped, and Lambda takes 250")));
    }
    Ok(())
}

/// One zip with the files of both; where both have one of a name, the new one's.
pub(crate) fn merged(old: &[u8], new: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut old = zip::ZipArchive::new(Cursor::new(old))?;
    let mut new = zip::ZipArchive::new(Cursor::new(new))?;
    let newer: BTreeSet<String> =
        new.file_names().map(|name| Ok(name?.into_owned())).collect::<zip::result::ZipResult<_>>()?;
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let file = old.by_index_raw(i)?;
        if !newer.contains(&*file.name()?) {
            writer.raw_copy_file(file)?;
        }
    }
    for i in 0..new.len() {
        writer.raw_copy_file(new.by_index_raw(i)?)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_binary_gives_the_same_zip() {
        let binary = b"\x7fELF and so on".repeat(1000);
        let (one, two) = (zip_of(&binary).unwrap(), zip_of(&binary).unwrap());
        assert_eq!(one, two);
        let mut archive = zip::ZipArchive::new(Cursor::new(one)).unwrap();
        assert_eq!(archive.len(), 1);
        let entry = archive.by_index(0).unwrap();
        assert_eq!(entry.name().unwrap(), "bootstrap");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        assert_eq!(entry.last_modified().map(|time| time.year()), Some(1980));
    }

    #[test]
    fn merged_code_has_the_files_of_both() {
        let zip = |files: &[(&str, &str)]| {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, text) in files {
                writer.start_file(*name, SimpleFileOptions::default()).unwrap();
                writer.write_all(text.as_bytes()).unwrap();
            }
            writer.finish().unwrap().into_inner()
        };
        let both = merged(&zip(&[("a.py", "old a"), ("bootstrap", "old")]), &zip(&[("bootstrap", "new")])).unwrap();
        let mut both = zip::ZipArchive::new(Cursor::new(both)).unwrap();
        let mut read = |name: &str| std::io::read_to_string(both.by_name(name).unwrap()).unwrap();
        assert_eq!((read("a.py").as_str(), read("bootstrap").as_str()), ("old a", "new"));
    }

    #[test]
    fn the_hash_is_written_as_lambda_writes_it() {
        assert_eq!(Package::of(Vec::new()).sha256, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_binary_that_lambda_cannot_start_is_refused() {
        let path = Path::new("bootstrap");
        let binary = |version: &str| format!("\0GLIBC_2.2.5\0GLIBC_{version}\0GLIBC_2.17\0GLIBC_PRIVATE\0");
        assert_eq!(newest_glibc(binary("2.28").as_bytes()), Some((2, 28)));
        assert!(require_glibc(binary("2.34").as_bytes(), path).is_ok());
        let error = require_glibc(binary("2.38").as_bytes(), path).unwrap_err();
        assert_eq!(error.to_string(), "bootstrap needs glibc 2.38, and Lambda's provided.al2023 has 2.34");
        assert!(require_glibc(b"static", path).is_ok());
    }
}
