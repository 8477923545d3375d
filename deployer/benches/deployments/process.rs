//! One run of a program, with the most memory that it held.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{pause, target_folder};

/// No run takes longer, unless it hangs. A cold build of the function is part of one of them.
const LONGEST: Duration = Duration::from_mins(10);

/// Often enough to see the last of a process that lives for some tenths of a second.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// A run while it is being described. Nothing of this process's environment reaches it.
#[derive(Debug)]
#[must_use = "nothing runs before `run`"]
pub(crate) struct Process(Command);

impl Process {
    /// With `home` as its home, its temporary folder and its current folder.
    pub(crate) fn new(program: &Path, home: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", support::deployer::path())
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("CI", "true")
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(command)
    }

    /// With what Cargo needs to build a function, as the tests have it.
    pub(crate) fn building(mut self) -> Self {
        let home = PathBuf::from(variable("HOME").unwrap_or_default());
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            self.0.env(name, variable(name).unwrap_or_else(|| home.join(folder).into()));
        }
        let kept = target_folder().join("tmp/home");
        std::fs::create_dir_all(&kept).unwrap();
        self.0.env("HOME", kept);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end, which has to be a good one: the most memory that it held, in kB.
    pub(crate) fn run(self) -> Option<u64> {
        self.try_run(LONGEST).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same; what went wrong, as text.
    pub(crate) fn try_run(mut self, within: Duration) -> Result<Option<u64>, String> {
        let what = format!("{:?}", self.0.get_args().collect::<Vec<_>>());
        let mut child = self.0.spawn().map_err(|e| format!("{what} does not start: {e}"))?;
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let mut pipe = child.stderr.take().expect("it is piped");
        let (most, over, late) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
        let started = Instant::now();
        let (text, ended) = std::thread::scope(|scope| {
            let text = scope.spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            });
            // Waiting is this thread's, without a pause: the time that it takes is what is measured.
            let pid = child.id();
            let (most, over, late) = (&most, &over, &late);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    most.fetch_max(high_water_mark(&status).unwrap_or_default(), Ordering::Relaxed);
                    if started.elapsed() > within && !late.swap(true, Ordering::Relaxed) {
                        support::deployer::send(pid, rustix::process::Signal::KILL);
                    }
                    pause(LOOK_EVERY);
                }
            });
            let ended = child.wait();
            over.store(true, Ordering::Relaxed);
            (text.join().unwrap(), ended)
        });
        let ended = ended.map_err(|e| format!("{what}: {e}"))?;
        if late.into_inner() {
            return Err(format!("{what} takes more than {within:?}\n{text}"));
        }
        if !ended.success() {
            return Err(format!("{what}: {ended}\n{text}"));
        }
        Ok(Some(most.into_inner()).filter(|most| *most > 0))
    }
}

/// The most that a process has held so far, in kB, where the system tells it.
fn high_water_mark(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    #[expect(clippy::disallowed_methods, reason = "Cargo's own folders are the environment's to say")]
    std::env::var_os(name)
}
