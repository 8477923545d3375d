//! Compiles the binaries of a project: quickly for the local AWS, or as for AWS.
//!
//! Cargo is asked every time. It alone knows whether a binary is up to date: sources, build scripts, environment, flags and
//! configuration all count. It names the executable in its messages, so none is looked for by name in a shared folder.

use super::cargo::{Cargo, Executable};
use super::project::{Binary, Project};
use super::settings::Compiler;
use super::tools;
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How a function's package is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// With Cargo's `dev` profile, for this machine. For the local AWS only.
    Quick,
    /// With optimisation and for Lambda's operating system, by cargo-lambda.
    Release,
}

impl Build {
    /// In one word, for people and for the function's tag.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Release => "release",
        }
    }
}

/// The Cargo profile for Lambda, where the workspace defines it; otherwise it is `release`.
const PROFILE: &str = "lambda";

/// The version of glibc that zig links against, well below what `provided.al2023` has.
const LINKED_GLIBC: &str = "2.26";

/// Refuses a build for Lambda that cannot succeed.
///
/// # Errors
/// A missing tool or target, and settings that contradict the manifest.
pub(super) async fn require_release(
    cargo: &Cargo,
    binary: &Binary,
    architecture: Architecture,
) -> Result<()> {
    if let Some(fixed) = binary.settings.architecture
        && fixed != architecture
    {
        return Err(Error::usage(format!(
            "cargo-lambda's settings build the package {} for {}, and the manifest declares {}",
            binary.package,
            fixed.name(),
            architecture.name()
        ))
        .hint(format!(
            "Set architecture = \"{}\" in the function's section of the manifest.",
            fixed.name()
        )));
    }
    let compiler = compiler(cargo, binary);
    tools::require(cargo, Some(compiler)).await?;
    if compiler != Compiler::Cross {
        tools::require_target(cargo, triple(architecture)).await?;
    }
    Ok(())
}

fn compiler(cargo: &Cargo, binary: &Binary) -> Compiler {
    cargo.machine.cargo.compiler.as_deref().map_or(binary.settings.compiler, Compiler::from_name)
}

/// Rust's name of what Lambda runs on.
fn triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

/// Builds one binary for Lambda, for which [`require_release`] found everything.
///
/// # Errors
/// A failed build.
pub(super) async fn release(
    cargo: &Cargo,
    project: &Project,
    binary: &Binary,
    architecture: Architecture,
    progress: impl Fn(String),
) -> Result<PathBuf> {
    let (settings, triple) = (&binary.settings, triple(architecture));
    let folder = project.own_folder();
    let lambda = folder.join("lambda");
    empty(&lambda)?;
    // By its own path, as Cargo would start it: the PATH may lack the folder in which it was found.
    let mut command = cargo.command("cargo-lambda");
    if let Some(zig) = cargo.machine.find("zig") {
        command.env("CARGO_ZIGBUILD_ZIG_PATH", zig);
    }
    // Left alone, the linker's wrappers lie in a folder of the home, and for another home Cargo would build everything again.
    command.env("CARGO_ZIGBUILD_CACHE_DIR", folder.join("linker"));
    // Without --skip-target-check cargo-lambda downloads a missing target without asking.
    command.args(["lambda", "build", "--skip-target-check", "--output-format", "binary"]);
    command.arg("--lambda-dir").arg(&lambda).args(["--package", &binary.package]);
    if binary.siblings.len() > 1 {
        command.args(["--bin", &binary.name]);
    }
    match (settings.architecture, compiler(cargo, binary)) {
        // cargo-lambda refuses a target beside an architecture of the settings.
        (Some(_), _) => {}
        (None, Compiler::Zig) => _ = command.args(["--target", &format!("{triple}.{LINKED_GLIBC}")]),
        (None, Compiler::Cargo | Compiler::Cross) => _ = command.args(["--target", triple]),
    }
    if settings.profile.is_none() {
        if project.has_profile(PROFILE) {
            command.args(["--profile", PROFILE]);
        } else {
            command.arg("--release");
        }
    }
    let what = format!("building the package {}", binary.package);
    let executables = Cargo::build(&mut command, &what, progress).await?;
    let named = executable_of(&executables, binary)?;
    // cargo-lambda moves what Cargo named into its folder, to one of these places.
    let places =
        [format!("{}/bootstrap", binary.name), "bootstrap".to_owned(), format!("extensions/{}", binary.name)];
    let moved = places.iter().map(|place| lambda.join(place)).find(|place| place.is_file());
    Ok(moved.unwrap_or(named))
}

/// Removes what an earlier build left in a folder, which would be taken for what this one makes.
fn empty(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(format!("cannot empty {}: {e}", folder.display())))
        }
        _ => Ok(()),
    }
}

