//! Flags, environment and manifest become one checked configuration.

use crate::aws::AwsTarget;
use crate::cli::{Global, Output};
use crate::error::{Error, Hint, Result, Verb};
use crate::files::{self, LARGEST_MANIFEST};
use crate::http::{Certificates, Network, is_loopback, proxy_problem};
use crate::local_aws::LocalAws;
use crate::machine::{Machine, env};
use crate::manifest::Manifest;
use crate::packaging::Build;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Volume {
    /// Plans, questions, warnings and errors.
    Quiet,
    /// Also progress.
    Normal,
    /// Also each call to AWS.
    Calls,
    /// Also what the SDK says.
    Sdk,
}

impl Volume {
    fn of(global: &Global) -> Self {
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
    /// What is declared.
    pub manifest: Manifest,
    /// Suffix of the names, from `--env`: `-NAME`, or empty.
    pub suffix: String,
    /// The manifest's file, as the person named it.
    pub manifest_path: PathBuf,
    /// Where the manifest lies, or would lie: paths in it start here.
    pub root: PathBuf,
    /// How to reach AWS.
    pub target: AwsTarget,
    /// The local AWS, when it is the target or the subject.
    pub local: LocalAws,
    /// How packages are compiled.
    pub build: Build,
    /// What this machine has.
    pub machine: Machine,
    /// Output format.
    pub output: Output,
    /// How much is said on stderr.
    pub volume: Volume,
    /// Nobody is asked.
    pub yes: bool,
    /// The end of all waiting.
    pub timeout: Duration,
}

impl Config {
    /// Reads everything, once.
    ///
    /// # Errors
    /// A manifest that is missing or wrong, a bad name, `--local` together with an endpoint elsewhere.
    pub(crate) fn load(global: &Global, builds_release: bool, reads_manifest: bool) -> Result<Self> {
        let here = std::env::current_dir()
            .map_err(|e| Error::new(format!("cannot tell the current folder: {e}")))?;
        let suffix = match global.env.as_deref() {
            None | Some("") => String::new(),
            Some(name) => format!("-{}", checked_env(name)?),
        };
        let manifest_path = global.manifest.clone().unwrap_or_else(|| "stack.toml".into());
        let root = here.join(&manifest_path).parent().unwrap_or(&here).to_owned();
        let may_be_absent = global.manifest.is_none();
        let manifest = if reads_manifest {
            manifest(&manifest_path, may_be_absent, &suffix)?
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
        if let (Some(asked), Some(declared)) = (&global.region, &manifest.region)
            && asked != declared
        {
            return Err(Error::usage(format!(
                "--region {asked} is not the stack's region: the manifest says {declared}"
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
                .or_else(|| global.local.then(local_region)),
            profile: global.profile.clone(),
            endpoint_url: said_endpoint(endpoint_url.as_deref(), global.local),
            local: global.local,
            credentials: None,
            allow_plain_http: global.allow_plain_http,
            network: network(global.local)?,
        };
        Ok(Self {
            suffix,
            local: LocalAws {
                port: global.local_port,
                state: here.join(global.local_state.clone().unwrap_or_else(|| root.join(".deployer/local"))),
                enforces_iam: env("DEPLOYER_LOCAL_IAM").is_some(),
            },
            build: if global.local && !builds_release { Build::Quick } else { Build::Release },
            machine: Machine::look(&root),
            target,
            manifest,
            manifest_path,
            root,
            output: global.output,
            volume: Volume::of(global),
            yes: global.yes,
            timeout: global.timeout,
        })
    }

    /// The region, as far as it is named on this machine: by a flag, the manifest or the environment.
    #[must_use]
    pub(crate) fn named_region(&self) -> Option<String> {
        self.target.region.clone().or_else(region_of_the_environment)
    }

    /// What is called so in the manifest, as AWS knows it.
    #[must_use]
    pub(crate) fn named(&self, declared: &str) -> String {
        format!("{declared}{}", self.suffix)
    }

    /// The value of the stack's ownership tag.
    #[must_use]
    pub(crate) fn stack_name(&self) -> String {
        format!("{}{}", self.manifest.name, self.suffix)
    }
}

/// The endpoint that the command line says. What comes from `AWS_ENDPOINT_URL` is left to the SDK, which knows what else the
/// environment and the profile say of endpoints.
fn said_endpoint(endpoint_url: Option<&str>, local: bool) -> Option<String> {
    let from_environment = |url: &&str| env("AWS_ENDPOINT_URL").is_some_and(|variable| variable == **url);
    match endpoint_url {
        None => None,
        Some(url) if local => Some(url.to_owned()),
        Some(url) => Some(url).filter(|url| !from_environment(url)).map(str::to_owned),
    }
}

/// The variables that name proxies, in the order in which the first that is set counts.
const PROXIES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// How this machine speaks HTTP. The local AWS is asked directly.
///
/// # Errors
/// A variable that names no proxy, or no certificates, that can be used.
fn network(local: bool) -> Result<Network> {
    if local {
        return Ok(Network::default());
    }
    let mut has_proxy = false;
    for names in PROXIES {
        let Some((name, value)) = names.iter().find_map(|name| Some((name, env(name)?))) else { continue };
        let problem = match value.to_str() {
            Some(value) => proxy_problem(value),
            None => Some("is no text"),
        };
        if let Some(problem) = problem {
            return Err(Error::usage(format!("{name} {problem}"))
                .hint(format!("Set {name} to a URL like http://proxy.example:3128, or unset it.")));
        }
        has_proxy = true;
    }
    let certificates = env("AWS_CA_BUNDLE").map(|path| Certificates::read(Path::new(&path))).transpose()?;
    Ok(Network { certificates, has_proxy })
}

fn local_region() -> String {
    region_of_the_environment().unwrap_or_else(|| "us-east-1".to_owned())
}

fn region_of_the_environment() -> Option<String> {
    env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION")).and_then(|region| region.into_string().ok())
}

fn manifest(path: &Path, may_be_absent: bool, suffix: &str) -> Result<Manifest> {
    match files::read_text(path, LARGEST_MANIFEST) {
        Ok(text) => Manifest::parse(&text, path, suffix),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_be_absent => {
            Manifest::parse("", path, suffix)
        }
        Err(e) => Err(Error::usage(format!("cannot read the manifest {}: {e}", path.display()))
            .hint(Hint::from(Verb::Init).text(" writes one to start from."))),
    }
}

/// Goes into names of every service, so it has to fit the strictest.
fn checked_env(name: &str) -> Result<&str> {
    let fits = name.len() <= 20
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits {
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
