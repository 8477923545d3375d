//! The machine and its environment. The only reader of the environment.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

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

    /// The first program of this name in the project's virtual environment or on the path.
    #[must_use]
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        std::iter::once(self.tools.clone())
            .chain(std::env::split_paths(&self.path))
            .map(|folder| folder.join(program))
            .find(|file| file.is_file())
    }
}

/// A variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
