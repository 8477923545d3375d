//! All of it together: a project, a local AWS, and the proxy between them and the binary.

use crate::aws::Lookup;
use crate::deployer::Deployer;
use crate::emulator::Emulator;
use crate::project::Project;
use crate::proxy::Proxy;
use std::path::Path;

/// Where one test happens.
#[derive(Debug)]
pub struct Lab {
    /// What the binary talks to.
    pub proxy: Proxy,
    /// What is behind it.
    pub aws: Emulator,
    /// What is deployed.
    pub project: Project,
}

impl Lab {
    /// An empty AWS, and the lab to deploy to it.
    pub fn new() -> Self {
        Self::at(Emulator::start())
    }

    /// The same at this AWS.
    pub fn at(aws: Emulator) -> Self {
        Self { proxy: Proxy::before(&aws.url()), aws, project: Project::new() }
    }

    /// The binary, through the proxy.
    pub fn deployer(&self, args: &[&str]) -> Deployer {
        self.deployer_of(&self.project.manifest(), args)
    }

    /// The binary with another manifest, through the proxy.
    pub fn deployer_of(&self, manifest: &Path, args: &[&str]) -> Deployer {
        Deployer::new(self.aws.folder())
            .args(["--local", "--endpoint-url", &self.proxy.url()])
            .args([Path::new("--local-state"), &self.aws.state(), Path::new("--manifest"), manifest])
            .args(args)
    }

    /// The flags of `deployer`, as commands in hints have them.
    pub fn flags(&self) -> String {
        let (manifest, url, state) = (self.project.manifest(), self.proxy.url(), self.aws.state());
        format!(
            "--local --manifest {} --endpoint-url {url} --local-state {}",
            manifest.display(),
            state.display()
        )
    }

    /// What AWS holds.
    pub fn lookup(&self) -> Lookup {
        self.aws.lookup()
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}
