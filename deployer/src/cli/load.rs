//! The flags of `load`, and what `tune` shares with it.

use super::duration::duration;
use crate::lab::DEFAULT_SHARES;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// What requests are sent: flags of `load` and `tune`.
#[derive(Debug, Args)]
pub struct Traffic {
    /// Requests per second, 1 to 100,000
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// How long to measure, 1s to 24h
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub duration: Duration,
    /// How long to send the same load before measuring, 0s to 1h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = warmup)]
    pub warmup: Duration,
    /// Most requests in flight, 1 to 10,000; the others wait, which counts as latency
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = concurrency)]
    pub concurrency: usize,
    /// Shares of the lab's requests, or a file that describes requests of your own
    #[arg(long, value_name = "SHARES|FILE", default_value = DEFAULT_SHARES)]
    pub mix: String,
    /// The path to send to, if several are declared [default: the one that `up` tests]
    #[arg(long, value_name = "PATH")]
    pub route: Option<String>,
    /// The function to send to, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Delete what the requests have created, also after Ctrl-C
    #[arg(long)]
    pub cleanup: bool,
}

/// Flags of `load`.
#[derive(Debug, Args)]
pub struct Load {
    /// What requests are sent.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Write the result as JSON to a file, for a later --compare; never over a file that is read
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the result as an HTML page with charts, in one file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Compare with an earlier result; repeat it for several; exit with 4 if this run is clearly worse
    #[arg(long, value_name = "FILE")]
    pub compare: Vec<PathBuf>,
    /// How much worse is too much, in percent, 0.1 to 1000
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = threshold)]
    pub threshold: f64,
    /// Compare this result instead of running a new load; needs no AWS
    #[arg(long, value_name = "FILE", requires = "compare")]
    pub with: Option<PathBuf>,
}

fn warmup(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => duration(text)
            .ok()
            .filter(|time| *time <= Duration::from_hours(1))
            .ok_or_else(|| format!("{text} is not between 0s and 1h")),
    }
}

fn threshold(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok().filter(|number| (0.1..=1000.0).contains(number));
    number.ok_or_else(|| format!("{text} is not between 0.1 and 1000"))
}

fn concurrency(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| format!("{text} is not in 1..=10000"))
}
