//! The local AWS: ministack behind our launcher, as a process of its own that outlives the command.
//!
//! Everything else only knows an endpoint and credentials. The launcher's files are part of this binary and are written out
//! at each start, so an installed deployer needs no checkout; Python and its packages come from the project's `.venv`.

mod access;
mod record;

pub(crate) use access::file as credentials_file;

use crate::aws::AwsTarget;
use crate::error::{Error, Hint, Result, Verb};
use crate::files;
use crate::http::{Http, NetworkSettings};
use crate::machine::Machine;
use crate::time::{Stop, at_most, pause};
use access::Access;
use record::{Holder, holder};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde::Deserialize;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Where the local AWS runs.
#[derive(Clone, Debug)]
pub(crate) struct LocalAws {
    /// On the loopback interface; 0 is a free one. Absent when any will do.
    pub port: Option<u16>,
    /// Its secret, its log and what it holds; absolute.
    pub state: PathBuf,
    /// Whether it checks policies, as AWS does.
    pub enforces_iam: bool,
}

/// The launcher, as Python sees it.
const LAUNCHER: [(&str, &str); 29] = [
    ("local_aws.py", include_str!("../local/local_aws.py")),
    ("authentication.py", include_str!("../local/authentication.py")),
    ("authorization.py", include_str!("../local/authorization.py")),
    ("autoscaling.py", include_str!("../local/autoscaling.py")),
    ("connections.py", include_str!("../local/connections.py")),
    ("decreases.py", include_str!("../local/decreases.py")),
    ("definition.py", include_str!("../local/definition.py")),
    ("deployments.py", include_str!("../local/deployments.py")),
    ("durability.py", include_str!("../local/durability.py")),
    ("environments.py", include_str!("../local/environments.py")),
    ("fidelity.py", include_str!("../local/fidelity.py")),
    ("functions.py", include_str!("../local/functions.py")),
    ("grammar.py", include_str!("../local/grammar.py")),
    ("integration.py", include_str!("../local/integration.py")),
    ("invoke.py", include_str!("../local/invoke.py")),
    ("logs.py", include_str!("../local/logs.py")),
    ("patch_fields.py", include_str!("../local/patch_fields.py")),
    ("patch_records.py", include_str!("../local/patch_records.py")),
    ("patch_values.py", include_str!("../local/patch_values.py")),
    ("patches.py", include_str!("../local/patches.py")),
    ("platform_log.py", include_str!("../local/platform_log.py")),
    ("roles.py", include_str!("../local/roles.py")),
    ("runtime_api.py", include_str!("../local/runtime_api.py")),
    ("self_test.py", include_str!("../local/self_test.py")),
    ("state_folder.py", include_str!("../local/state_folder.py")),
    ("tables.py", include_str!("../local/tables.py")),
    ("texts.py", include_str!("../local/texts.py")),
    ("throttling.py", include_str!("../local/throttling.py")),
    ("workers.py", include_str!("../local/workers.py")),
];

/// A slow machine needs some seconds to start Python and pass the launcher's self-test.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// It saves its state and ends its functions first.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// It answers in milliseconds, unless it is busy.
const PROVEN_WITHIN: Duration = Duration::from_secs(5);

/// The launcher's exit status when somebody else has the port.
const PORT_IN_USE: i32 = 3;

/// The port, when none is asked for.
const USUAL_PORT: u16 = 4566;

/// For folders and files that other users must not see.
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// The local AWS of one state folder.
#[derive(Debug)]
pub(crate) struct Local<'a> {
    config: &'a LocalAws,
    machine: &'a Machine,
    http: Http,
    stop: &'a Stop,
}

/// One that answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) pid: Pid,
    port: u16,
}

