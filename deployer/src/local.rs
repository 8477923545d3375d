//! The local AWS: ministack behind our launcher, as a process of its own that outlives the command.
//!
//! Everything else only knows an endpoint. The launcher's files are part of this binary and are written out at each
//! start, so an installed deployer needs no checkout; Python and its packages come from the project's `.venv`.

use crate::config::{LocalAws, Machine};
use crate::error::{Error, Result};
use crate::http::{Http, Network};
use crate::retry::{Stop, at_most, pause};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// The launcher, as Python sees it.
const LAUNCHER: [(&str, &str); 23] = [
    ("local_aws.py", include_str!("../local/local_aws.py")),
    ("authorization.py", include_str!("../local/authorization.py")),
    ("autoscaling.py", include_str!("../local/autoscaling.py")),
    ("connections.py", include_str!("../local/connections.py")),
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
    ("patches.py", include_str!("../local/patches.py")),
    ("platform_log.py", include_str!("../local/platform_log.py")),
    ("roles.py", include_str!("../local/roles.py")),
    ("runtime_api.py", include_str!("../local/runtime_api.py")),
    ("self_test.py", include_str!("../local/self_test.py")),
    ("tables.py", include_str!("../local/tables.py")),
    ("texts.py", include_str!("../local/texts.py")),
    ("throttling.py", include_str!("../local/throttling.py")),
    ("workers.py", include_str!("../local/workers.py")),
];

/// A slow machine needs some seconds to start Python and pass the launcher's self-test.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// It saves its state and ends its functions first.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// The launcher's exit status when somebody else has the port.
const PORT_IN_USE: i32 = 3;

/// The local AWS of one port and one state folder.
#[derive(Debug)]
pub(crate) struct Local<'a> {
    config: &'a LocalAws,
    machine: &'a Machine,
    http: Http,
    stop: &'a Stop,
}

/// What the launcher says about itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Running {
    pub(crate) pid: i32,
    pub(crate) state: PathBuf,
}

impl<'a> Local<'a> {
    pub(crate) fn new(config: &'a LocalAws, machine: &'a Machine, stop: &'a Stop) -> Result<Self> {
        let http = Http::new(Duration::from_secs(2), &Network::default())?;
        Ok(Self { config, machine, http, stop })
    }

    pub(crate) fn url(&self) -> String {
        url(self.config)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.config.state.join("log")
    }

    fn data(&self) -> PathBuf {
        self.config.state.join("data")
    }

    /// Starts it unless it runs; true if this call did. Two calls at once start one.
    ///
    /// # Errors
    /// No Python, no ministack, a port in use, a launcher that does not come up: each with what to do.
    pub(crate) async fn start(&self) -> Result<bool> {
        std::fs::create_dir_all(self.data()).map_err(|e| self.cannot_write(&e))?;
        let _lock = self.lock().await?;
        if self.running().await?.is_some() {
            return Ok(false);
        }
        let launcher = self.write_launcher()?;
        let mut child = self.spawn(&launcher)?;
        let started = Instant::now();
        loop {
            if self.running().await?.is_some() {
                return Ok(true);
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.explain_exit(status.code()));
            }
            if started.elapsed() > READY_WITHIN {
                terminate(child.id());
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
    pub(crate) async fn stop(&self) -> Result<bool> {
        let Some(running) = self.running().await? else { return Ok(false) };
        terminate(u32::try_from(running.pid).ok());
        let started = Instant::now();
        while Pid::from_raw(running.pid).is_some_and(|pid| test_kill_process(pid).is_ok()) {
            if started.elapsed() > STOPPED_WITHIN {
                return Err(Error::new(format!("process {} does not stop", running.pid))
                    .hint(format!("Its log is {}.", self.log().display())));
            }
            pause(self.stop, Duration::from_millis(20)).await?;
        }
        Ok(true)
    }

    /// Forgets all that it holds; true if it ran, and runs on empty.
    pub(crate) async fn reset(&self) -> Result<bool> {
        if self.running().await?.is_some() {
            let answer = self.http.post(&format!("{}/_ministack/reset", self.url()), "").await;
            return match answer {
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

    /// Whether ours answers at the port.
    ///
    /// # Errors
    /// Another one, with other state, answers there.
    pub(crate) async fn running(&self) -> Result<Option<Running>> {
        let page = format!("{}/_ministack/ready", self.url());
        let Some(Ok(answer)) = at_most(Duration::from_secs(5), self.http.get(&page)).await else {
            return Ok(None);
        };
        if answer.status != 200 {
            return Ok(None);
        }
        let Ok(running) = serde_json::from_str::<Running>(&answer.body) else {
            return Err(self.port_in_use());
        };
        let same = |a: &Path, b: &Path| a == b || a.canonicalize().ok() == b.canonicalize().ok();
        if same(&running.state, &self.data()) {
            return Ok(Some(running));
        }
        Err(Error::new(format!(
            "another local AWS is at port {}: it keeps its state in {}",
            self.config.port,
            running.state.display()
        ))
        .hint("Choose another port with --local-port (or DEPLOYER_LOCAL_PORT), or stop the other one."))
    }

    /// Held while one command starts it, so that another waits and then finds it running.
    async fn lock(&self) -> Result<File> {
        let path = self.config.state.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(|e| self.cannot_write(&e))?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        locked.await.map_err(std::io::Error::other).and_then(|file| file).map_err(|e| self.cannot_write(&e))
    }

    fn write_launcher(&self) -> Result<PathBuf> {
        let folder = self.config.state.join("launcher");
        let write = || {
            std::fs::create_dir_all(&folder)?;
            LAUNCHER.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
        };
        write().map_err(|e| self.cannot_write(&e))?;
        Ok(folder.join(LAUNCHER[0].0))
    }

    /// Functions inherit the emulator's environment, so it gets next to none.
    fn spawn(&self, launcher: &Path) -> Result<Child> {
        let python =
            self.machine.find("python").or_else(|| self.machine.find("python3")).ok_or_else(|| {
                Error::new("the local AWS needs Python 3.10 or newer, and none is on PATH").hint(INSTALL)
            })?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(|e| self.cannot_write(&e))?;
        let errors = log.try_clone().map_err(|e| self.cannot_write(&e))?;
        let data = std::path::absolute(self.data()).map_err(|e| self.cannot_write(&e))?;
        let mut command = Command::new(&python);
        command
            .arg(launcher)
            .env_clear()
            .env("PATH", &self.machine.path)
            .env("TMPDIR", &self.machine.temp)
            .env("GATEWAY_PORT", self.config.port.to_string())
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", data)
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
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        Error::new(format!("the local AWS did not start: {last}"))
            .hint(INSTALL)
            .hint(format!("Its log is {}.", self.log().display()))
    }

    fn port_in_use(&self) -> Error {
        Error::new(format!("port {} is in use, by something that is not this local AWS", self.config.port))
            .hint("Choose another port with --local-port (or DEPLOYER_LOCAL_PORT).")
    }

    fn cannot_write(&self, error: &std::io::Error) -> Error {
        Error::new(format!("cannot use {}: {error}", self.config.state.display()))
            .hint("Choose another folder with --local-state (or DEPLOYER_LOCAL_STATE).")
    }
}

const INSTALL: &str =
    "In this project, make setup installs the local AWS into .venv; it needs Python 3.10 or newer.";

fn url(config: &LocalAws) -> String {
    format!("http://127.0.0.1:{}", config.port)
}

fn terminate(pid: Option<u32>) {
    if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = kill_process(pid, Signal::TERM);
    }
}
