//! Running the binary, in an environment that holds nothing of the machine's owner.

use crate::terminal::Terminal;
use crate::{binary, repository, target_folder, variable, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No run takes longer, unless it hangs. A cold build of the function is part of one of them.
const LONGEST: Duration = Duration::from_mins(10);

/// One run of the binary, while it is being described.
#[derive(Debug)]
#[must_use = "nothing runs before `run` or `spawn`"]
pub struct Deployer(Command);

impl Deployer {
    /// With `home` as its home, its temporary folder and its current folder.
    pub fn new(home: &Path) -> Self {
        Self::of(Command::new(binary()), home)
    }

    /// A command line as people copy it into a shell that finds `deployer` on its PATH.
    pub fn copied(home: &Path, line: &str) -> Self {
        let folder = binary().parent().map(Path::to_owned);
        let paths: Vec<PathBuf> = folder.into_iter().chain(std::env::split_paths(&path())).collect();
        let mut shell = Command::new("sh");
        shell.args(["-c", line]);
        Self::of(shell, home).env("PATH", std::env::join_paths(paths).unwrap())
    }

    fn of(mut command: Command, home: &Path) -> Self {
        command
            .env_clear()
            .env("PATH", path())
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("CI", "true")
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    /// With what Cargo needs to build the function: its own folders, and a home that outlives the test, because
    /// zig keeps what it has built of libc there.
    pub fn building(mut self) -> Self {
        let home = PathBuf::from(variable("HOME").unwrap_or_default());
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            self.0.env(name, variable(name).unwrap_or_else(|| home.join(folder).into()));
        }
        let kept = target_folder().join("tmp/home");
        std::fs::create_dir_all(&kept).unwrap();
        self.0.env("HOME", kept);
        self
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// More arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    /// One more variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// With less than the system gives to others, by a command of the shell like `ulimit -s 256`.
    pub fn limited(self, limit: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")]).arg(self.0.get_program());
        command.args(self.0.get_args()).env_clear();
        for (name, value) in self.0.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// With something to read.
    pub fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.0.stdin(from);
        self
    }

    /// With somewhere else to write; what it writes there is not read.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stdout(to);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Done {
        self.spawn().wait()
    }

    /// Starts it as people do, in a terminal of 80 columns.
    pub fn in_terminal(self) -> Terminal {
        Terminal::start(&self.0)
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        let what = format!("{:?}", self.0.get_args().collect::<Vec<_>>());
        let started = Instant::now();
        let mut child = self.0.spawn().expect("the binary starts");
        let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
        Running { child, stdout: Some(stdout), stderr: Some(stderr), started, what }
    }
}

/// The project's own tools, then the machine's.
pub fn path() -> OsString {
    let inherited = variable("PATH").unwrap_or_default();
    let tools = repository().join(".venv/bin");
    std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&inherited))).unwrap()
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8(bytes).expect("text is UTF-8")
    })
}

/// A run that is going on. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    started: Instant,
    what: String,
}

impl Running {
    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, as `kill` does.
    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Waits until it ends.
    pub fn wait(mut self) -> Done {
        let what = self.what.clone();
        let status = wait_for(&what, LONGEST, || self.child.try_wait().unwrap());
        let join = |thread: Option<JoinHandle<String>>| thread.unwrap().join().unwrap();
        Done {
            code: status.code(),
            signal: status.signal(),
            stdout: join(self.stdout.take()),
            stderr: join(self.stderr.take()),
            took: self.started.elapsed(),
            what,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by now, unless the test failed first.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process. One that has ended does not mind.
pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process has a positive number");
    let _ = kill_process(pid, signal);
}

/// How a run ended.
#[derive(Clone, Debug)]
#[must_use = "either look at what it printed or say how it ended"]
pub struct Done {
    /// Absent when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All of it.
    pub stdout: String,
    /// All of it.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
    what: String,
}

impl Done {
    /// The same, if it ended well.
    pub fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// The same, if it ended with this exit code.
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// The last line of stdout.
    pub fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    /// stdout as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON ({e}): {self}"))
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, stdout, stderr, what, took } = self;
        write!(
            f,
            "{what} ended with {code:?} (signal {signal:?}) after {took:?}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        )
    }
}