impl Running {
    pub(crate) fn url(self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The answer to a challenge.
#[derive(Deserialize)]
struct Proof {
    proof: String,
}

impl<'a> Local<'a> {
    pub(crate) fn new(config: &'a LocalAws, machine: &'a Machine, stop: &'a Stop) -> Result<Self> {
        let http = Http::new(Duration::from_secs(2), &NetworkSettings::default())?;
        Ok(Self { config, machine, http, stop })
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.config.state.join("log")
    }

    fn data(&self) -> PathBuf {
        self.config.state.join("data")
    }

    /// The way to it, for clients: started when it does not run, unless another endpoint leads to it.
    ///
    /// # Errors
    /// It cannot be started; what answers at the endpoint has not the secret of this state folder, and is told nothing.
    pub(crate) async fn target(&self, target: &AwsTarget, talk: impl FnOnce(&str)) -> Result<AwsTarget> {
        let url = if let Some(url) = &target.endpoint_url {
            url.clone()
        } else {
            let (running, started) = self.start().await?;
            let url = running.url();
            if started {
                talk(&format!("local AWS started at {url}"));
            }
            url
        };
        let access = Access::read(&self.config.state)?;
        self.prove(&url, &access).await?;
        Ok(AwsTarget { endpoint_url: Some(url), credentials: Some(access.credentials()), ..target.clone() })
    }

    /// Starts it unless it runs; true if this call did. Two calls at once start one.
    ///
    /// # Errors
    /// No Python, no ministack, a port in use, a launcher that does not come up: each with what to do.
    pub(crate) async fn start(&self) -> Result<(Running, bool)> {
        self.make_state()?;
        let _lock = self.lock().await?;
        if let Some(running) = self.running()? {
            return Ok((self.at_the_asked_port(running)?, false));
        }
        let launcher = self.write_launcher()?;
        let mut child = self.spawn(&launcher)?;
        let started = Instant::now();
        loop {
            if let Some(running) = self.running()? {
                return Ok((running, true));
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.explain_exit(status.code()));
            }
            if started.elapsed() > READY_WITHIN {
                // It may have ended by itself, and then there is nothing to do.
                let _ = child.start_kill();
                return Err(Error::new(format!(
                    "the local AWS was not ready within {} s",
                    READY_WITHIN.as_secs()
                ))
                .hint(format!("Its log is {}.", self.log().display())));
            }
            pause(self.stop, Duration::from_millis(20)).await?;
        }
    }

    /// Stops it; true if it ran.
    ///
    /// # Errors
    /// It is another user's; it does not end.
    pub(crate) async fn stop(&self) -> Result<bool> {
        let Some(Holder { pid, .. }) = holder(&self.config.state)? else { return Ok(false) };
        match kill_process(pid, Signal::TERM) {
            // It has just ended by itself.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(e) => return Err(Error::new(format!("cannot stop process {}: {e}", pid.as_raw_nonzero()))),
        }
        let started = Instant::now();
        while holder(&self.config.state)?.is_some_and(|now| now.pid == pid) {
            if started.elapsed() > STOPPED_WITHIN {
                return Err(Error::new(format!("process {} does not stop", pid.as_raw_nonzero()))
                    .hint(format!("Its log is {}.", self.log().display())));
            }
            pause(self.stop, Duration::from_millis(20)).await?;
        }
        Ok(true)
    }

    /// Forgets all that it holds; true if it ran, and runs on empty.
    pub(crate) async fn reset(&self) -> Result<bool> {
        if let Some(running) = self.running()? {
            let access = Access::read(&self.config.state)?;
            let url = access.signed_url("POST", &format!("{}/_ministack/reset", running.url()))?;
            return match self.http.post(&url, "").await {
                Ok(answer) if answer.status == 200 => Ok(true),
                Ok(answer) => Err(Error::new(format!("the local AWS refused: {}", answer.body))),
                Err(error) => Err(Error::new(format!("the local AWS does not answer: {error}"))),
            };
        }
        match std::fs::remove_dir_all(self.data()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.cannot_write(&e)),
            _ => Ok(false),
        }
    }

    /// The one that answers, if it runs.
    ///
    /// # Errors
    /// It runs, but not for us.
    pub(crate) fn running(&self) -> Result<Option<Running>> {
        let holder = holder(&self.config.state)?;
        Ok(holder.and_then(|Holder { pid, port }| Some(Running { pid, port: port? })))
    }

    fn at_the_asked_port(&self, running: Running) -> Result<Running> {
        match self.config.port {
            Some(port) if port != 0 && port != running.port => Err(Error::new(format!(
                "the local AWS of {} runs already, at port {}",
                self.config.state.display(),
                running.port
            ))
            .hint(
                Hint::from("Drop --local-port (or DEPLOYER_LOCAL_PORT) to use it, or stop it first with ")
                    .command(Verb::LocalStop)
                    .text("."),
            )
            .hint("For a second one choose another folder with --local-state (or DEPLOYER_LOCAL_STATE).")),
            _ => Ok(running),
        }
    }

    /// Has what answers at the URL prove that it knows the secret. The secret itself is never sent.
    async fn prove(&self, url: &str, access: &Access) -> Result<()> {
        let challenge = access::challenge()?;
        let page = format!("{}/_local_aws/proof?challenge={challenge}", url.trim_end_matches('/'));
        let answer = match at_most(PROVEN_WITHIN, self.http.get(&page)).await {
            Some(Ok(answer)) => answer,
            Some(Err(why)) => return Err(Error::new(format!("nothing answers at {url}")).because(&why)),
            None => return Err(Error::new(format!("nothing answered at {url} within 5 s"))),
        };
        let proof = serde_json::from_str::<Proof>(&answer.body).ok();
        if proof.is_some_and(|answer| access.is_proven(&challenge, &answer.proof)) {
            return Ok(());
        }
        Err(Error::new(format!(
            "what answers at {url} is not the local AWS of {}, and was told nothing",
            self.config.state.display()
        ))
        .hint("Drop --endpoint-url (and AWS_ENDPOINT_URL), or name its folder with --local-state.")
        .hint("For another emulator drop --local, and set the credentials that it takes."))
    }