/// Builds binaries that [`groups`] has put together, with Cargo's `dev` profile for this machine, in one call of Cargo.
/// Returns the executables that Cargo names.
///
/// # Errors
/// A failed build of any of them.
pub(super) async fn quick(
    cargo: &Cargo,
    group: &[Binary],
    progress: impl Fn(String),
) -> Result<Vec<Executable>> {
    let mut command = cargo.command("cargo");
    command.arg("build");
    for binary in group {
        command.args(["--package", &binary.package_id, "--bin", &binary.name]);
        // Debug information would make the zip too large for Lambda. Only the package itself is compiled for this apart:
        // its dependencies are those of the project's own `cargo build`.
        let strip = format!("profile.dev.package.\"{}\".strip=\"debuginfo\"", binary.package);
        command.args(["--config", &strip]);
    }
    if let Some(settings) = group.first().map(|binary| &binary.settings) {
        command.args(&settings.arguments).envs(&settings.environment);
    }
    if let Some(host) = host_where_another_target_is_configured(cargo).await {
        command.args(["--target", &host]);
    }
    let names: BTreeSet<&str> = group.iter().map(|binary| binary.package.as_str()).collect();
    let noun = if names.len() == 1 { "package" } else { "packages" };
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Cargo::build(&mut command, &format!("building the {noun} {names}"), progress).await
}

/// Splits binaries into runs that one call of Cargo can build: with the same settings, and no two executables of one name,
/// because Cargo would write both to the same file.
pub(super) fn groups(binaries: &[Binary]) -> Vec<&[Binary]> {
    let mut groups = Vec::new();
    let mut rest = binaries;
    while let [first, ..] = rest {
        let mut executables = BTreeMap::new();
        let fits = |binary: &Binary, executables: &mut BTreeMap<String, String>| {
            let mut alone = true;
            for name in &binary.siblings {
                let of = executables.entry(name.clone()).or_insert_with(|| binary.package_id.clone());
                alone &= *of == binary.package_id;
            }
            alone
                && binary.settings.arguments == first.settings.arguments
                && binary.settings.environment == first.settings.environment
        };
        let length = rest.iter().take_while(|binary| fits(binary, &mut executables)).count().max(1);
        let (group, after) = rest.split_at(length);
        groups.push(group);
        rest = after;
    }
    groups
}

/// The executable of one binary among those that Cargo named.
///
/// # Errors
/// Cargo built none.
pub(super) fn executable_of(executables: &[Executable], binary: &Binary) -> Result<PathBuf> {
    executables
        .iter()
        .find(|executable| executable.package_id == binary.package_id && executable.name == binary.name)
        .map(|executable| executable.path.clone())
        .ok_or_else(|| {
            Error::new(format!("Cargo built no binary {} of the package {}", binary.name, binary.package))
                .hint("A binary with required-features is built only with these features: see cargo-lambda's settings in the package's Cargo.toml.")
        })
}

/// This machine's target, where the project's Cargo configuration builds for another architecture, as projects for Lambda
/// often do: what is built must run here.
async fn host_where_another_target_is_configured(cargo: &Cargo) -> Option<String> {
    let configured = cargo.configured_target()?;
    if configured.starts_with(std::env::consts::ARCH) {
        return None;
    }
    let version = cargo.output("rustc", &["-vV"], "asking rustc for its host").await.ok()?;
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::settings::Settings;

    fn binary(package: &str, name: &str, siblings: &[&str], features: &[&str]) -> Binary {
        Binary {
            package: package.to_owned(),
            package_id: format!("path+file:///{package}#0.1.0"),
            name: name.to_owned(),
            siblings: siblings.iter().map(|name| (*name).to_owned()).collect(),
            settings: Settings {
                arguments: features.iter().map(|name| (*name).to_owned()).collect(),
                ..Settings::default()
            },
        }
    }

    fn lengths(binaries: &[Binary]) -> Vec<usize> {
        groups(binaries).iter().map(|group| group.len()).collect()
    }

    #[test]
    fn builds_together_what_has_executables_of_different_names() {
        let (a, b) = (binary("a", "a", &["a"], &[]), binary("b", "b", &["b"], &[]));
        assert_eq!(lengths(&[a.clone(), b.clone()]), [2]);
        let other = binary("c", "bootstrap", &["bootstrap", "a"], &[]);
        assert_eq!(lengths(&[a, b, other]), [2, 1]);
    }

    #[test]
    fn builds_executables_of_one_name_one_after_the_other() {
        let same = |package: &str| binary(package, "bootstrap", &["bootstrap"], &[]);
        assert_eq!(lengths(&[same("a"), same("b"), same("c")]), [1, 1, 1]);
    }

    #[test]
    fn builds_two_binaries_of_one_package_together() {
        let (x, y) = (binary("a", "x", &["x", "y"], &[]), binary("a", "y", &["x", "y"], &[]));
        assert_eq!(lengths(&[x, y]), [2]);
    }

    #[test]
    fn builds_packages_with_different_features_apart() {
        let (a, b) = (binary("a", "a", &["a"], &["--all-features"]), binary("b", "b", &["b"], &[]));
        assert_eq!(lengths(&[a, b]), [1, 1]);
    }

    #[test]
    fn finds_the_executable_of_the_right_package() {
        let executable = |package: &str| Executable {
            package_id: format!("path+file:///{package}#0.1.0"),
            name: "bootstrap".to_owned(),
            path: format!("/target/{package}").into(),
        };
        let all = [executable("a"), executable("b")];
        let of = |package: &str| executable_of(&all, &binary(package, "bootstrap", &["bootstrap"], &[]));
        assert_eq!(of("b").unwrap(), PathBuf::from("/target/b"));
        assert_eq!(of("c").unwrap_err().to_string(), "Cargo built no binary bootstrap of the package c");
    }
}
