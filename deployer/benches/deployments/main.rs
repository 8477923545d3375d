//! How long the deployer takes, against the fewest calls that do the same work, and against Terraform where it runs.
//!
//! Everything is measured in one run, through one proxy that makes each call as slow as AWS does: only ratios of one
//! run mean anything, because machines and what else they do differ.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

mod condition;
mod floor;
mod process;
mod stack;
mod table;
mod terraform;
mod trace;

use clap::Parser;
use condition::Condition;
use floor::Floor;
use process::Process;
use stack::Operation;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::lab::Lab;
use support::repository;
use table::Row;
use terraform::Terraform;
use trace::{Sample, Watch};

/// Measures the deployer, and the fewest calls that do the same
#[derive(Debug, Parser)]
struct Args {
    /// How often everything is measured; the median is shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    runs: u32,
    /// Only these operations
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Operation>,
    /// Only under these conditions
    #[arg(long, value_enum, value_delimiter = ',')]
    condition: Vec<Condition>,
    /// Also show the longest chain of requests of each operation's last run, in which each waited for the one before
    #[arg(long)]
    chain: bool,
    /// Also show every request of it
    #[arg(long)]
    calls: bool,
    /// What is measured, instead of Cargo's own debug build
    #[arg(long, env = "DEPLOYER_BINARY", value_name = "FILE")]
    binary: Option<PathBuf>,
    /// What `cargo bench` adds to every command line
    #[arg(long, hide = true)]
    bench: bool,
}

/// Everything measured under one condition: for each operation, the samples of each that did it.
type Samples = BTreeMap<(Operation, &'static str), Vec<Sample>>;

const DEPLOYER: &str = "deployer";
const FLOOR: &str = "floor";
const TERRAFORM: &str = "Terraform";

fn main() {
    let args = Args::parse();
    // Cargo runs this in the package's folder, and people name files from the project's.
    let binary = args.binary.as_ref().map_or_else(support::binary, |file| repository().join(file));
    println!("Measured: {}", binary.display());
    println!("Times are the median of {} and the range; the most memory of all.", args.runs);
    println!("The floor: the fewest dependent calls that do the same, as plain requests without a client.\n");
    let lab = Lab::new();
    let watch = Watch::new(&lab);
    let terraform = match Terraform::find() {
        Ok(terraform) => Some(terraform),
        Err(why) => {
            println!("Terraform is left out: {why}\n");
            None
        }
    };
    for condition in Condition::all().filter(|c| args.condition.is_empty() || args.condition.contains(c)) {
        let operations: Vec<Operation> = condition
            .operations()
            .iter()
            .copied()
            .filter(|operation| args.only.is_empty() || args.only.contains(operation))
            .collect();
        if operations.is_empty() {
            continue;
        }
        let bench = Bench { lab: &lab, watch: &watch, binary: &binary, condition, operations };
        let samples = bench.run(args.runs, terraform.as_ref());
        bench.print(&samples);
        show(&samples, &args);
    }
}

/// One condition's measurements.
struct Bench<'a> {
    lab: &'a Lab,
    watch: &'a Watch<'a>,
    binary: &'a std::path::Path,
    condition: Condition,
    operations: Vec<Operation>,
}

