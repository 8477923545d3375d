//! What every command takes.

use super::duration::duration;
use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Global {
    /// The manifest; paths in it start at its folder [default: stack.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Use an independent copy of the stack, whose names and tag have the suffix -NAME
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// The AWS region [default: the manifest's, then the SDK's chain]
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// A profile of the shared AWS configuration
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// An endpoint to use instead of AWS's own, for all services
    #[arg(long, global = true, value_name = "URL", env = "AWS_ENDPOINT_URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,
    /// Use the local AWS, and start it if necessary
    #[arg(long, global = true)]
    pub local: bool,
    /// The port of the local AWS; 0 takes a free one [default: where it runs, otherwise 4566]
    #[arg(long, global = true, value_name = "PORT", env = "DEPLOYER_LOCAL_PORT", hide_env_values = true)]
    pub local_port: Option<u16>,
    /// Where the local AWS keeps its state [default: .deployer/local beside the manifest]
    #[arg(long, global = true, value_name = "FOLDER", env = "DEPLOYER_LOCAL_STATE", hide_env_values = true)]
    pub local_state: Option<PathBuf>,
    /// Send a session token unencrypted to an http:// endpoint on another machine
    #[arg(long, global = true)]
    pub allow_plain_http: bool,
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t = Output::Human)]
    pub output: Output,
    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Show each call to AWS on stderr; twice, also what the SDK says
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show no progress on stderr, only plans, questions, warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Answer every question with yes; never deletes a table's items by itself
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Time limit for each phase: reading, changing and the smoke test, like 90s or 10m
    #[arg(long, global = true, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub timeout: Duration,
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people.
    Human,
    /// One JSON document.
    Json,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    Auto,
    /// Also in files and pipes.
    Always,
    /// Never.
    Never,
}
