//! Compares the function with the Python original that it replaces: cold starts, warm invocations and memory. Only ratios
//! within one run are meaningful.
//!
//! Both run as processes that take events from the same fake of Lambda's runtime API and write to the same fake of
//! DynamoDB, which answers immediately. Both read the same trusted certificates.

#![expect(clippy::expect_used, clippy::panic, reason = "a panic fails the benchmark")]
#![expect(clippy::print_stdout, reason = "the benchmark prints its results")]

mod dynamodb;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use the rest; a panic fails the benchmark")]
#[path = "../../tests/contract/support/http.rs"]
mod http;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use the rest; a panic fails the benchmark")]
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

/// The number of cold starts of each function. The table shows the median.
const COLD_STARTS: u32 = 15;

/// The number of warm creates of the function in one process.
const WARM_CREATES_RUST: u32 = 5000;
/// The number of warm creates of the original in one process. They take half a minute.
const WARM_CREATES_PYTHON: u32 = 300;

/// The Python with the original's libraries, in Cargo's target folder. `make bench-function` installs it.
const PYTHON: &str = "python-original/bin/python";

fn main() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().expect("the folder is in the target folder");
    let package = Package::read(target, scratch).unwrap_or_else(|error| panic!("{error}"));
    let python = target.join(PYTHON);
    let versions = run_python(
        &python,
        "import sys, boto3, awslambdaric; print('Python %d.%d.%d, boto3' % sys.version_info[:3], boto3.__version__)",
    );
    let bundle = run_python(&python, "import botocore.httpsession as h; print(h.DEFAULT_CA_BUNDLE)");
    let dynamodb = DynamoDb::start(&PathBuf::from(bundle), scratch);
    let trusted = dynamodb.trusted_certificates.to_str().expect("a path in UTF-8");
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python_comparison");
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

    // The first start of each is not measured, because it reads from the disk, and Python compiles its imports. It also
    // proves that both send the same request.
    let requests = [&rust, &original].map(|subject| {
        subject.cold_start(CREATE);
        dynamodb.last_request()
    });
    assert_eq!(requests[0], requests[1], "both put the same item");
    println!("The function and its original ({versions}), on {} processors{}.", core_count(), load_phrase());
    println!(
        "Both write over HTTPS to a fake DynamoDB that answers immediately. Lambda's own time is not included."
    );
    println!(
        "Cold: from the start of the process to its first answer, median of {COLD_STARTS}. Warm: from the event to the answer."
    );
    println!(
        "CPU: the processor time used. At 128 MB, Lambda gives a function one fourteenth of a processor.\n"
    );
    let (mut rust_samples, mut original_samples) = (Samples::default(), Samples::default());
    // The starts alternate, so that other load on the machine affects both.
    for _ in 0..COLD_STARTS {
        rust.sample_cold_starts(&mut rust_samples);
        original.sample_cold_starts(&mut original_samples);
    }
    rust.sample_warm_creates(WARM_CREATES_RUST, &mut rust_samples);
    original.sample_warm_creates(WARM_CREATES_PYTHON, &mut original_samples);
    println!("{}", table::markdown(&rust_samples, &original_samples, &package));
}

/// Runs a line of Python and returns its output.
fn run_python(python: &Path, line: &str) -> String {
    let output = Command::new(python).args(["-c", line]).output();
    let output =
        output.unwrap_or_else(|e| panic!("{}: {e}. make bench-function installs it.", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns the machine's load before the start, as a phrase. Load slows the original more, because it needs more processor
/// time.
fn load_phrase() -> String {
    let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    average
        .split(' ')
        .next()
        .map(|load| format!(" with a load of {load} before the start"))
        .unwrap_or_default()
}

fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