impl Bench<'_> {
    fn run(&self, runs: u32, terraform: Option<&Terraform>) -> Samples {
        let mut samples = Samples::new();
        self.lab.proxy.behave(self.condition.behaviour());
        if self.condition.builds_package() {
            // Building is not what is measured.
            let _ = self.process(&["plan"]).run();
        }
        // One after the other in every run, so that what else the machine does meets all alike.
        for run in 0..runs {
            self.deploy(run, &mut samples);
            self.floor(run, &mut samples);
            if let Some(terraform) = terraform.filter(|_| !self.condition.builds_package()) {
                self.terraform(run, terraform, &mut samples);
            }
        }
        self.lab.aws.reset();
        samples
    }

    /// Everything up to the last operation that is measured: what comes before it makes what it works on.
    fn sequence(&self) -> impl Iterator<Item = Operation> {
        let last = self.operations.iter().copied().max().expect("something is measured");
        let measured = self.operations.clone();
        Operation::all().filter(move |operation| {
            *operation <= last && (*operation == Operation::ColdUp || measured.contains(operation))
        })
    }

    fn process(&self, args: &[&str]) -> Process {
        let manifest = if self.condition.builds_package() {
            repository().join("stack.toml")
        } else {
            self.lab.project.manifest()
        };
        let mut process = Process::new(self.binary, self.lab.aws.folder())
            .args(["--local", "--yes", "--endpoint-url", &self.lab.proxy.url()])
            .args([Path::new("--local-state"), &self.lab.aws.state(), Path::new("--manifest"), &manifest])
            .args(args);
        if self.condition.builds_package() {
            process = process.building();
        }
        process
    }

    fn deploy(&self, run: u32, samples: &mut Samples) {
        self.lab.aws.reset();
        for operation in self.sequence() {
            if operation == Operation::CodeOnly {
                self.lab.project.set_version(&format!("deployer {run}"));
            }
            let sample = self.watch.sample(|| self.process(operation.arguments()).run());
            self.keep(samples, operation, DEPLOYER, sample);
        }
    }

    fn floor(&self, run: u32, samples: &mut Samples) {
        self.lab.aws.reset();
        for operation in self.sequence() {
            self.lab.project.set_version(&format!("floor {run} {operation:?}"));
            let floor = Floor::new(&self.lab.proxy.url(), self.lab.aws.access(), &self.lab.project);
            let sample = self.watch.sample(|| {
                match operation {
                    Operation::ColdUp => floor.create(),
                    Operation::NothingToDo | Operation::Status => floor.read_and_ping(),
                    Operation::Plan => floor.read(),
                    Operation::CodeOnly => floor.update_code(),
                    Operation::Down => floor.delete(),
                }
                None
            });
            self.keep(samples, operation, FLOOR, sample);
        }
    }

    fn terraform(&self, run: u32, terraform: &Terraform, samples: &mut Samples) {
        self.lab.aws.reset();
        let (url, access) = (self.lab.proxy.url(), self.lab.aws.access());
        let project = terraform.project(&url, &access, &self.lab.project);
        for operation in self.sequence() {
            if operation == Operation::CodeOnly {
                self.lab.project.set_version(&format!("Terraform {run}"));
            }
            let sample = self.watch.sample(|| project.process(operation).run());
            self.keep(samples, operation, TERRAFORM, sample);
        }
    }

    fn keep(&self, samples: &mut Samples, operation: Operation, whose: &'static str, sample: Sample) {
        if self.operations.contains(&operation) {
            samples.entry((operation, whose)).or_default().push(sample);
        }
    }

    fn print(&self, samples: &Samples) {
        println!("### {}\n", self.condition);
        let of = |operation, whose| samples.get(&(operation, whose)).map(Vec::as_slice).unwrap_or_default();
        let rows: Vec<Row<'_>> = self
            .operations
            .iter()
            .map(|operation| Row {
                operation: *operation,
                deployer: of(*operation, DEPLOYER),
                floor: of(*operation, FLOOR),
                terraform: of(*operation, TERRAFORM),
            })
            .collect();
        println!("{}", table::markdown(&rows));
    }
}

/// Where the time goes, as far as it was asked for.
fn show(samples: &Samples, args: &Args) {
    for ((operation, whose), samples) in samples {
        let Some(last) = samples.last() else { continue };
        if args.chain {
            println!("Longest chain of {operation}, {whose}:\n\n{}", last.describe_chain());
        }
        if args.calls {
            println!("Requests of {operation}, {whose}:\n\n{}", last.describe_all());
        }
    }
}
