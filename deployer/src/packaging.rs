//! The code of functions as zips: compiled from a Cargo package, or a file that is ready.
//!
//! Building starts with the command and goes on while AWS is looked at. A zip is the same, byte for byte, for the same files:
//! Lambda compares code by the hash of the zip.

mod archive;
mod build;
mod cargo;
mod check;
mod code;
mod elf;
mod include;
mod kept;
mod project;
mod settings;
mod tools;
mod worker;

pub(crate) use archive::merged;
pub(crate) use build::Build;
pub(crate) use check::LARGEST_ZIP;

use crate::engine::{Engine, Id, Kind, Outcome, Step};
use crate::error::{Error, Result};
use crate::files;
use crate::lab;
use crate::machine::Machine;
use crate::manifest::{Architecture, Function};
use crate::time::unless_stopped;
use cargo::Cargo;
use check::{LARGEST_CODE, Needs};
use code::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex as AsyncMutex, OnceCell, mpsc};

/// A zip that is ready to upload.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Shared by every step that may need it.
    code: Arc<Code>,
    /// How the local AWS's copy was compiled, for the function's tag there. `None` at AWS and for a zip that was ready.
    pub(crate) build: Option<Build>,
    /// Whether this run made the zip.
    built: bool,
}

impl Package {
    /// SHA-256 of the zip in base64, as Lambda reports it.
    pub(crate) fn sha256(&self) -> &str {
        &self.code.sha256
    }

    /// Of the zip, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.code.size
    }

    /// The zip. It may have 50 MB, so it is best dropped soon.
    ///
    /// # Errors
    /// A file that cannot be read, or that was changed since it was checked.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        self.code.read()
    }

    #[cfg(test)]
    pub(crate) fn of(zip: Vec<u8>) -> Self {
        Self { code: Arc::new(Code::in_memory(zip)), build: None, built: false }
    }
}

/// Where the manifest lies, and how what it declares is built.
pub(crate) struct Place {
    pub(crate) machine: Machine,
    /// The folder of the manifest.
    pub(crate) root: PathBuf,
    pub(crate) build: Build,
    /// Whether the code is for the local AWS.
    pub(crate) local: bool,
}

/// Where a function's code comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Cargo { package: Option<String>, binary: Option<String>, architecture: Architecture },
    Zip(PathBuf),
}

impl Source {
    fn of(function: &Function) -> Self {
        match &function.zip {
            Some(zip) => Self::Zip(zip.clone()),
            None => Self::Cargo {
                package: function.package.clone(),
                binary: function.binary.clone(),
                architecture: function.architecture,
            },
        }
    }
}

impl Source {
    /// Its name for people, as far as the manifest says it.
    fn declared_name(&self) -> String {
        match self {
            Self::Cargo { package, .. } => package.clone().unwrap_or_else(|| lab::PACKAGE.to_owned()),
            Self::Zip(path) => path.display().to_string(),
        }
    }
}

/// What a build says while it goes on, and at its end.
enum News {
    /// It has begun: the name of what is being packaged.
    Begun(String),
    /// How far it is.
    Progress(String),
    Finished(Result<Package>),
}

/// The code of every function of a stack, each package built once.
pub(crate) struct Packages {
    /// By function name.
    sources: BTreeMap<String, Source>,
    /// Builds whose end nobody has waited for yet.
    running: AsyncMutex<BTreeMap<Source, Running>>,
    /// `None` in it: it could not be packaged.
    made: BTreeMap<Source, OnceCell<Option<Package>>>,
}

/// A build that goes on in the background.
struct Running {
    /// The first news, once it has come.
    first: Option<News>,
    news: mpsc::UnboundedReceiver<News>,
}

impl Running {
    /// The first news, which stays where it is.
    async fn first(&mut self) -> Option<&News> {
        if self.first.is_none() {
            self.first = self.news.recv().await;
        }
        self.first.as_ref()
    }
}

impl Packages {
    /// The code of no function: it is not compared.
    pub(crate) fn not_compared() -> Self {
        Self { sources: BTreeMap::new(), running: AsyncMutex::default(), made: BTreeMap::new() }
    }

