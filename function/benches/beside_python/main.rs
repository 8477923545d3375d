//! Measures the function beside the Python original that it replaces, cold and warm, in one run: only ratios of one run
//! mean anything.
//!
//! Both are processes that take events from the same stand-in for Lambda's runtime API and write to the same stand-in
//! for DynamoDB, which answers at once. Both read the same trusted certificates.

#![expect(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod dynamodb;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use the rest, and end where something is wrong")]
#[path = "../../tests/contract/support/http.rs"]
mod http;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use the rest, and end where something is wrong")]
#[path = "../../tests/contract/support/lambda.rs"]
mod lambda;
mod package;
mod subject;
mod table;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use dynamodb::DynamoDb;
use package::Package;
use subject::{CREATE, Samples, Subject};

/// Cold starts of each function, of which the median is shown.
const COLD: u32 = 15;

/// Warm creates of each function in one process. The original takes half a minute for its share.
const WARM_RUST: u32 = 5000;
const WARM_PYTHON: u32 = 300;

/// The Python in which `make bench-function` has installed the original's libraries, in Cargo's target folder.
const PYTHON: &str = "beside-python/bin/python";

fn main() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().expect("it lies in the target folder");
    let package = Package::read(target, scratch).unwrap_or_else(|why| panic!("{why}"));
    let python = target.join(PYTHON);
    let versions = ask(
        &python,
        "import sys, boto3, awslambdaric; print('Python %d.%d.%d, boto3' % sys.version_info[:3], boto3.__version__)",
    );
    let bundle = ask(&python, "import botocore.httpsession as h; print(h.DEFAULT_CA_BUNDLE)");
    let dynamodb = DynamoDb::start(&PathBuf::from(bundle), scratch);
    let trusted = dynamodb.trusted.to_str().expect("a path in UTF-8");
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/beside_python");
    let handlers = handlers.to_str().expect("a path in UTF-8");
    let rust = Subject {
        program: &package.bootstrap,
        args: &[],
        endpoint: &dynamodb.endpoint,
        variables: vec![("SSL_CERT_FILE", trusted)],
    };
    let original = Subject {
        program: &python,
        args: &["-m", "awslambdaric", "handler.handler"],
        endpoint: &dynamodb.endpoint,
        variables: vec![
            ("AWS_CA_BUNDLE", trusted),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("LAMBDA_TASK_ROOT", handlers),
            ("PYTHONPATH", handlers),
        ],
    };

    // A first start of each that is not measured: it reads from the disk, and Python compiles its imports. It also shows
    // that both send the same request.
    let requests = [&rust, &original].map(|subject| {
        subject.cold(CREATE);
        dynamodb.last_request()
    });
    assert_eq!(requests[0], requests[1], "both put the same item");
    println!("Beside the original ({versions}), on {} processors{}.", cores(), load());
    println!("Both write to a DynamoDB that answers at once, over HTTPS; Lambda's own part is not in it.");
    println!(
        "Cold: from the start of the process to its first answer, median of {COLD}. Warm: from the event to its answer."
    );
    println!(
        "CPU is the processor's time in it. At 128 MB, Lambda gives a function a fourteenth of a processor.\n"
    );
    let (mut of_rust, mut of_original) = (Samples::default(), Samples::default());
    // In turns, so that other load on the machine affects both.
    for _ in 0..COLD {
        rust.start_cold(&mut of_rust);
        original.start_cold(&mut of_original);
    }
    rust.stay_warm(WARM_RUST, &mut of_rust);
    original.stay_warm(WARM_PYTHON, &mut of_original);
    println!("{}", table::markdown(&of_rust, &of_original, &package));
}

/// Runs a line of Python, and returns what it prints.
fn ask(python: &Path, line: &str) -> String {
    let output = Command::new(python).args(["-c", line]).output();
    let output =
        output.unwrap_or_else(|e| panic!("{}: {e}. make bench-function installs it.", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The machine's load before the start, in words. Load slows the original more, which needs more processor time.
fn load() -> String {
    let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    average
        .split(' ')
        .next()
        .map(|load| format!(" with a load of {load} before the start"))
        .unwrap_or_default()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
