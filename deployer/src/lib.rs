//! Ships a Rust serverless API to AWS by direct SDK calls, without a state file.
//!
//! `ARCHITECTURE.md` has the layers and the purpose of each module. `stack` is where to start: what there is, what needs what,
//! and in which order it is deleted.

// A command is one future, and what it awaits lies deep in it.
#![recursion_limit = "256"]

mod app;
mod aws;
pub mod cli;
mod commands;
mod config;
mod engine;
mod error;
mod files;
mod http;
mod invocation;
mod lab;
mod loadtest;
mod local_aws;
mod logs;
mod machine;
mod manifest;
mod names;
mod nesting;
mod output;
mod packaging;
mod pricing;
mod printable;
mod proof;
mod resources;
mod shell;
mod smoke;
mod stack;
#[cfg(test)]
mod testing;
mod time;
mod tuning;

use app::session::Session;
use cli::{Cli, Command, Output};
use config::Config;
use error::{Error, ExitStatus};
use output::console::{Console, show_error};
use output::json::Document;
use std::pin::Pin;
use time::Stop;

/// Shows the help that was asked for, or why a command line cannot be read, and gives the process's exit code. What is wrong
/// is quoted, and may come from anywhere, so that it is shown without clap's colours.
#[must_use]
pub fn show_usage(error: &clap::Error) -> u8 {
    if error.use_stderr() {
        output::text::talk(error.render().to_string().trim_end());
    } else {
        // Nobody can be told when that fails.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Runs one command line and gives the process's exit code.
pub async fn run(cli: Cli) -> u8 {
    output::text::set_colours(cli.global.color);
    let command_line = cli.command_line();
    // They are for whoever has no manifest yet, or a wrong one.
    let reads_manifest = !matches!(cli.command, Command::Init | Command::Schema);
    let config = match Config::load(&cli.global, cli.command.builds_release(), reads_manifest) {
        Ok(config) => config,
        Err(error) => {
            if cli.global.output == Output::Json {
                // The exit code says that it failed, whether or not this gets through.
                let _ = Document::new(name(&cli.command)).failed(&error, &command_line).print();
            }
            show_error(&error, &command_line);
            return error.kind().exit_status().code();
        }
    };
    output::trace::start(config.verbosity);
    // What happens on this machine only has no document.
    let output = match cli.command {
        Command::Init | Command::Schema | Command::Local(_) => Output::Human,
        _ => config.output,
    };
    let console = Console::new(output, &config.machine, config.verbosity, config.yes, command_line);
    let stop = Stop::default();
    let mut document = Document::new(name(&cli.command));
    let session = Session { config: &config, console: &console, stop: &stop };
    let work = dispatch(&cli.command, &session, &mut document);
    let result = stop.on_interrupt(work, |words| output::text::talk(words)).await;
    console.document(&match &result {
        Ok(_) => document,
        Err(error) => document.failed(error, console.command_line()),
    });
    let mut status = result.unwrap_or_else(|error| {
        console.error(&error);
        error.kind().exit_status()
    });
    if let Err(error) = console.written() {
        console.error(&error);
        if status == ExitStatus::Success {
            status = error.kind().exit_status();
        }
    }
    status.code()
}

/// Futures of whole commands are large, and so on the heap: a thread may have little stack.
async fn dispatch(
    command: &Command,
    session: &Session<'_>,
    document: &mut Document,
) -> Result<ExitStatus, Error> {
    match command {
        Command::Init => commands::init::run(session),
        Command::Schema => Ok(commands::schema::run(session)),
        Command::Up(args) => on_heap(|| commands::up::run(session, args, document)).await,
        Command::Plan(args) => on_heap(|| commands::plan::run(session, args, document)).await,
        Command::Status(args) => on_heap(|| commands::status::run(session, args, document)).await,
        Command::Down(args) => on_heap(|| commands::down::run(session, args, document)).await,
        Command::Invoke(args) => on_heap(|| commands::invoke::run(session, args, document)).await,
        Command::Logs(args) => on_heap(|| commands::logs::run(session, args, document)).await,
        Command::Tune(args) => on_heap(|| commands::tune::run(session, args, document)).await,
        Command::Cost(args) => commands::cost::run(session, args, document),
        Command::Load(args) => on_heap(|| commands::load::run(session, args, document)).await,
        Command::Local(verb) => on_heap(|| commands::local::run(session, *verb)).await,
    }
}

/// Makes a future on the heap. That of a whole command is so large that several of them, one beside the other in one
/// function, would overflow the stack of a thread.
fn on_heap<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Init => "init",
        Command::Schema => "schema",
        Command::Up(_) => "up",
        Command::Plan(_) => "plan",
        Command::Status(_) => "status",
        Command::Down(_) => "down",
        Command::Invoke(_) => "invoke",
        Command::Logs(_) => "logs",
        Command::Tune(_) => "tune",
        Command::Cost(_) => "cost",
        Command::Load(_) => "load",
        Command::Local(_) => "local",
    }
}