    /// Starts to build the code of these functions, by their names in AWS. Zips that are ready are read and checked now.
    ///
    /// # Errors
    /// A zip that cannot be read, or that Lambda would refuse or could not start.
    pub(crate) fn start<'f>(
        functions: impl Iterator<Item = (String, &'f Function)>,
        place: &Place,
    ) -> Result<Self> {
        let functions: Vec<(String, &Function)> = functions.collect();
        let sources: BTreeMap<String, Source> =
            functions.iter().map(|(name, function)| (name.clone(), Source::of(function))).collect();
        let mut running = BTreeMap::new();
        let mut jobs = Vec::new();
        for source in sources.values().collect::<BTreeSet<_>>() {
            let (tell, news) = mpsc::unbounded_channel();
            running.insert(source.clone(), Running { first: None, news });
            match source {
                Source::Zip(path) => {
                    let uses = functions.iter().filter(|(_, function)| Source::of(function) == *source);
                    let package = ready(&place.root.join(path), uses.map(|(_, function)| needs(function)))?;
                    for one in [News::Begun(path.display().to_string()), News::Finished(Ok(package))] {
                        // The other end is in the map above.
                        let _ = tell.send(one);
                    }
                }
                Source::Cargo { package, binary, architecture } => jobs.push(worker::Job {
                    package: package.clone(),
                    binary: binary.clone(),
                    architecture: *architecture,
                    tell,
                }),
            }
        }
        if !jobs.is_empty() {
            let cargo = Cargo { machine: place.machine.clone(), root: place.root.clone() };
            tokio::spawn(worker::run(cargo, place.build, place.local, jobs));
        }
        let made = sources.values().map(|source| (source.clone(), OnceCell::new())).collect();
        Ok(Self { sources, running: AsyncMutex::new(running), made })
    }

    /// The function's package, once it is built. `None` when it could not be built; `Some(None)` when code is not compared.
    pub(crate) async fn get(&self, go: &Engine<'_>, function: &str) -> Option<Option<Package>> {
        let source = self.sources.get(function);
        let Some((source, cell)) = source.and_then(|source| Some((source, self.made.get(source)?))) else {
            return Some(None);
        };
        cell.get_or_init(|| self.packaged(go, source)).await.clone().map(Some)
    }

    /// Waits until every build has begun: the tools are there, and so are the packages and their binaries.
    ///
    /// # Errors
    /// Why one cannot begin.
    pub(crate) async fn begun(&self) -> Result<()> {
        for (source, running) in self.running.lock().await.iter_mut() {
            if let Some(News::Finished(Err(error))) = running.first().await {
                let id = Id::new(Kind::Package, source.declared_name());
                return Err(error.clone().context(&id.to_string()).hint("Nothing was changed."));
            }
        }
        Ok(())
    }

    async fn packaged(&self, go: &Engine<'_>, source: &Source) -> Option<Package> {
        let mut running = self.running.lock().await.remove(source)?;
        let name = match running.first().await {
            Some(News::Begun(name)) => name.clone(),
            _ => source.declared_name(),
        };
        go.task(Id::new(Kind::Package, name), async |step| {
            let package = finished(step, running).await?;
            Ok((if package.built { Outcome::Built } else { Outcome::Unchanged }, package))
        })
        .await
    }
}

async fn finished(step: &Step<'_>, mut running: Running) -> Result<Package> {
    let mut next = running.first;
    loop {
        match next {
            Some(News::Finished(package)) => return package,
            Some(News::Progress(progress)) => step.progress(progress),
            Some(News::Begun(_)) | None => {}
        }
        let ended = || Error::new("the build ended without a result");
        next = Some(unless_stopped(step.stop, running.news.recv()).await?.ok_or_else(ended)?);
    }
}

fn needs(function: &Function) -> Needs {
    Needs {
        runtime: function.runtime.clone().unwrap_or_default(),
        handler: function.handler.clone().unwrap_or_default(),
        architecture: function.architecture,
    }
}

/// A zip that somebody else made.
fn ready(path: &Path, uses: impl Iterator<Item = Needs>) -> Result<Package> {
    let what = format!("the zip {}", path.display());
    let cannot = |e: std::io::Error| Error::usage(format!("cannot read {what}: {e}"));
    let (file, zip) = files::open_and_read(path, LARGEST_CODE).map_err(cannot)?;
    check::size(&zip, &what)?;
    for needs in uses.collect::<BTreeSet<_>>() {
        check::zip(&zip, &what, &needs)?;
    }
    Ok(Package { code: Arc::new(Code::in_file(file, path, &zip)), build: None, built: false })
}
