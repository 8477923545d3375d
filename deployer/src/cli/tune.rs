//! The flags of `tune`.

use super::Architecture;
use super::Building;
use super::load::Traffic;
use super::trimmed::Trimmed;
use clap::Args;
use clap::builder::EnumValueParser;
use std::path::PathBuf;

/// Flags of `tune`.
#[derive(Debug, Args)]
pub struct Tune {
    /// Memory settings to measure, in MB, 128 to 10240
    #[arg(
        long,
        value_name = "MB,…",
        value_delimiter = ',',
        default_value = "128,256,512,1024,1769",
        value_parser = Trimmed(clap::value_parser!(i32).range(128..=10_240))
    )]
    pub memory: Vec<i32>,
    /// Processors to measure each memory setting on; a Cargo package only [default: the manifest's]
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        value_parser = Trimmed(EnumValueParser::<Architecture>::new())
    )]
    pub architectures: Vec<Architecture>,
    /// How packages are built.
    #[command(flatten)]
    pub building: Building,
    /// What requests are sent to each setting.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Write the result as an HTML page with charts, in one file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}
