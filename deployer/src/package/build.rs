//! cargo-lambda makes `bootstrap` of a Cargo package, for a glibc that Lambda has.

use super::Package;
use super::archive;
use super::kept::Kept;
use crate::config::Machine;
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// The Cargo profile that is small and quick to start.
const PROFILE: &str = "lambda";

/// What `provided.al2023` offers.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// What cargo-lambda is told to link against, well below.
const LINKED_GLIBC: &str = "2.26";

/// Builds a Cargo package of the workspace in `root` for Lambda, and zips it.
pub(super) async fn build(
    machine: &Machine,
    root: &Path,
    package: &str,
    architecture: Architecture,
) -> Result<Package> {
    let triple = match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    };
    let place = root.join("target/lambda");
    let folder = place.join(format!("{package}-{triple}"));
    let kept = Kept::new(&place, &format!("{package}-{triple}"));
    let _lock = kept.lock().await?;
    let compiler = compiler(machine, root).await;
    if let Some(zip) = kept.zip_if_fresh(&compiler) {
        return Ok(Package::of(zip));
    }
    require_tools(machine)?;
    require_target(machine, triple).await?;
    // One binary is expected there; an earlier build may have left another one of an old name.
    remove_if_there(&folder)?;
    let mut cargo = command(machine, "cargo", root);
    // The linker that cargo-lambda writes lies there, and another path would make Cargo build everything again. Its
    // own choice is a folder of the home, which differs between people and between tests.
    cargo.env("CARGO_ZIGBUILD_CACHE_DIR", place.join("linker"));
    cargo.args(["lambda", "build", "--profile", PROFILE, "--package", package]);
    // Without --skip-target-check cargo-lambda would have rustup download the target, silently.
    cargo.args(["--target", &format!("{triple}.{LINKED_GLIBC}"), "--skip-target-check", "--lambda-dir"]);
    run(cargo.arg(&folder), &format!("building the package {package}")).await?;
    let binary = only_bootstrap(&folder, package)?;
    let bytes =
        std::fs::read(&binary).map_err(|e| Error::new(format!("cannot read {}: {e}", binary.display())))?;
    require_glibc(&bytes, &binary)?;
    let zip = archive::zip_of(&bytes)?;
    archive::require_uploadable(&zip, &format!("the zip of package {package}"))?;
    let dependencies = root.join("target").join(triple).join(PROFILE).join(dependency_file(&binary));
    kept.keep(&zip, &compiler, root, &dependencies);
    Ok(Package::built(zip))
}

/// Where Cargo lists the sources of a binary: `NAME.d`, beside it.
fn dependency_file(bootstrap: &Path) -> PathBuf {
    let name = bootstrap.parent().and_then(Path::file_name).unwrap_or_default();
    Path::new(name).with_extension("d")
}

/// The compiler's version, as a part of what the binary was made of.
async fn compiler(machine: &Machine, root: &Path) -> String {
    run(command(machine, "rustc", root).arg("-vV"), "asking rustc for its version").await.unwrap_or_default()
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
    let mut error =
        Error::new(format!("packaging the function needs {}, not found on PATH", missing.join(" and ")));
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
    let folder =
        run(rustc.args(["--print", "target-libdir", "--target", triple]), "asking rustc for its targets");
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
        many => Err(Error::new(format!(
            "the package {package} has {} binaries, and Lambda starts one",
            many.len()
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

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
