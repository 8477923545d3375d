//! The file of an earlier run. Somebody else may have written it, so that what is in it is checked before it is computed with.

use crate::error::{Error, Result};
use crate::files::{self, LARGEST_RESULT};
use crate::load::result::{MOST_BLOCKS, Measurement, SCHEMA};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// No run counts as far: 100,000 requests a second for a day are a tenth of it.
const HIGHEST_COUNT: u64 = 100_000_000_000;

/// Latencies are exact to 1 %, so that there are not many different ones.
const MOST_LATENCIES: usize = 5_000;

/// Which result it is. Everything else is skipped, and takes no memory.
#[derive(Deserialize)]
struct Version {
    schema: Option<u64>,
}

/// The document of `--output json`, where the result has a place of its own.
#[derive(Deserialize)]
struct Document<T> {
    load: T,
}

/// Reads the result of an earlier run, from `--json` or from stdout of `--output json`.
///
/// # Errors
/// A file that cannot be read, that is no result, or one of another version.
pub(crate) fn read(file: &Path) -> Result<Measurement> {
    let shown = file.display();
    let text = files::read_text(file, LARGEST_RESULT)
        .map_err(|e| Error::usage(format!("cannot read the earlier result {shown}: {e}")))?;
    let no_result = || {
        Error::usage(format!("{shown} is no result of deployer load"))
            .hint("deployer load --json FILE writes one.")
    };
    let document = serde_json::from_str::<Document<Version>>(&text).ok();
    let is_document = document.is_some();
    let version = match document {
        Some(document) => document.load,
        None => serde_json::from_str(&text).map_err(|_| no_result())?,
    };
    let schema = version.schema.ok_or_else(no_result)?;
    if schema != u64::from(SCHEMA) {
        return Err(Error::usage(format!(
            "{shown} is a result of schema {schema}, and this deployer knows schema {SCHEMA}"
        ))
        .hint("Make a new one with deployer load --json FILE."));
    }
    let run = if is_document {
        serde_json::from_str(&text).map(|document: Document<Measurement>| document.load)
    } else {
        serde_json::from_str(&text)
    };
    let run: Measurement = run.map_err(|e| Error::usage(format!("{shown} is not a whole result: {e}")))?;
    let why = if run.interrupted {
        "was interrupted"
    } else if run.counts.ok == 0 {
        "had no request that was done"
    } else if run.seconds <= 0.0 {
        "took no time"
    } else if !is_of_a_run(&run) {
        return Err(no_result());
    } else {
        return Ok(run);
    };
    Err(Error::usage(format!("{shown} is of a run that {why}, which says nothing"))
        .hint("Make a new one with deployer load --json FILE."))
}

/// Whether its figures are those of a run: numbers that can be added, and no more of them than a run has.
fn is_of_a_run(run: &Measurement) -> bool {
    let counts = &run.counts;
    let of_the_run = [
        counts.planned,
        counts.sent,
        counts.unsent,
        counts.ok,
        counts.throttled,
        counts.errors,
        counts.unanswered,
    ];
    let of_blocks = run.blocks.iter().flat_map(|block| {
        [block.ok, block.throttled, block.failed]
            .into_iter()
            .chain(block.latency_us.iter().map(|pair| pair.1))
    });
    let latencies: BTreeSet<u64> =
        run.blocks.iter().flat_map(|block| &block.latency_us).map(|pair| pair.0).collect();
    run.blocks.len() <= MOST_BLOCKS
        && latencies.len() <= MOST_LATENCIES
        && of_the_run.into_iter().chain(of_blocks).all(|count| count <= HIGHEST_COUNT)
}
