//! The command line: clap types only. Doc comments are the help text.

mod command_line;
mod cost;
mod load;
mod log_filter;
mod trimmed;
mod tune;

pub use crate::machine::Colour;
pub use crate::manifest::Architecture;
pub use cost::Cost;
pub use load::{Load, Traffic};
pub use tune::Tune;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Deploy a small serverless API to AWS, from a manifest to a URL that answers, and remove it again.
///
/// Without a manifest it deploys the built-in lab: a DynamoDB table behind a Lambda function behind a REST API.
/// There is no state file: each run reads AWS, and tags say what belongs to the stack.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

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

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a manifest that declares the lab and shows every other key as an example
    ///
    /// It needs no AWS and never overwrites a file.
    #[command(after_long_help = "Examples:\n  deployer init\n  deployer init --manifest shop.toml")]
    Init,
    /// Create or update the stack, check that it answers, and print its URL
    ///
    /// It shows the plan first, and asks before it deletes or replaces anything, lets in callers that were kept out, or loses
    /// backups or logs. If it stops half-way, run it again.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer up\n\
            \x20 deployer up --local\n\
            \x20 deployer up --env alice --yes")]
    Up(Up),
    /// Show what `up` would change; only reads
    ///
    /// It builds the packages to compare the code. The signs are + create, ~ change, ± replace, - delete, and ! for what
    /// cannot be changed.
    #[command(after_long_help = "Examples:\n  deployer plan\n  deployer plan --exit-code --output json")]
    Plan(Plan),
    /// Show the condition of each resource, whether the URL answers, and the URL; only reads
    ///
    /// It does not compare the function's code. `plan` does.
    #[command(after_long_help = "Examples:\n  deployer status\n  deployer status --local --url")]
    Status(Status),
    /// Remove the stack, and check that nothing is left
    ///
    /// A table with items is deleted only after its name was typed, or with --delete-data. What others use stops the command
    /// before the first deletion.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer down\n\
            \x20 deployer down --local --yes --delete-data\n\
            \x20 deployer down --keep-table")]
    Down(Down),
    /// Send one event to a function, and show its answer
    ///
    /// The answer goes to stdout byte for byte, or indented on a terminal. The log and Lambda's report go to stderr. If the
    /// function fails, its answer is still on stdout, and the exit code is 1.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer invoke ping\n\
            \x20 deployer invoke echo '{\"somekey1\":\"somevalue1\"}'\n\
            \x20 deployer invoke event.json --via api --route /items")]
    Invoke(Invoke),
    /// Show a function's log, with the duration and billing of its requests
    ///
    /// On a terminal, times are in UTC, and Lambda's reports are put into words. Elsewhere each message is printed as it was
    /// written.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer logs --since 1h --filter ERROR\n\
            \x20 deployer logs --follow")]
    Logs(Logs),
    /// Estimate what the stack costs a month, and per million requests; needs no AWS
    ///
    /// Retention of logs, billing of tables and the way to the function come from the manifest. The prices are list prices with
    /// their dates.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer cost --region us-east-1 --requests 1M --duration-ms 5")]
    Cost(Cost),
    /// Send requests to the stack's own URL at a fixed rate, and measure the answers
    ///
    /// Requests follow a fixed schedule and never wait for earlier answers. Latency counts from the scheduled time. The command
    /// says what the load costs before it starts, and asks from one dollar on.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer load --rate 50 --duration 1m --cleanup\n\
            \x20 deployer load --compare before.json --json now.json\n\
            \x20 deployer load --compare before.json --with now.json")]
    Load(Load),
    /// Measure a function at several memory settings under load, and recommend one
    ///
    /// The declared setting is restored at the end, also after an error or Ctrl-C.
    #[command(after_long_help = "Examples:\n\
            \x20 deployer tune --cleanup\n\
            \x20 deployer tune --memory 128,256,512 --duration 1m --html tune.html")]
    Tune(Tune),
    /// Start, stop and inspect the local AWS
    ///
    /// --local on any other command starts it, too.
    #[command(subcommand)]
    Local(Local),
}

impl Command {
    /// Whether packages are to be built as for AWS even where the target is the local AWS.
    pub(crate) fn builds_release(&self) -> bool {
        match self {
            Self::Up(up) => up.building.release,
            Self::Plan(plan) => plan.building.release,
            Self::Tune(tune) => tune.building.release,
            _ => false,
        }
    }
}

