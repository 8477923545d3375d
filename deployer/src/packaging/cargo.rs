//! Runs Cargo in a project's folder, and reads what it says.

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::nesting;
use serde::Deserialize;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;

/// Cargo fits its progress into one line of this many columns.
const PROGRESS_WIDTH: &str = "120";

/// How many lines of what Cargo says are kept for an error. The last ones say why it failed.
const KEPT_LINES: usize = 2_000;

/// Cargo, as a project's folder has it.
#[derive(Clone, Debug)]
pub(super) struct Cargo {
    pub(super) machine: Machine,
    /// Where it runs.
    pub(super) root: PathBuf,
}

/// An executable that Cargo has built or found to be up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Executable {
    /// Cargo's id of the package.
    pub(super) package_id: String,
    /// The binary's name.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl Cargo {
    /// A program that runs in the project's folder, so that the project's toolchain file and Cargo configuration apply.
    /// It ends with this process.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.machine.find(program).unwrap_or_else(|| program.into()));
        command
            .current_dir(&self.root)
            .env("PATH", &self.machine.path)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// What a program prints on stdout.
    ///
    /// # Errors
    /// It failed: `what`, and what it said.
    pub(super) async fn output(&self, program: &str, arguments: &[&str], what: &str) -> Result<String> {
        let output =
            self.command(program).args(arguments).output().await.map_err(|e| not_started(what, &e))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(what, output.status, String::from_utf8_lossy(&output.stderr).trim_end()))
    }

    /// The target that the project's Cargo configuration builds for, if it names one: `CARGO_BUILD_TARGET`, or `build.target`
    /// in a `.cargo/config.toml` of this folder, one above it, or Cargo's home.
    pub(super) fn configured_target(&self) -> Option<String> {
        let of_environment = self.machine.cargo.build_target.clone();
        let folders =
            self.root.ancestors().map(|folder| folder.join(".cargo")).chain(self.machine.cargo.home.clone());
        of_environment.or_else(|| {
            let mut files = folders.flat_map(|folder| [folder.join("config.toml"), folder.join("config")]);
            files.find_map(|file| {
                let text = std::fs::read_to_string(file).ok()?;
                let configuration = nesting::table(&text)?;
                Some(configuration.get("build")?.get("target")?.as_str()?.to_owned())
            })
        })
    }

    /// Runs a build and returns the executables that Cargo names. `progress` gets a line whenever Cargo says how far it is.
    ///
    /// # Errors
    /// The build failed: `what`, and what the compiler said.
    pub(super) async fn build(
        command: &mut Command,
        what: &str,
        progress: impl Fn(String),
    ) -> Result<Vec<Executable>> {
        command
            .args(["--message-format", "json-render-diagnostics", "--color", "never"])
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", PROGRESS_WIDTH)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| not_started(what, &e))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let executables = async {
            let mut executables = Vec::new();
            each_line(stdout, |line| executables.extend(executable(line))).await;
            executables
        };
        let said = async {
            let mut said = VecDeque::new();
            each_line(stderr, |line| match progress_of(line) {
                Some(step) => progress(step),
                None => {
                    said.push_back(line.to_owned());
                    if said.len() > KEPT_LINES {
                        said.pop_front();
                    }
                }
            })
            .await;
            said
        };
        let (executables, said) = tokio::join!(executables, said);
        let status = child.wait().await.map_err(|e| not_started(what, &e))?;
        if status.success() {
            return Ok(executables);
        }
        let said: Vec<String> = said.into_iter().filter(|line| !line.trim().is_empty()).collect();
        let error = failed(what, status, &said.join("\n"));
        if said.iter().any(|line| line.contains("path segment contains separator")) {
            return Err(error.hint("Cargo cannot build in a folder with a colon in its path: move the project, or set CARGO_TARGET_DIR to a folder without one."));
        }
        Err(error)
    }
}

/// Calls `take` with each line, as it comes. A carriage return ends a line too: Cargo draws its progress with it.
async fn each_line(pipe: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&str)) {
    let Some(pipe) = pipe else { return };
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match pipe.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                for part in String::from_utf8_lossy(&line).split(['\r', '\n']) {
                    if !part.is_empty() {
                        take(part);
                    }
                }
            }
        }
    }
}

/// One line of `--message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    package_id: Option<String>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The executable that a message names, if it is that of a binary.
fn executable(line: &str) -> Option<Executable> {
    let message: Message = serde_json::from_str(line).ok()?;
    let target = message.target.filter(|target| target.kind.iter().any(|kind| kind == "bin"))?;
    Some(Executable { package_id: message.package_id?, name: target.name, path: message.executable? })
}

/// How far Cargo is, of a line like `Building [==>   ] 12/80: serde, tokio`, or what it waits for.
fn progress_of(line: &str) -> Option<String> {
    if line.trim_start().starts_with("Blocking waiting for file lock") {
        return Some("waiting for another Cargo, which holds the project's target folder".to_owned());
    }
    let (_, counted) = line.trim_start().strip_prefix("Building [")?.split_once(']')?;
    let (done, all) = counted.split(':').next()?.trim().split_once('/')?;
    let (done, all): (u32, u32) = (done.parse().ok()?, all.parse().ok()?);
    Some(format!("compiling, {done} of {all} crates"))
}

fn not_started(what: &str, error: &std::io::Error) -> Error {
    Error::new(format!("{what} failed to start: {error}"))
}

fn failed(what: &str, status: ExitStatus, said: &str) -> Error {
    Error::new(format!("{what} failed ({status})\n{said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_far_cargo_is() {
        let line = "    Building [====>          ] 12/80: serde, tokio(build.rs)";
        assert_eq!(progress_of(line).as_deref(), Some("compiling, 12 of 80 crates"));
        let blocked = "    Blocking waiting for file lock on build directory";
        assert!(progress_of(blocked).unwrap().starts_with("waiting for another Cargo"));
        for other in ["   Compiling serde v1.0.0", "    Building [=> ] x/y: a", "error: Building [ 1/2", ""] {
            assert_eq!(progress_of(other), None, "{other}");
        }
    }

    #[test]
    fn takes_executables_of_binaries_only() {
        let message = |kind: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///p#a@0.1.0","target":{{"kind":["{kind}"],"name":"my-bin"}},"executable":{executable}}}"#
            )
        };
        let found = executable(&message("bin", r#""/t/debug/my-bin""#));
        let expected = Executable {
            package_id: "path+file:///p#a@0.1.0".to_owned(),
            name: "my-bin".to_owned(),
            path: "/t/debug/my-bin".into(),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(executable(&message("lib", "null")), None);
        assert_eq!(executable(&message("custom-build", r#""/t/build""#)), None);
        assert_eq!(executable("not json"), None);
    }

    #[tokio::test]
    async fn splits_lines_at_carriage_returns_too() {
        let mut lines = Vec::new();
        each_line(Some(&b"one\r  two\rthree\nfour"[..]), |line| lines.push(line.to_owned())).await;
        assert_eq!(lines, ["one", "  two", "three", "four"]);
    }
}
