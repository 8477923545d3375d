//! What the load generator itself can do, against a plain server on this machine, beside wrk and oha where they are
//! installed. All of them share the processors with the server, in one run: only their ratio means anything.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod agreement;
#[path = "../deployments/process.rs"]
#[expect(dead_code, reason = "shared with the other measurement, which builds too")]
mod process;

use clap::Parser;
use process::Process;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::lab::Lab;
use support::plain::PlainServer;
use support::repository;

/// Measures the load generator
#[derive(Debug, Parser)]
struct Args {
    /// How long each measurement takes, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Connections
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// The rates that are asked for; one that is too high shows what is possible
    #[arg(long, value_delimiter = ',', default_values_t = [5_000, 100_000])]
    rate: Vec<u32>,
    /// What is measured, instead of Cargo's own debug build
    #[arg(long, env = "DEPLOYER_BINARY", value_name = "FILE")]
    binary: Option<PathBuf>,
    /// What `cargo bench` adds to every command line
    #[arg(long, hide = true)]
    bench: bool,
}

/// An hour is measured at the longest, and what comes before and after it takes no minutes.
const LONGEST: Duration = Duration::from_hours(2);

fn main() {
    let args = Args::parse();
    let binary = args.binary.as_ref().map_or_else(support::binary, |file| repository().join(file));
    println!("Measured: {}, {} s each, {} connections\n", binary.display(), args.seconds, args.connections);
    let lab = Lab::new();
    let server = PlainServer::before(&lab.aws.url());
    let url = run(&binary, &lab, &server, &["up"]).0;
    println!("| | asked for a second | done a second | p50 ms | p99 ms | sent late | most memory MB |");
    println!("|---|---|---|---|---|---|---|");
    for rate in &args.rate {
        let row = deployer(&binary, &lab, &server, *rate, &args);
        println!("{row}");
    }
    beside_the_others(&args, &url);
    agreement::measure(&binary, LONGEST);
}

/// As fast as they can.
fn beside_the_others(args: &Args, url: &str) {
    let (seconds, connections) = (args.seconds.to_string(), args.connections.to_string());
    other("wrk", &["-t2", &format!("-c{connections}"), &format!("-d{seconds}s"), url], "Requests/sec:");
    let oha = ["--no-tui", "-c", &connections, "-z", &format!("{seconds}s"), url];
    other("oha", &oha, "Requests/sec:");
}

/// The last line of stdout, and the most memory in kB.
fn run(binary: &Path, lab: &Lab, server: &PlainServer, args: &[&str]) -> (String, Option<u64>) {
    let process = Process::new(binary, lab.aws.folder())
        .args(["--local", "--endpoint-url", server.url()])
        .args([
            Path::new("--local-state"),
            &lab.aws.state(),
            Path::new("--manifest"),
            &lab.project.manifest(),
        ])
        .args(args);
    let memory = process.try_run(LONGEST).unwrap_or_else(|why| panic!("{why}"));
    let status = Command::new(binary)
        .args(["status", "--url", "--local", "--endpoint-url", server.url()])
        .args([
            Path::new("--local-state"),
            &lab.aws.state(),
            Path::new("--manifest"),
            &lab.project.manifest(),
        ])
        .env_clear()
        .env("HOME", lab.aws.folder())
        .output()
        .unwrap();
    (String::from_utf8_lossy(&status.stdout).trim().to_owned(), memory)
}

fn deployer(binary: &Path, lab: &Lab, server: &PlainServer, rate: u32, args: &Args) -> String {
    let file = lab.aws.folder().join("result.json");
    let (rate_text, seconds) = (rate.to_string(), format!("{}s", args.seconds));
    let connections = args.connections.to_string();
    let load = ["load", "--mix", "ping=1", "--warmup", "1s", "--rate", &rate_text, "--duration", &seconds];
    let mut all = load.to_vec();
    let shown = file.display().to_string();
    all.extend(["--concurrency", &connections, "--json", &shown]);
    let (_, memory) = run(binary, lab, server, &all);
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let memory = memory
        .map_or("–".to_owned(), |kb| format!("{:.1}", f64::from(u32::try_from(kb).unwrap()) / 1024.0));
    format!(
        "| deployer load | {rate} | {} | {} | {} | {} of {} | {memory} |",
        result["throughput"],
        result["latency_ms"]["p50"],
        result["latency_ms"]["p99"],
        result["counts"]["late"],
        result["counts"]["sent"]
    )
}

/// Another generator, as fast as it can.
fn other(program: &str, args: &[&str], label: &str) {
    let Ok(output) = Command::new(program).args(args).output() else {
        println!("\n{program} is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.trim().strip_prefix(label));
    let rate = line.unwrap_or_else(|| panic!("{program} says {text}"));
    println!("| {program} | all it can | {} | – | – | – | – |", rate.trim());
}
