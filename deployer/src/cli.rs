//! The command line: clap types only. Doc comments are the help text.

mod command_line;
mod cost;
mod duration;
mod global;
mod invoke;
mod load;
mod local;
mod log_filter;
mod logs;
mod stack;
mod trimmed;
mod tune;

pub use crate::manifest::Architecture;
pub use cost::Cost;
pub use global::{Colour, Global, Output};
pub use invoke::{Invoke, Via};
pub use load::{Load, Traffic};
pub use local::Local;
pub use logs::Logs;
pub use stack::{Adopt, Building, Down, Plan, Status, Up};
pub use tune::Tune;

use clap::{Parser, Subcommand};

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
    /// Print the JSON Schema of the manifest, for editors and other tools
    ///
    /// It needs no AWS and no manifest. The schema is draft 7. A rule that compares two parts of a manifest, or depends on
    /// --env, stands in a description only.
    #[command(after_long_help = "Examples:\n  deployer schema > stack.schema.json")]
    Schema,
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
