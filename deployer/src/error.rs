//! The one error type: what failed, why, and what to do next.
//!
//! A message is a lowercase fragment that follows "error: ". Hints are sentences. The kind decides the exit code, in
//! one place.

mod advice;
mod aws;
mod command;
mod exit_status;
mod hint;

pub(crate) use aws::{AwsError, Transport, Unreadable, request_id, root_causes};
pub(crate) use command::{Command, CommandLine, Flag, Verb};
pub(crate) use exit_status::ExitStatus;
pub(crate) use hint::Hint;

use std::fmt;

/// The result of every fallible function of this program.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Something went wrong and nothing was changed by it, or everything else went through.
    Failed,
    /// The command line or the manifest is wrong.
    Usage,
    /// Some changes were made and some were not: running the command again goes on from there.
    Partial,
    /// The answer to a prompt was no.
    Declined,
}

impl ErrorKind {
    /// Returns the exit status.
    #[must_use]
    pub(crate) fn exit_status(self) -> ExitStatus {
        match self {
            Self::Failed | Self::Declined => ExitStatus::Failed,
            Self::Usage => ExitStatus::Usage,
            Self::Partial => ExitStatus::Partial,
        }
    }
}

/// A failure, written for the person who reads it.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: Message,
    aws: Option<Box<AwsError>>,
    hints: Vec<Hint>,
}

/// Why something failed: a text that is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message(String);

impl Message {
    /// An empty reason is a fault of this program, and the message says so.
    fn new(text: String) -> Self {
        if text.trim().is_empty() {
            Self("it failed without a reason, which is a fault of deployer's: please report it".to_owned())
        } else {
            Self(text)
        }
    }
}

impl Error {
    /// Creates a failure that changed nothing.
    #[must_use]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Failed, message)
    }

    /// Creates a failure for bad input: a flag, an argument, the manifest.
    #[must_use]
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Usage, message)
    }

    /// Creates a failure of this kind.
    #[must_use]
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = Message::new(message.into());
        Self { kind, message, aws: None, hints: Vec::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prefixes the message. AWS's answer stays attached.
    #[must_use]
    pub(crate) fn context(mut self, what: &str) -> Self {
        self.message.0 = format!("{what}: {}", self.message.0);
        self
    }

    /// Appends the cause to the message.
    #[must_use]
    pub(crate) fn because(mut self, cause: &str) -> Self {
        self.message.0 = format!("{}: {cause}", self.message.0);
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns AWS's answer, if AWS refused.
    #[must_use]
    pub(crate) fn aws(&self) -> Option<&AwsError> {
        self.aws.as_deref()
    }

    /// Returns the hints, in order.
    #[must_use]
    pub(crate) fn hints(&self) -> Vec<Hint> {
        self.hints.iter().cloned().chain(self.aws().and_then(advice::about)).collect()
    }

    /// Whether AWS refused with this code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.aws().is_some_and(|aws| aws.code == code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.0)
    }
}

impl std::error::Error for Error {}

impl From<loadgen::Error> for Error {
    fn from(error: loadgen::Error) -> Self {
        let message = error.to_string();
        match error {
            loadgen::Error::Invalid(_) => Self::usage(message),
            loadgen::Error::TooFewDescriptors { needed, .. } => Self::usage(message).hint(format!(
                "Raise the limit with `ulimit -n {needed}`, or ask for less with --concurrency."
            )),
            _ => Self::new(message),
        }
    }
}

impl From<AwsError> for Error {
    fn from(aws: AwsError) -> Self {
        Self {
            kind: ErrorKind::Failed,
            message: Message::new(aws.to_string()),
            aws: Some(Box::new(aws)),
            hints: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
