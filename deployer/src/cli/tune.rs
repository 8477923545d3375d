//! The flags of `tune`.

use super::cost::Architecture;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of `tune`.
#[derive(Debug, Args)]
pub struct Tune {
    /// Memory settings to try, in MB, 128 to 10240
    #[arg(
        long,
        value_name = "MB,…",
        value_delimiter = ',',
        default_value = "128,256,512,1024,1769",
        value_parser = clap::value_parser!(i32).range(128..=10_240)
    )]
    pub memory: Vec<i32>,
    /// Processors to try [default: the manifest's]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_enum)]
    pub architectures: Vec<Architecture>,
    /// Requests a second at each setting
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// How long each setting is measured, like 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::duration)]
    pub duration: Duration,
    /// How long the same goes on before that
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = super::load::warmup)]
    pub warmup: Duration,
    /// How many requests may be under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = super::load::concurrency)]
    pub concurrency: usize,
    /// Shares of the built-in requests, or a file, as for load
    #[arg(long, value_name = "SHARES|FILE", default_value = "create=20,read=50,list=10,ping=20")]
    pub mix: String,
    /// The path that is asked, where several are declared
    #[arg(long, value_name = "PATH")]
    pub route: Option<String>,
    /// Which function, where the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Delete what the requests have made, also after Ctrl-C
    #[arg(long)]
    pub cleanup: bool,
    /// Write the result with charts to a file, a page for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}
