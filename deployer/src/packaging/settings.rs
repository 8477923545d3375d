//! cargo-lambda's own settings of a package: `[package.metadata.lambda]`, `[workspace.metadata.lambda]`, `CargoLambda.toml`.
//!
//! cargo-lambda reads them itself when it builds. They are read here too, because a quick build for the local AWS runs Cargo
//! directly, and because the zip is ours: cargo-lambda adds the `include` files only to a zip of its own.

use crate::error::{Error, Result};
use crate::manifest::Architecture;
use crate::nesting;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The settings that are honoured. Output format, output folder and target are the manifest's business, and not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Arguments of `cargo build` that choose features and configuration.
    pub(super) arguments: Vec<String>,
    /// Variables of the build's environment.
    pub(super) environment: BTreeMap<String, String>,
    /// Files and folders that go into the zip beside the binary: `PATH`, or `NAME_IN_ZIP:PATH`.
    pub(super) include: Vec<String>,
    /// The Cargo profile that the package names for its builds for Lambda.
    pub(super) profile: Option<String>,
    /// The program that compiles.
    pub(super) compiler: Compiler,
    /// The architecture that the package fixes.
    pub(super) architecture: Option<Architecture>,
}

/// The program that cargo-lambda compiles and links with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Compiler {
    /// Cargo with zig as its linker, which can link against any version of glibc.
    #[default]
    Zig,
    /// Plain Cargo, with this machine's linker.
    Cargo,
    /// `cross`, in a container.
    Cross,
}

impl Compiler {
    /// Reads the word as cargo-lambda does.
    pub(super) fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "cargo" => Self::Cargo,
            "cross" => Self::Cross,
            _ => Self::Zig,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Declared {
    build: Build,
    deploy: Deploy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "they are cargo-lambda's own keys")]
struct Build {
    features: Vec<String>,
    all_features: bool,
    no_default_features: bool,
    config: Vec<String>,
    include: Vec<String>,
    #[serde(alias = "env")]
    env_var: Variables,
    profile: Option<String>,
    compiler: Option<DeclaredCompiler>,
    arm64: bool,
    x86_64: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deploy {
    include: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct DeclaredCompiler {
    #[serde(rename = "type")]
    name: String,
}

/// `["NAME=VALUE"]`, or a table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Variables {
    List(Vec<String>),
    Table(BTreeMap<String, String>),
}

impl Default for Variables {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Settings {
    /// Reads the settings of one binary of a package. `root` is the folder in which Cargo runs; the two values are the
    /// metadata of the workspace and of the package, as Cargo prints them.
    ///
    /// # Errors
    /// Settings that cargo-lambda could not read either.
    pub(super) fn read(root: &Path, workspace: &Value, package: &Value, binary: &str) -> Result<Self> {
        let mut all = file(&root.join("CargoLambda.toml"))?;
        overlay(&mut all, of_binary(workspace, binary));
        overlay(&mut all, of_binary(package, binary));
        let declared: Declared = serde_json::from_value(all)
            .map_err(|e| Error::usage(format!("cannot read cargo-lambda's settings of {binary}: {e}")))?;
        Ok(declared.into())
    }
}

impl From<Declared> for Settings {
    fn from(Declared { build, deploy }: Declared) -> Self {
        let mut arguments = Vec::new();
        if !build.features.is_empty() {
            arguments.extend(["--features".to_owned(), build.features.join(",")]);
        }
        if build.all_features {
            arguments.push("--all-features".to_owned());
        }
        if build.no_default_features {
            arguments.push("--no-default-features".to_owned());
        }
        arguments.extend(build.config.into_iter().flat_map(|value| ["--config".to_owned(), value]));
        let environment = match build.env_var {
            Variables::Table(table) => table,
            Variables::List(list) => list
                .iter()
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        let architecture = match (build.arm64, build.x86_64) {
            (true, _) => Some(Architecture::Arm64),
            (false, true) => Some(Architecture::X86_64),
            (false, false) => None,
        };
        Self {
            arguments,
            environment,
            include: build.include.into_iter().chain(deploy.include).collect(),
            profile: build.profile,
            compiler: build.compiler.map(|compiler| Compiler::from_name(&compiler.name)).unwrap_or_default(),
            architecture,
        }
    }
}

fn file(path: &Path) -> Result<Value> {
    match std::fs::read_to_string(path) {
        Ok(text) if nesting::too_deep(&text).is_some() => {
            Err(Error::usage(format!("cannot read {}: it is nested too deep", path.display())))
        }
        Ok(text) => {
            toml::from_str(&text).map_err(|e| Error::usage(format!("cannot read {}: {e}", path.display())))
        }
        Err(_) => Ok(Value::Object(serde_json::Map::new())),
    }
}

/// A binary's own settings take the place of its package's.
fn of_binary(metadata: &Value, binary: &str) -> Value {
    let settings = metadata.get("lambda").cloned().unwrap_or_default();
    settings.pointer(&format!("/bin/{}", binary.replace('~', "~0"))).cloned().unwrap_or(settings)
}

/// Puts settings over others, key by key.
fn overlay(below: &mut Value, above: Value) {
    match (below, above) {
        (_, Value::Null) => {}
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(workspace: &Value, package: &Value) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        Settings::read(folder.path(), workspace, package, "shop").unwrap()
    }

    #[test]
    fn a_package_without_settings_has_the_defaults() {
        assert_eq!(read(&Value::Null, &Value::Null), Settings::default());
        assert_eq!(read(&json!({"other": 1}), &json!({"lambda": {"watch": {"x": 1}}})), Settings::default());
    }

    #[test]
    fn the_package_overrides_the_workspace_and_the_file_key_by_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("CargoLambda.toml"),
            "[build]\ninclude = [\"from-file\"]\nno_default_features = true\n",
        )
        .unwrap();
        let workspace = json!({"lambda": {"build": {"include": ["from-workspace"], "features": ["a"]}}});
        let package = json!({"lambda": {"build": {"features": ["b", "c"], "compiler": {"type": "cargo"}, "env": {"K": "V"}}}});
        let settings = Settings::read(folder.path(), &workspace, &package, "shop").unwrap();
        assert_eq!(settings.arguments, ["--features", "b,c", "--no-default-features"]);
        assert_eq!(settings.include, ["from-workspace"]);
        assert_eq!(settings.compiler, Compiler::Cargo);
        assert_eq!(settings.environment, BTreeMap::from([("K".to_owned(), "V".to_owned())]));
    }

    #[test]
    fn a_binary_may_have_settings_of_its_own() {
        let package = json!({"lambda": {
            "build": {"include": ["of-package"]},
            "bin": {"shop": {"build": {"include": ["of-binary"], "arm64": true}}},
        }});
        let settings = read(&Value::Null, &package);
        assert_eq!(settings.include, ["of-binary"]);
        assert_eq!(settings.architecture, Some(Architecture::Arm64));
    }

    #[test]
    fn settings_of_the_wrong_type_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let package = json!({"lambda": {"build": {"include": "assets"}}});
        let error = Settings::read(folder.path(), &Value::Null, &package, "shop").unwrap_err();
        assert!(error.to_string().starts_with("cannot read cargo-lambda's settings of shop: "), "{error}");
    }
}