    /// The folder of everything, which no other user can look into or has put anything in.
    fn make_state(&self) -> Result<()> {
        let state = &self.config.state;
        let make = || {
            DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(state)?;
            let owner = std::fs::metadata(state)?.uid();
            if owner != geteuid().as_raw() {
                return Err(std::io::Error::other(format!("it belongs to another user (number {owner})")));
            }
            std::fs::set_permissions(state, Permissions::from_mode(PRIVATE_FOLDER))?;
            for entry in std::fs::read_dir(state)? {
                let entry = entry?;
                let owner = entry.metadata()?.uid();
                if owner != geteuid().as_raw() {
                    return Err(std::io::Error::other(format!(
                        "{} in it belongs to another user (number {owner})",
                        entry.file_name().display()
                    )));
                }
            }
            Ok(())
        };
        make().map_err(|e| self.cannot_write(&e))
    }

    /// A file that no other user can read, also when it was made by an older version.
    fn private_file(&self, name: &str, options: &mut OpenOptions) -> Result<File> {
        let mut open = || {
            let file = options.create(true).mode(PRIVATE_FILE).open(self.config.state.join(name))?;
            file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
            Ok(file)
        };
        open().map_err(|e| self.cannot_write(&e))
    }

    /// Held while one command starts it, so that another waits and then finds it running.
    async fn lock(&self) -> Result<File> {
        let file = self.private_file("lock", OpenOptions::new().truncate(false).write(true))?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        locked.await.map_err(std::io::Error::other).and_then(|file| file).map_err(|e| self.cannot_write(&e))
    }

    fn write_launcher(&self) -> Result<PathBuf> {
        let folder = self.config.state.join("launcher");
        let write = || {
            DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(&folder)?;
            LAUNCHER.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
        };
        write().map_err(|e| self.cannot_write(&e))?;
        Ok(folder.join(LAUNCHER[0].0))
    }

    /// With next to no environment, so that nothing of the person's gets into it.
    fn spawn(&self, launcher: &Path) -> Result<Child> {
        let python =
            self.machine.find("python").or_else(|| self.machine.find("python3")).ok_or_else(|| {
                Error::new("the local AWS needs Python 3.10 or newer, and none is on PATH").hint(INSTALL)
            })?;
        let log = self.private_file("log", OpenOptions::new().append(true))?;
        let errors = log.try_clone().map_err(|e| self.cannot_write(&e))?;
        let state = std::path::absolute(&self.config.state).map_err(|e| self.cannot_write(&e))?;
        let mut command = Command::new(&python);
        command
            .arg(launcher)
            .env_clear()
            .env("PATH", &self.machine.path)
            .env("GATEWAY_PORT", self.config.port.unwrap_or(USUAL_PORT).to_string())
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", state)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C on the terminal is for this command, not for it.
            .process_group(0);
        if let Some(home) = &self.machine.home {
            command.env("HOME", home);
        }
        if self.config.enforces_iam {
            command.env("AUTH", "true");
        }
        command.spawn().map_err(|e| Error::new(format!("cannot start {}: {e}", python.display())))
    }

    fn explain_exit(&self, code: Option<i32>) -> Error {
        if code == Some(PORT_IN_USE) {
            return self.port_in_use();
        }
        let log = files::read_end(&self.log(), files::MOST_OF_A_LOG).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        Error::new(format!("the local AWS did not start: {last}"))
            .hint(INSTALL)
            .hint(format!("Its log is {}.", self.log().display()))
    }

    fn port_in_use(&self) -> Error {
        let port = self.config.port.unwrap_or(USUAL_PORT);
        Error::new(format!("port {port} is in use, by something that is not this local AWS"))
            .hint("Choose another port with --local-port (or DEPLOYER_LOCAL_PORT); 0 takes a free one.")
    }

    fn cannot_write(&self, error: &std::io::Error) -> Error {
        Error::new(format!("cannot use {}: {error}", self.config.state.display()))
            .hint("Choose another folder with --local-state (or DEPLOYER_LOCAL_STATE).")
    }
}

const INSTALL: &str =
    "In this project, `make setup` installs the local AWS into .venv; it needs Python 3.10 or newer.";
