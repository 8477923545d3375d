//! The Cargo project around the manifest, as `cargo metadata` describes it.
//!
//! Nothing about a project is guessed from its folders: Cargo knows the target folder, the workspace's members and their
//! binaries.

use super::cargo::Cargo;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::lab;
use crate::manifest::nearest;
use crate::nesting;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What `cargo metadata --no-deps` prints, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Project {
    packages: Vec<Member>,
    /// Where Cargo puts what it builds.
    target_directory: PathBuf,
    workspace_root: PathBuf,
    #[serde(default)]
    metadata: Value,
}

/// A package of the workspace.
#[derive(Clone, Debug, Deserialize)]
struct Member {
    name: String,
    id: String,
    manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// One binary of one package, and how cargo-lambda's settings want it built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binary {
    /// The package's name.
    pub(super) package: String,
    /// Cargo's id of the package, which is unique where the name may not be.
    pub(super) package_id: String,
    /// The binary's name.
    pub(super) name: String,
    /// Every binary of the package.
    pub(super) siblings: Vec<String>,
    pub(super) settings: Settings,
}

impl Binary {
    /// The package's name, and the binary's where there are several.
    pub(super) fn shown_name(&self) -> String {
        if self.siblings.len() > 1 { format!("{}/{}", self.package, self.name) } else { self.package.clone() }
    }
}

impl Project {
    /// Asks Cargo about the project that the folder `root` is part of.
    ///
    /// # Errors
    /// There is no Cargo project, or Cargo cannot read it: in Cargo's own words.
    pub(super) async fn load(cargo: &Cargo) -> Result<Self> {
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        let answer = cargo.output("cargo", &arguments, "reading the Cargo project").await.map_err(|error| {
            if error.to_string().contains("could not find `Cargo.toml`") {
                error.hint("Put the manifest into the folder of a Cargo project, or name a ready zip in it: zip = \"FILE\".")
            } else {
                error
            }
        })?;
        serde_json::from_str(&answer)
            .map_err(|e| Error::new(format!("cannot read what cargo metadata printed: {e}")))
    }

    /// The binary to build for a function that declares this package and this binary.
    ///
    /// Without a package it is the one called `function`; else that of the folder; else the only one with a binary.
    /// Without a binary it is the only one, or Cargo's `default-run`.
    ///
    /// # Errors
    /// No such package or binary, or several that fit.
    pub(super) fn binary(&self, root: &Path, package: Option<&str>, binary: Option<&str>) -> Result<Binary> {
        let member = match package {
            Some(name) => self.named(name)?,
            None => self.default_member(root)?,
        };
        let siblings = member.binaries();
        let name = match (binary, &siblings[..]) {
            (Some(wanted), all) if all.iter().any(|name| name == wanted) => wanted.to_owned(),
            (Some(wanted), all) => {
                let error = format!("the package {} has no binary {wanted}", member.name);
                return Err(Error::usage(error).hint(format!("Its binaries: {}.", listed(all))));
            }
            (None, [only]) => only.clone(),
            (None, []) => {
                return Err(Error::usage(format!("the package {} has no binary for Lambda to start", member.name))
                    .hint("Give it a src/main.rs that runs lambda_runtime, or name another package in the manifest: package = \"NAME\"."));
            }
            (None, all) => match &member.default_run {
                Some(name) => name.clone(),
                None => {
                    let error = format!(
                        "the package {} has {} binaries, and a function starts one",
                        member.name,
                        all.len()
                    );
                    return Err(Error::usage(error).hint(format!(
                        "Say which in the manifest: binary = \"{}\". Its binaries: {}.",
                        all[0],
                        listed(all)
                    )));
                }
            },
        };
        let settings = Settings::read(root, &self.metadata, &member.metadata, &name)?;
        Ok(Binary { package: member.name.clone(), package_id: member.id.clone(), name, siblings, settings })
    }

    fn named(&self, name: &str) -> Result<&Member> {
        self.packages.iter().find(|member| member.name == name).ok_or_else(|| {
            let error = Error::usage(format!(
                "the Cargo project in {} has no package {name}",
                self.workspace_root.display()
            ));
            let names: Vec<String> = self.with_binaries().map(|member| member.name.clone()).collect();
            match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("Did you mean package = \"{near}\"?")),
                None => error.hint(format!("Its packages with a binary: {}.", listed(&names))),
            }
        })
    }

    fn default_member(&self, root: &Path) -> Result<&Member> {
        let is_here = |member: &&Member| {
            let folder = member.manifest_path.parent();
            folder == Some(root)
                || folder.and_then(|folder| folder.canonicalize().ok()) == root.canonicalize().ok()
        };
        let conventional = self.packages.iter().find(|member| member.name == lab::PACKAGE);
        if let Some(member) = conventional.or_else(|| self.with_binaries().find(is_here)) {
            return Ok(member);
        }
        match &self.with_binaries().collect::<Vec<_>>()[..] {
            [only] => Ok(only),
            [] => Err(Error::usage(format!(
                "no package of the Cargo project in {} has a binary for Lambda to start",
                self.workspace_root.display()
            ))
            .hint("Give one a src/main.rs that runs lambda_runtime.")),
            several => {
                let names: Vec<String> = several.iter().map(|member| member.name.clone()).collect();
                Err(Error::usage(format!(
                    "the Cargo project in {} has several packages with a binary",
                    self.workspace_root.display()
                ))
                .hint(format!(
                    "Say which in the manifest: package = \"{}\". There are: {}.",
                    names[0],
                    listed(&names)
                )))
            }
        }
    }

    fn with_binaries(&self) -> impl Iterator<Item = &Member> {
        self.packages.iter().filter(|member| !member.binaries().is_empty())
    }

    /// The folder for what is kept of builds, inside Cargo's target folder.
    pub(super) fn own_folder(&self) -> PathBuf {
        self.target_directory.join("deployer")
    }

    /// Whether the workspace defines this Cargo profile.
    pub(super) fn has_profile(&self, name: &str) -> bool {
        let manifest = std::fs::read_to_string(self.workspace_root.join("Cargo.toml")).unwrap_or_default();
        let manifest = nesting::table(&manifest).unwrap_or_default();
        let profiles = manifest.get("profile").and_then(toml::Value::as_table);
        profiles.is_some_and(|profiles| profiles.contains_key(name))
    }
}

impl Member {
    fn binaries(&self) -> Vec<String> {
        let is_binary = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        self.targets.iter().filter(is_binary).map(|target| target.name.clone()).collect()
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
