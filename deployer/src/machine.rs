//! The machine and its environment. The only reader of the environment.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use which::which_in;

/// What the environment says about this machine and this terminal.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Where the programs that we start find others: the project's virtual environment first.
    pub path: OsString,
    /// The project's virtual environment. It is not on `path` where its own path has a colon, which no PATH can hold.
    tools: PathBuf,
    /// What the environment says about builds.
    pub cargo: CargoVariables,
    /// For programs that we start with an otherwise empty environment.
    pub home: Option<OsString>,
    /// Draw a moving tree on stderr.
    pub draws: bool,
    /// Somebody can answer a question.
    pub asks: bool,
}

/// Variables of Cargo and cargo-lambda that decide how a package is built. Both read them themselves, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct CargoVariables {
    /// `CARGO_BUILD_TARGET`: the target instead of this machine's.
    pub build_target: Option<String>,
    /// `CARGO_LAMBDA_COMPILER`: the program that cargo-lambda compiles with.
    pub compiler: Option<String>,
    /// Cargo's home: `CARGO_HOME`, or `.cargo` in the home.
    pub home: Option<PathBuf>,
}

impl CargoVariables {
    fn look() -> Self {
        let text = |name| env(name).and_then(|value| value.into_string().ok());
        let home = env("CARGO_HOME").map(PathBuf::from);
        Self {
            build_target: text("CARGO_BUILD_TARGET"),
            compiler: text("CARGO_LAMBDA_COMPILER"),
            home: home.or_else(|| Some(PathBuf::from(env("HOME")?).join(".cargo"))),
        }
    }
}

impl Machine {
    pub(crate) fn look(root: &Path) -> Self {
        let tools = root.join(".venv/bin");
        let inherited = env("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(tools.clone()).chain(std::env::split_paths(&inherited)))
                .unwrap_or(inherited);
        let terminal = std::io::stderr().is_terminal();
        let ci = env("CI").is_some();
        let dumb = env("TERM").is_some_and(|term| term == "dumb");
        Self {
            path,
            tools,
            cargo: CargoVariables::look(),
            home: env("HOME"),
            draws: terminal && !ci && !dumb,
            asks: terminal && std::io::stdin().is_terminal() && !ci,
        }
    }

    /// The first program of this name that can be run, in the project's virtual environment or on the path; absolute.
    #[must_use]
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        // Folders of the path may be relative.
        let here = std::env::current_dir().unwrap_or_default();
        which_in(self.tools.join(program), None::<&OsStr>, &here)
            .or_else(|_| which_in(program, Some(&self.path), &here))
            .ok()
    }
}

/// A variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn finds_a_program_of_the_project_first_and_skips_what_cannot_be_run() {
        // No PATH can hold a folder with a colon.
        let project = tempfile::Builder::new().prefix("a:b").tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let tools = project.path().join(".venv/bin");
        fs::create_dir_all(&tools).unwrap();
        let machine = Machine { path: other.path().into(), ..Machine::look(project.path()) };
        let write = |file: &Path, mode: u32| {
            fs::write(file, "").unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        };
        let (ours, inherited) = (tools.join("tool"), other.path().join("tool"));
        assert_eq!(machine.find("tool"), None);
        write(&inherited, 0o644);
        assert_eq!(machine.find("tool"), None);
        write(&inherited, 0o755);
        assert_eq!(machine.find("tool").as_ref(), Some(&inherited));
        write(&ours, 0o644);
        assert_eq!(machine.find("tool"), Some(inherited));
        write(&ours, 0o755);
        assert_eq!(machine.find("tool"), Some(ours));
    }
}
