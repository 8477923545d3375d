//! The channels of a command: data on stdout, messages on stderr, prompts.

use super::columns;
use super::human::Tree;
use super::json::Document;
use super::log_line::{moment, readable};
use super::palette::{BAD, FAINT, HINT, WARNING};
use super::plain::Plain;
use super::pretty::pretty;
use super::sign::{Sign, summary};
use super::text::{ask, data, data_line, stderr_has_colours, talk};
use crate::cli::Output;
use crate::config::Verbosity;
use crate::engine::{Change, Event, Outcome, Record, Reporter};
use crate::error::{CommandLine, Error, ErrorKind, Hint, Result};
use crate::machine::Machine;
use crate::printable::{Printable, one_line};
use crate::time::{self, Stop};
use std::cell::OnceCell;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::ops::ControlFlow;

/// Where a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// stdout, for people and programs.
    Data,
    /// stderr, for people.
    Talk,
}

/// Both channels and their style.
pub(crate) struct Console {
    output: Output,
    asks: bool,
    yes: bool,
    /// The command line of this run, for commands in hints.
    command_line: CommandLine,
    reporter: Box<dyn Reporter>,
    /// The error of stdout, if a write failed.
    unwritten: OnceCell<io::Error>,
}

impl Console {
    pub(crate) fn new(
        output: Output,
        machine: &Machine,
        verbosity: Verbosity,
        yes: bool,
        command_line: CommandLine,
    ) -> Self {
        let reporter: Box<dyn Reporter> = match verbosity {
            Verbosity::Quiet => Box::new(Quiet),
            // Other lines follow, so nothing may be redrawn above them.
            Verbosity::Calls | Verbosity::Sdk => Box::new(Plain::default()),
            Verbosity::Normal if machine.draws => Box::new(Tree::new(stderr_has_colours())),
            Verbosity::Normal => Box::new(Plain::default()),
        };
        Self { output, asks: machine.asks, yes, command_line, reporter, unwritten: OnceCell::new() }
    }

    /// Returns the command line of this run.
    pub(crate) fn command_line(&self) -> &CommandLine {
        &self.command_line
    }

    /// Renders a hint with this run's flags.
    pub(crate) fn sentence(&self, hint: &Hint) -> String {
        self.command_line.sentence(hint)
    }

    /// Writes a hint to stderr.
    pub(crate) fn advise(&self, hint: impl Into<Hint>) {
        self.talk(&self.sentence(&hint.into()));
    }

    /// Checks that stdout took everything.
    ///
    /// # Errors
    /// Fails when a write failed, as on a full disk. A reader that went away is no failure.
    pub(crate) fn written(&self) -> Result<()> {
        let failed = |error| Err(Error::new(format!("cannot write to stdout: {error}")));
        self.unwritten.get().map_or(Ok(()), failed)
    }

    /// Breaks when nothing more can be written. A reader that has gone away is no error: `deployer plan | head` is
    /// fine. Other errors are reported once, at the end.
    fn note(&self, written: io::Result<()>) -> ControlFlow<()> {
        let Err(error) = written else { return ControlFlow::Continue(()) };
        if error.kind() != io::ErrorKind::BrokenPipe {
            let _ = self.unwritten.set(error);
        }
        ControlFlow::Break(())
    }

    /// Writes a line for people to stdout, and stops redrawing above it.
    fn line(&self, line: &Printable) -> ControlFlow<()> {
        self.reporter.rest();
        self.note(data_line(line))
    }

    /// Writes bytes to stdout unchanged.
    fn bytes(&self, bytes: &[u8]) -> ControlFlow<()> {
        self.reporter.rest();
        self.note(data(bytes))
    }

    /// Writes a line of data for people to stdout, unless stdout is one JSON document.
    pub(crate) fn data(&self, line: impl Into<Printable>) {
        if self.output == Output::Human {
            let _ = self.line(&line.into());
        }
    }

    /// Writes a function's answer to stdout: indented on a terminal, byte for byte elsewhere.
    pub(crate) fn answer(&self, answer: &[u8]) {
        if self.output != Output::Human {
            return;
        }
        let _ = if on_terminal() {
            self.line(&pretty(&String::from_utf8_lossy(answer)))
        } else {
            self.bytes(answer)
        };
    }

    /// Writes a message of a function's log to stdout: in words on a terminal, unchanged elsewhere. It breaks when
    /// nothing more can be written.
    pub(crate) fn log(&self, time_ms: i64, message: &str) -> ControlFlow<()> {
        if self.output != Output::Human {
            return ControlFlow::Continue(());
        }
        if !on_terminal() {
            let message = message.strip_suffix('\n').unwrap_or(message);
            return self.bytes(format!("{message}\n").as_bytes());
        }
        match readable(message) {
            Some(line) => self.line(&Printable::spaced([Printable::painted(&moment(time_ms), FAINT), line])),
            None => ControlFlow::Continue(()),
        }
    }

    /// Writes a message of a function's log to stderr, for people.
    pub(crate) fn talk_of_log(&self, message: &str) {
        if let Some(line) = readable(message) {
            self.talk(line);
        }
    }

    /// Writes a line to stderr.
    pub(crate) fn talk(&self, line: impl Into<Printable>) {
        self.reporter.rest();
        talk(line);
    }

