//! Builds and zips the packages of one command, in the background.

use super::archive::{self, ZipFile};
use super::build::{self, Build};
use super::cargo::Cargo;
use super::code::Code;
use super::kept::Kept;
use super::project::{Binary, Project};
use super::settings::Compiler;
use super::{News, Package, check, elf, include, tools};
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// A quick zip is written and sent within this machine only, so its size costs next to nothing.
const QUICK_COMPRESSION: i64 = 1;
const RELEASE_COMPRESSION: i64 = 9;

/// A package to build, and who wants to know.
pub(super) struct Job {
    pub(super) package: Option<String>,
    pub(super) binary: Option<String>,
    pub(super) architecture: Architecture,
    pub(super) tell: UnboundedSender<News>,
}

impl Job {
    fn say(&self, news: News) {
        // Whoever listened may have gone, and then nobody wants to know.
        let _ = self.tell.send(news);
    }
}

/// Builds the package of each job, one build after the other, and tells each job what came of it. `is_local` is whether the
/// packages are for the local AWS.
pub(super) async fn run(cargo: Cargo, build: Build, is_local: bool, jobs: Vec<Job>) {
    if let Err(error) = try_run(&cargo, build, is_local, &jobs).await {
        for job in &jobs {
            job.say(News::Finished(Err(error.clone())));
        }
    }
}

/// What fails here fails for every job.
async fn try_run(cargo: &Cargo, build: Build, is_local: bool, jobs: &[Job]) -> Result<()> {
    if cargo.machine.find("cargo").is_none() {
        // Only Cargo can tell what a package needs besides; usually it is this.
        tools::require(cargo, (build == Build::Release).then_some(Compiler::Zig)).await?;
    }
    let project = Project::load(cargo).await?;
    let mut found = Vec::new();
    for job in jobs {
        match find(cargo, &project, build, job).await {
            Ok(binary) => {
                job.say(News::Begun(binary.shown_name()));
                found.push((job, binary));
            }
            Err(error) => job.say(News::Finished(Err(error))),
        }
    }
    let waits =
        || found.iter().for_each(|(job, _)| job.say(News::Progress("waiting for another build".to_owned())));
    let kept = Arc::new(Kept::lock(project.own_folder(), waits).await?);
    let worker = Worker { cargo, project: &project, kept, build, is_local };
    match build {
        Build::Quick => worker.quick(&found).await,
        Build::Release => worker.release(&found).await,
    }
    Ok(())
}

/// The binary of a job, if everything is there to build it.
async fn find(cargo: &Cargo, project: &Project, build: Build, job: &Job) -> Result<Binary> {
    let binary = project.binary(&cargo.root, job.package.as_deref(), job.binary.as_deref())?;
    if build == Build::Release {
        build::require_release(cargo, &binary, job.architecture).await?;
    }
    Ok(binary)
}

struct Worker<'a> {
    cargo: &'a Cargo,
    project: &'a Project,
    kept: Arc<Kept>,
    build: Build,
    is_local: bool,
}

impl Worker<'_> {
    async fn quick(&self, found: &[(&Job, Binary)]) {
        let binaries: Vec<Binary> = found.iter().map(|(_, binary)| binary.clone()).collect();
        let mut rest = found;
        for group in build::groups(&binaries) {
            let (jobs, after) = rest.split_at(group.len());
            rest = after;
            match (self.quick_group(jobs, group).await, jobs) {
                (Ok(()), _) => {}
                (Err(error), [(job, _)]) => job.say(News::Finished(Err(error))),
                // One that does not compile keeps the others of its group from being built, and each says its own errors.
                (Err(_), several) => {
                    for (one, binary) in several.iter().zip(group) {
                        let alone = (std::slice::from_ref(one), std::slice::from_ref(binary));
                        if let Err(error) = self.quick_group(alone.0, alone.1).await {
                            one.0.say(News::Finished(Err(error)));
                        }
                    }
                }
            }
        }
    }

    async fn quick_group(&self, jobs: &[(&Job, Binary)], group: &[Binary]) -> Result<()> {
        let progress = |step: String| jobs.iter().for_each(|(job, _)| job.say(News::Progress(step.clone())));
        let executables = build::quick(self.cargo, group, progress).await?;
        for (job, binary) in jobs {
            let executable = build::executable_of(&executables, binary);
            job.say(News::Finished(match executable {
                Ok(path) => self.package(binary, path, job.architecture).await,
                Err(error) => Err(error),
            }));
        }
        Ok(())
    }

    async fn release(&self, found: &[(&Job, Binary)]) {
        for (job, binary) in found {
            let progress = |step: String| job.say(News::Progress(step));
            let built = build::release(self.cargo, self.project, binary, job.architecture, progress).await;
            job.say(News::Finished(match built {
                Ok(path) => self.package(binary, path, job.architecture).await,
                Err(error) => Err(error),
            }));
        }
    }

    /// The zip of an executable that Cargo has just named, and of the files that belong to it. Made on a thread of its own,
    /// because AWS is talked to meanwhile.
    async fn package(
        &self,
        binary: &Binary,
        executable: PathBuf,
        architecture: Architecture,
    ) -> Result<Package> {
        let (binary, kept, root) = (binary.clone(), self.kept.clone(), self.cargo.root.clone());
        let (build, is_local) = (self.build, self.is_local);
        let made = tokio::task::spawn_blocking(move || {
            let (code, is_new) = zip(&kept, &root, &binary, &executable, build, architecture)?;
            Ok(Package { code: Arc::new(code), build: is_local.then_some(build), built: is_new })
        });
        made.await.map_err(|e| Error::new(format!("packaging was broken off: {e}")))?
    }
}

/// The zip, and whether it was made just now.
fn zip(
    kept: &Kept,
    root: &Path,
    binary: &Binary,
    executable: &Path,
    build: Build,
    architecture: Architecture,
) -> Result<(Code, bool)> {
    let bootstrap = std::fs::read(executable)
        .map_err(|e| Error::new(format!("cannot read {}: {e}", executable.display())))?;
    let mut files = vec![ZipFile { name: "bootstrap".to_owned(), mode: 0o755, contents: bootstrap }];
    let included = include::files(root, &binary.settings.include)?;
    files.extend(included.into_iter().filter(|file| file.name != "bootstrap"));
    let (variant, level) = match build {
        Build::Quick => (build.name(), QUICK_COMPRESSION),
        Build::Release => (architecture.name(), RELEASE_COMPRESSION),
    };
    let name = format!("{}.{}.{variant}", binary.package, binary.name);
    let what = format!("the code of the package {}", binary.package);
    kept.zip(&name, &files, |files| {
        // A quick build runs on this machine only.
        if build == Build::Release {
            elf::require_startable(&files[0].contents, &what, architecture)?;
        }
        let zip = archive::zip_of(files, level)?;
        check::size(&zip, &what)?;
        Ok(zip)
    })
}
