//! What to do next.

use super::{Command, CommandLine, Verb};

/// A sentence for people, in which commands of this program are typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Run(Command),
    /// The command that is running.
    Again,
}

impl Hint {
    /// To run this command.
    pub(crate) fn run(command: impl Into<Command>) -> Self {
        Self::from("Run ").command(command).text(".")
    }

    /// To repeat the command that is running.
    pub(crate) fn run_again() -> Self {
        Self::from("Run ").this_command().text(" again: it goes on from here.")
    }

    /// The same, followed by a command.
    #[must_use]
    pub(crate) fn command(self, command: impl Into<Command>) -> Self {
        self.part(Part::Run(command.into()))
    }

    /// The same, followed by the command that is running.
    #[must_use]
    pub(crate) fn this_command(self) -> Self {
        self.part(Part::Again)
    }

    /// The same, followed by a text.
    #[must_use]
    pub(crate) fn text(self, text: impl Into<String>) -> Self {
        self.part(Part::Text(text.into()))
    }

    fn part(mut self, part: Part) -> Self {
        self.0.push(part);
        self
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        Self(vec![Part::Run(command)])
    }
}

impl From<Verb> for Hint {
    fn from(verb: Verb) -> Self {
        Command::from(verb).into()
    }
}

impl CommandLine {
    /// The sentence as people read it. Whoever copies a command from it means the same stack as this run.
    pub(crate) fn sentence(&self, hint: &Hint) -> String {
        let quoted = |line: String| format!("`{line}`");
        let words = hint.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Run(command) => quoted(self.complete(command)),
            Part::Again => self.repeated().map_or_else(|| "the same command".to_owned(), quoted),
        });
        words.collect()
    }

    /// What to do about an error, in order, each said once.
    pub(crate) fn hints(&self, error: &super::Error) -> Vec<String> {
        let mut hints = Vec::new();
        for hint in error.hints() {
            let hint = self.sentence(&hint);
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints
    }
}
