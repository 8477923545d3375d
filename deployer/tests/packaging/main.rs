//! The code that runs is the code that is there, for any Cargo project. None of these projects is this repository.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fresh;
mod layouts;
mod meanwhile;
mod random;
mod settings;
mod zips;

use std::path::Path;
use support::deployer::{Deployer, Done};
use support::emulator::Emulator;

/// A local AWS to which projects are deployed.
struct Place {
    aws: Emulator,
}

impl Place {
    fn new() -> Self {
        Self { aws: Emulator::start() }
    }

    /// The binary with this manifest, and with Cargo.
    fn deployer(&self, manifest: &Path, args: &[&str]) -> Deployer {
        Deployer::new(self.aws.folder())
            .args(["--local", "--endpoint-url", &self.aws.url()])
            .args([Path::new("--local-state"), &self.aws.state(), Path::new("--manifest"), manifest])
            .args(args)
            .building()
    }

    fn up(&self, manifest: &Path) -> Done {
        self.deployer(manifest, &["up", "--timeout", "20s"]).run().succeeds()
    }

    /// What the function answers to an event that is no ping.
    fn answer(&self, manifest: &Path) -> String {
        let invoked = self.deployer(manifest, &["invoke", r#"{"say":"it"}"#]).run().succeeds();
        serde_json::from_str(&invoked.stdout).unwrap()
    }

    /// Deploys it, and asks it.
    fn deployed(&self, manifest: &Path) -> String {
        let _ = self.up(manifest);
        self.answer(manifest)
    }
}
