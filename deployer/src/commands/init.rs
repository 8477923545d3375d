//! `init`: writes a manifest to start from. It needs neither AWS nor a manifest.

use crate::app::session::Session;
use crate::error::{Error, ExitStatus, Hint, Result, Verb};
use std::fs::File;
use std::io::{ErrorKind, Write as _};

/// This repository's manifest, which is tested.
pub(crate) const MANIFEST: &str = include_str!("../../../stack.toml");

pub(crate) fn run(session: &Session<'_>) -> Result<ExitStatus> {
    let path = &session.config.manifest_path;
    // `create_new` never overwrites. A check before it would leave a moment in which somebody else could create the
    // file.
    let mut file = File::create_new(path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => Error::usage(format!("{} is there already", path.display()))
            .hint("Nothing was changed. Name another file with --manifest, or move this one away."),
        _ => Error::usage(format!("cannot write the manifest {}: {e}", path.display())),
    })?;
    file.write_all(MANIFEST.as_bytes())
        .map_err(|e| Error::new(format!("cannot write the manifest {}: {e}", path.display())))?;
    let console = session.console;
    console
        .talk(&format!("Wrote {}: the lab as it stands, and every other key as an example.", path.display()));
    console.advise(
        Hint::from("Next, change what you like. ")
            .command(Verb::Plan)
            .text(" shows what it comes to, and ")
            .command(Verb::Up)
            .text(" makes it."),
    );
    Ok(ExitStatus::Success)
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser as _;

    #[tokio::test]
    async fn a_manifest_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.toml");
        let init = || crate::run(Cli::parse_from(["deployer", "--manifest", file.to_str().unwrap(), "init"]));
        assert_eq!(init().await, 0);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), super::MANIFEST);
        // Even one that cannot be read stays as it is.
        std::fs::write(&file, "mine").unwrap();
        assert_eq!(init().await, 2);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }
}
