//! Combines flags, environment variables and the manifest into one checked configuration.

use crate::aws::AwsTarget;
use crate::cli::{Global, Output};
use crate::error::{Error, Hint, Result, Verb};
use crate::files::{self, LARGEST_MANIFEST};
use crate::http::{Certificates, NetworkSettings, is_loopback, proxy_problem};
use crate::local_aws::LocalAws;
use crate::machine::{Machine, env};
use crate::manifest::Manifest;
use crate::packaging::Build;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much to print on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Only plans, questions, warnings and errors.
    Quiet,
    /// Also progress.
    Normal,
    /// Also each call to AWS.
    Calls,
    /// Also the log of the SDK.
    Sdk,
}

impl Verbosity {
    fn from_flags(global: &Global) -> Self {
        match (global.quiet, global.verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Calls,
            (false, _) => Self::Sdk,
        }
    }
}

/// Everything that a command needs to know before it starts.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub manifest: Manifest,
    /// The suffix of all names, from `--env`: `-NAME`, or empty.
    pub suffix: String,
    /// The path of the manifest, as given by the user.
    pub manifest_path: PathBuf,
    /// The folder of the manifest. Paths in the manifest are relative to it.
    pub root: PathBuf,
    /// How to reach AWS.
    pub target: AwsTarget,
    /// Where the local AWS runs and keeps its state, for `--local` and the `local` commands.
    pub local: LocalAws,
    /// How packages are compiled.
    pub build: Build,
    /// The terminal and the environment of this machine.
    pub machine: Machine,
    pub output: Output,
    pub verbosity: Verbosity,
    /// Whether questions are answered with yes, without asking.
    pub yes: bool,
    /// The limit for each wait.
    pub timeout: Duration,
}

impl Config {
    /// Reads and checks everything once.
    ///
    /// # Errors
    /// A missing or invalid manifest; an invalid `--env`; `--local` with an endpoint on another machine; a region other than
    /// the manifest's; invalid proxy or certificate variables.
    pub(crate) fn load(global: &Global, builds_release: bool, reads_manifest: bool) -> Result<Self> {
        let current_folder = std::env::current_dir()
            .map_err(|e| Error::new(format!("cannot tell the current folder: {e}")))?;
        let suffix = match global.env.as_deref() {
            None | Some("") => String::new(),
            Some(name) => format!("-{}", checked_env(name)?),
        };
        let manifest_path = global.manifest.clone().unwrap_or_else(|| "stack.toml".into());
        let root = current_folder.join(&manifest_path).parent().unwrap_or(&current_folder).to_owned();
        let may_be_missing = global.manifest.is_none();
        let manifest = if reads_manifest {
            read_manifest(&manifest_path, may_be_missing, &suffix)?
        } else {
            Manifest::default()
        };
        let endpoint_url = global.endpoint_url.clone().filter(|url| !url.is_empty());
        if global.local
            && let Some(url) = endpoint_url.as_deref().filter(|url| !is_loopback(url))
        {
            return Err(Error::usage(format!("--local goes to this machine only, and {url} is not on it"))
                .hint("Drop --local, or drop --endpoint-url (and AWS_ENDPOINT_URL)."));
        }
        if let (Some(flag), Some(declared)) = (&global.region, &manifest.region)
            && flag != declared
        {
            return Err(Error::usage(format!(
                "--region {flag} is not the stack's region: the manifest says {declared}"
            ))
            .hint(
                "Drop --region, or change region in the manifest: there, the same names make another stack.",
            ));
        }
        let target = AwsTarget {
            region: global
                .region
                .clone()
                .or_else(|| manifest.region.clone())
                .or_else(|| global.local.then(default_local_region)),
            profile: global.profile.clone(),
            endpoint_url: command_line_endpoint(endpoint_url.as_deref(), global.local),
            local: global.local,
            credentials: None,
            allow_plain_http: global.allow_plain_http,
            network: network(global.local)?,
        };
        Ok(Self {
            suffix,
            local: LocalAws {
                port: global.local_port,
                state: current_folder
                    .join(global.local_state.clone().unwrap_or_else(|| root.join(".deployer/local"))),
                enforces_iam: env("DEPLOYER_LOCAL_IAM").is_some(),
            },
            build: if global.local && !builds_release { Build::Quick } else { Build::Release },
            machine: Machine::look(&root),
            target,
            manifest,
            manifest_path,
            root,
            output: global.output,
            verbosity: Verbosity::from_flags(global),
            yes: global.yes,
            timeout: global.timeout,
        })
    }

