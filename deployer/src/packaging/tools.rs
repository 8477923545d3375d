//! The programs that a build for Lambda needs, and how to get those that are missing.

use super::cargo::Cargo;
use super::settings::Compiler;
use crate::error::{Error, Result};
use std::path::Path;

/// Refuses to start a build without the programs that it needs.
///
/// # Errors
/// Those that are missing, all in one message, each with how to install it.
pub(super) async fn require(cargo: &Cargo, compiler: Option<Compiler>) -> Result<()> {
    let is_missing = |tool: &Tool| cargo.machine.find(tool.program()).is_none();
    let mut missing = Vec::new();
    if is_missing(&Tool::Cargo) {
        missing.push(Tool::Cargo);
    }
    if compiler.is_some() && is_missing(&Tool::CargoLambda) {
        missing.push(Tool::CargoLambda);
    }
    if compiler == Some(Compiler::Zig) && is_missing(&Tool::Zig) && !has_zig_of_python(cargo).await {
        missing.push(Tool::Zig);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = missing.iter().map(Tool::program).collect();
    let mut error =
        Error::new(format!("packaging the function needs {}, not found on PATH", programs.join(" and ")));
    if missing.contains(&Tool::Cargo) {
        error = error.hint("Install Rust: https://rustup.rs");
    }
    if missing != [Tool::Cargo] {
        error = error.hint(installation(&cargo.root));
    }
    Err(error)
}

/// A program that a build needs.
#[derive(PartialEq, Eq)]
enum Tool {
    Cargo,
    CargoLambda,
    Zig,
}

impl Tool {
    fn program(&self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::CargoLambda => "cargo-lambda",
            Self::Zig => "zig",
        }
    }
}

/// How to install cargo-lambda and zig for the project in this folder. `deployer` looks into its `.venv` before the PATH.
fn installation(root: &Path) -> &'static str {
    if root.join("deployer/local/requirements.txt").is_file() {
        "Install them into .venv with `make setup`."
    } else {
        "Install them into .venv beside the manifest with `python3 -m venv .venv && .venv/bin/pip install cargo-lambda ziglang`."
    }
}

/// The package `ziglang` of PyPI puts no `zig` on the PATH; cargo-lambda runs it as a module of Python.
async fn has_zig_of_python(cargo: &Cargo) -> bool {
    cargo.output("python3", &["-m", "ziglang", "version"], "asking zig for its version").await.is_ok()
}

/// Refuses a target for which Rust's standard library is not installed: Cargo would fail late, and not say what to do.
///
/// # Errors
/// There is no such target, or none that rustc can be asked about.
pub(super) async fn require_target(cargo: &Cargo, triple: &str) -> Result<()> {
    let arguments = ["--print", "target-libdir", "--target", triple];
    let folder = cargo.output("rustc", &arguments, "asking rustc for its targets").await?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(Error::new(format!("Rust's standard library for {triple} is not installed"))
        .hint(format!("Run `rustup target add {triple}`.")))
}