/// How packages are built.
#[derive(Debug, Args)]
pub struct Building {
    /// With --local, build packages as for AWS: optimised, with cargo-lambda
    #[arg(long)]
    pub release: bool,
}

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// How packages are built.
    #[command(flatten)]
    pub building: Building,
    /// What to take over.
    #[command(flatten)]
    pub adopt: Adopt,
    /// Delete tables that are no longer declared, with their items
    #[arg(long)]
    pub delete_data: bool,
}

/// Flags of `up` and `plan`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// Take over resources that have the stack's names and carry no ownership tags
    #[arg(long)]
    pub adopt: bool,
    /// The API to take over, if several have the declared name
    #[arg(long, value_name = "ID")]
    pub adopt_api: Option<String>,
}

impl Adopt {
    /// Whether anything is to be taken over.
    #[must_use]
    pub fn any(&self) -> bool {
        self.adopt || self.adopt_api.is_some()
    }
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// How packages are built.
    #[command(flatten)]
    pub building: Building,
    /// What to take over.
    #[command(flatten)]
    pub adopt: Adopt,
    /// Also show what `up --delete-data` would delete
    #[arg(long)]
    pub delete_data: bool,
    /// Exit with 4 if there is something to change
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print the invoke URL and nothing else
    #[arg(long)]
    pub url: bool,
    /// Exit with 4 if AWS differs from the manifest, or the URL does not answer
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of `down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Delete tables even if they hold items
    #[arg(long, conflicts_with = "keep_table")]
    pub delete_data: bool,
    /// Keep the tables, with their items
    #[arg(long)]
    pub keep_table: bool,
}

/// Flags of `invoke`.
#[derive(Debug, Args)]
pub struct Invoke {
    /// An operation like ping, JSON, the path of a file, or - for stdin
    pub event: String,
    /// The payload of an operation, as JSON
    #[arg(allow_negative_numbers = true)]
    pub payload: Option<String>,
    /// The function, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// How the event gets to the function
    #[arg(long, value_enum, default_value_t = Via::Lambda)]
    pub via: Via,
    /// With --via api, the path, like /items/7 [default: the function's first route without parameters]
    #[arg(long, value_name = "PATH")]
    pub route: Option<String>,
}

/// Flags of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// How far back, like 90s, 10m, 2h or 7d
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = ago)]
    pub since: Duration,
    /// Continue until Ctrl-C, which exits with 0
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Only messages that match a filter pattern of CloudWatch Logs, like '?ERROR ?WARN'
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true, value_parser = log_filter::pattern)]
    pub filter: Option<String>,
    /// Only messages that were written during one request, whether or not they name it
    #[arg(long, value_name = "ID", conflicts_with_all = ["follow", "filter"], value_parser = log_filter::request_id)]
    pub request_id: Option<String>,
    /// The function, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

/// How an event gets to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Lambda's own Invoke, which also shows the log.
    Lambda,
    /// A request to the stack's URL.
    Api,
}

/// What to do with the local AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Local {
    /// Start it, unless it runs
    Start,
    /// Stop it; it keeps what it holds for the next start
    Stop,
    /// Show whether it runs, where, and how other programs use it
    Status,
    /// Print its log
    Logs,
    /// Delete everything it holds
    Reset,
}

const DAY: u64 = 86_400;

fn duration(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if (1..=DAY).contains(&time.as_secs()) => Ok(time),
        _ => Err(format!("{text} is not between 1s and 24h")),
    }
}

/// As long as CloudWatch Logs keeps anything.
fn ago(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if (1..=3653 * DAY).contains(&time.as_secs()) => Ok(time),
        _ => Err(format!("{text} is not between 1s and 3653d")),
    }
}

/// A time like `90s` or `1h30m`; a number alone is seconds.
fn time(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|_| format!("{text} is not a time; try 90s, 10m or 1h30m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2h", 7200)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(ago("7d"), Ok(Duration::from_secs(7 * DAY)));
        for text in ["", "soon", "-1s", "1.5.2h", "10 apples"] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("is not a time; try 90s, 10m or 1h30m"), "{error}");
        }
        for text in ["0", "10ms", "25h", "5M", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