    /// Returns the region from a flag, the manifest or an environment variable; `None` if none of them sets it.
    #[must_use]
    pub(crate) fn configured_region(&self) -> Option<String> {
        self.target.region.clone().or_else(environment_region)
    }

    /// Returns the name in AWS of something that the manifest declares: with the suffix.
    #[must_use]
    pub(crate) fn named(&self, declared: &str) -> String {
        format!("{declared}{}", self.suffix)
    }

    /// Returns the name of the stack, which is the value of its ownership tag.
    #[must_use]
    pub(crate) fn stack_name(&self) -> String {
        format!("{}{}", self.manifest.name, self.suffix)
    }
}

/// Returns the endpoint if it is from the command line. One from `AWS_ENDPOINT_URL` is left to the SDK, which also knows the
/// endpoint settings of the profile and of single services.
fn command_line_endpoint(endpoint_url: Option<&str>, local: bool) -> Option<String> {
    let from_environment = |url: &&str| env("AWS_ENDPOINT_URL").is_some_and(|variable| variable == **url);
    match endpoint_url {
        None => None,
        Some(url) if local => Some(url.to_owned()),
        Some(url) => Some(url).filter(|url| !from_environment(url)).map(str::to_owned),
    }
}

/// The variables that name proxies. In each pair, the first that is set takes precedence.
const PROXY_VARIABLES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Returns the HTTP settings of this machine. The local AWS needs no proxy and no certificates.
///
/// # Errors
/// A variable with an unusable proxy or unusable certificates.
fn network(local: bool) -> Result<NetworkSettings> {
    if local {
        return Ok(NetworkSettings::default());
    }
    let mut has_proxy = false;
    for names in PROXY_VARIABLES {
        let Some((name, value)) = names.iter().find_map(|name| Some((name, env(name)?))) else { continue };
        let problem = match value.to_str() {
            Some(value) => proxy_problem(value),
            None => Some("is not UTF-8"),
        };
        if let Some(problem) = problem {
            return Err(Error::usage(format!("{name} {problem}"))
                .hint(format!("Set {name} to a URL like http://proxy.example:3128, or unset it.")));
        }
        has_proxy = true;
    }
    let certificates = env("AWS_CA_BUNDLE").map(|path| Certificates::read(Path::new(&path))).transpose()?;
    Ok(NetworkSettings { certificates, has_proxy })
}

fn default_local_region() -> String {
    environment_region().unwrap_or_else(|| "us-east-1".to_owned())
}

fn environment_region() -> Option<String> {
    env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION")).and_then(|region| region.into_string().ok())
}

fn read_manifest(path: &Path, may_be_missing: bool, suffix: &str) -> Result<Manifest> {
    match files::read_text(path, LARGEST_MANIFEST) {
        Ok(text) => Manifest::parse(&text, path, suffix),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_be_missing => {
            Manifest::parse("", path, suffix)
        }
        Err(e) => Err(Error::usage(format!("cannot read the manifest {}: {e}", path.display()))
            .hint(Hint::from(Verb::Init).text(" writes one to start from."))),
    }
}

/// Checks the value of `--env`. It becomes part of names in every service, so it must fit the strictest naming rule.
fn checked_env(name: &str) -> Result<&str> {
    let is_valid = name.len() <= 20
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_valid {
        return Ok(name);
    }
    Err(Error::usage(format!("--env {name} cannot be part of AWS names"))
        .hint("Use at most 20 letters, digits and hyphens, and start with a letter or digit."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_name_must_fit_every_service() {
        assert!(checked_env("dev-2").is_ok());
        for name in ["-x", "a_b", "a.b", "ü", "123456789012345678901"] {
            assert!(checked_env(name).is_err(), "{name}");
        }
    }
}