    /// Writes the JSON document of a command, if it was asked for.
    pub(crate) fn document(&self, document: &Document) {
        if self.output == Output::Json {
            let _ = self.note(document.print());
        }
    }

    /// Shows why a command failed.
    pub(crate) fn error(&self, error: &Error) {
        self.reporter.rest();
        show_error(error, &self.command_line);
    }

    /// Asks before something is lost.
    ///
    /// # Errors
    /// Fails when the answer is no, after Ctrl-C, and without a terminal.
    pub(crate) async fn confirm(&self, question: &str, stop: &Stop) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !self.asks {
            return Err(Error::new(format!("{question} Nobody is there to answer"))
                .hint("Add --yes to go ahead without being asked."));
        }
        match self.ask(&format!("{question} [y/N] "), stop).await?.to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(declined()),
        }
    }

    /// Asks for a name to be typed before data is lost. `--yes` alone does not answer this.
    ///
    /// # Errors
    /// Fails for any other answer, and after Ctrl-C.
    pub(crate) async fn confirm_by_name(&self, question: &str, name: &str, stop: &Stop) -> Result<()> {
        let answer = self.ask(&format!("{question} Type {name} to delete it: "), stop).await?;
        if answer == name { Ok(()) } else { Err(declined()) }
    }

    /// Reads a line from the terminal on a thread of its own, so that Ctrl-C works meanwhile. The thread ends with the
    /// process.
    async fn ask(&self, question: &str, stop: &Stop) -> Result<String> {
        self.reporter.rest();
        ask(question);
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut answer = String::new();
            let _ = io::stdin().lock().read_line(&mut answer);
            let _ = tell.send(answer);
        });
        match time::unless_stopped(stop, told).await {
            Ok(answer) => Ok(answer.unwrap_or_default().trim().to_owned()),
            Err(_) => Err(declined()),
        }
    }

    /// Whether there is a terminal to ask on.
    pub(crate) fn can_ask(&self) -> bool {
        self.asks
    }

    /// Shows the changes of a plan, one block for each resource, and a summary.
    pub(crate) fn plan(&self, records: &[Record], stream: Stream) {
        let say = |line: Printable| match stream {
            Stream::Data => self.data(line),
            Stream::Talk => self.talk(line),
        };
        let mut changed: Vec<&Record> = records.iter().filter(|record| !record.changes.is_empty()).collect();
        changed.sort_by(|a, b| a.id.cmp(&b.id));
        for record in &changed {
            let sign = Sign::of(record);
            let mut head = Printable::painted(sign.text(), sign.style()).with(&format!(" {}", record.id));
            for one in &record.changes {
                let meaning = one.means(record.id.kind).map(|m| format!(" ({m})")).unwrap_or_default();
                match one {
                    Change::Create | Change::Delete => head.push(&meaning),
                    other => head.push(&format!("\n    {other}{meaning}")),
                }
            }
            say(head);
        }
        for record in records {
            if let Ok(Outcome::Kept { why }) = &record.result {
                say((&format!("  {} stays: {}", record.id, one_line(why))).into());
            }
        }
        say((&summary(records)).into());
    }

    /// Shows the condition of each resource as a table.
    pub(crate) fn conditions(&self, records: &[Record]) {
        let mut all: Vec<&Record> = records.iter().filter(|r| r.is_of_the_stack()).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let names: Vec<String> = all.iter().map(|record| one_line(&record.id.name)).collect();
        let width = names.iter().map(|name| columns::width(name)).max().unwrap_or_default();
        for (record, name) in all.into_iter().zip(names) {
            let condition = match &record.found {
                None => Printable::painted("absent", BAD),
                Some(found) => Printable::from(&match found.owner.objection() {
                    Some(why) => format!("not of this stack: it {}", one_line(why)),
                    None => one_line(&found.state),
                }),
            };
            let kind = record.id.kind.to_string();
            self.data(
                Printable::from(&format!("{kind:<11} {}  ", columns::padded(&name, width))).with(condition),
            );
            if record.found.is_some() {
                let indented = Printable::from(&format!("{:<11} ", ""));
                for one in &record.changes {
                    self.data(indented.clone().with(Printable::painted(&one.to_string(), WARNING)));
                }
                if let Ok(Outcome::Kept { why }) = &record.result {
                    self.data(indented.with(&format!("stays: {}", one_line(why))));
                }
            }
        }
    }
}

/// A reporter that shows no progress.
struct Quiet;

impl Reporter for Quiet {
    fn event(&self, _event: Event) {}
}

impl Reporter for Console {
    fn event(&self, event: Event) {
        self.reporter.event(event);
    }
}

/// Shows an error: what failed, then the hints.
pub(crate) fn show_error(error: &Error, command_line: &CommandLine) {
    if error.kind() == ErrorKind::Declined {
        talk(&error.to_string());
        return;
    }
    talk(Printable::painted("error:", BAD).with(&format!(" {error}")));
    let hints = command_line.hints(error);
    if !hints.is_empty() {
        talk("");
    }
    for hint in hints {
        talk(Printable::painted("hint:", HINT).with(&format!(" {hint}")));
    }
}

/// Whether stdout is a terminal.
fn on_terminal() -> bool {
    io::stdout().is_terminal()
}

fn declined() -> Error {
    Error::of(ErrorKind::Declined, "Nothing was changed.")
}
