//! A local AWS of its own for one test: a free port, a folder that goes with it.

use crate::access::Access;
use crate::aws::{Lookup, REGION};
use crate::deployer::{Deployer, Done, path, send};
use crate::proxy::Proxy;
use crate::{repository, wait_for};
use rustix::process::{Pid, Signal, test_kill_process};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// A local AWS that runs until it is dropped.
#[derive(Debug)]
pub struct Emulator {
    folder: TempDir,
    port: u16,
    pid: u32,
    /// Set when the launcher was started by hand, and so is ours to reap.
    child: Option<Child>,
    guard: Guard,
}

impl Emulator {
    /// Started as people start it: `deployer local start`.
    pub fn start() -> Self {
        Self::started(&[])
    }

    /// One that checks policies, as AWS does. Its own credentials may do everything.
    pub fn enforcing_iam() -> Self {
        Self::started(&[("DEPLOYER_LOCAL_IAM", "1")])
    }

    fn started(environment: &[(&str, &str)]) -> Self {
        let folder = folder();
        let start = flags(folder.path(), 0, &repository().join("stack.toml")).args(["local", "start"]);
        let _ =
            environment.iter().fold(start, |start, (name, value)| start.env(name, value)).run().succeeds();
        let (pid, port) = process_of(&state(folder.path()));
        Self { folder, port, pid, child: None, guard: Guard::of(pid) }
    }

    /// One whose tables and functions take this many seconds to become active, which the binary has no word for.
    pub fn with_transitions(seconds: f64) -> Self {
        let folder = folder();
        let mut child = Command::new(repository().join(".venv/bin/python"))
            .arg(repository().join("deployer/local/local_aws.py"))
            .env_clear()
            .env("PATH", path())
            .env("HOME", folder.path())
            .env("STATE_DIR", state(folder.path()))
            .env("GATEWAY_PORT", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TRANSITION_SECONDS", seconds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("make setup has made .venv");
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let port = ready.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the launcher says {ready:?}"));
        let pid = child.id();
        Self { folder, port, pid, child: Some(child), guard: Guard::of(pid) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder: also the home of what runs against it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it keeps what it holds.
    pub fn state(&self) -> PathBuf {
        state(self.folder.path())
    }

    /// The binary with the flags that lead here, for the stack of this manifest.
    pub fn deployer(&self, manifest: &Path, args: &[&str]) -> Deployer {
        flags(self.folder.path(), self.port, manifest).args(args)
    }

    /// Stops it, and keeps what it holds.
    pub fn stop(&self) {
        let _ = local(self.folder.path(), self.port, "stop").succeeds();
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        let _ = local(self.folder.path(), self.port, "start").succeeds();
        (self.pid, _) = process_of(&self.state());
        self.guard.dismiss();
        self.guard = Guard::of(self.pid);
    }

    /// What it holds, and more.
    pub fn lookup(&self) -> Lookup {
        Lookup::at(&self.url(), self.access())
    }

    /// The same, through a proxy before it.
    pub fn lookup_through(&self, proxy: &Proxy) -> Lookup {
        Lookup::at(&proxy.url(), self.access())
    }

    /// What it answers to.
    pub fn access(&self) -> Access {
        Access::of(&self.state())
    }

    /// Forgets all that it holds.
    pub fn reset(&self) {
        let url = format!("{}/_ministack/reset", self.url());
        let signed = self.access().sign(("ministack", REGION), ("POST", &url), &[], "");
        let post = signed.into_iter().fold(ureq::post(url), |post, (name, value)| post.header(name, value));
        post.send_empty().expect("it resets itself");
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            send(child.id(), Signal::TERM);
            let _ = child.wait();
            self.guard.dismiss();
            return;
        }
        // No assertions: a test may be failing already, and a second panic would hide why.
        let stopped = local(self.folder.path(), self.port, "stop");
        if stopped.code != Some(0) && is_alive(self.pid) {
            send(self.pid, Signal::KILL);
        }
        self.guard.dismiss();
    }
}

/// Ends a process when this one ends, however that happens: a `Drop` is not run after Ctrl-C. The guard itself outlives
/// Ctrl-C, and sees the end of its stdin when nobody holds the other side any more.
#[derive(Debug)]
struct Guard(Child);

impl Guard {
    fn of(pid: u32) -> Self {
        let script = "trap '' INT TERM HUP; cat >/dev/null; kill \"$0\" 2>/dev/null";
        let mut command = Command::new("sh");
        command.args(["-c", script, &pid.to_string()]).stdin(Stdio::piped());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The process has ended in another way.
    fn dismiss(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("deployer-test-").tempdir().unwrap()
}

fn state(folder: &Path) -> PathBuf {
    folder.join("local")
}

fn flags(folder: &Path, port: u16, manifest: &Path) -> Deployer {
    Deployer::new(folder).args(["--local-port", &port.to_string()]).args([
        Path::new("--local-state"),
        &state(folder),
        Path::new("--manifest"),
        manifest,
    ])
}

/// The project's manifest says where the project is, and so where its `.venv` is.
fn local(folder: &Path, port: u16, verb: &str) -> Done {
    flags(folder, port, &repository().join("stack.toml")).args(["local", verb]).run()
}

/// A port that nobody listened at a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The process that runs on a state folder, and its port.
fn process_of(state: &Path) -> (u32, u16) {
    let text = std::fs::read_to_string(state.join("running")).expect("the launcher says who it is");
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number = |name: &str| record[name].as_u64().unwrap_or_else(|| panic!("{text} has no {name}"));
    (number("pid").try_into().unwrap(), number("port").try_into().unwrap())
}

fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid).is_ok())
}

/// Waits until nothing is left of a process that is not our child.
pub fn until_gone(pid: u32) {
    wait_for("the process to end", STOPPED_WITHIN, || (!is_alive(pid)).then_some(()));
}
