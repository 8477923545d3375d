//! The result file of an earlier run. Somebody else may have written it, so its figures are checked before use.

use crate::error::{Command, Error, Flag, Hint, Result, Verb};
use crate::files::{self, LARGEST_RESULT};
use crate::output::console::Console;
use loadgen::{LoadParameters, Measurement, SCHEMA, differences};
use serde::Deserialize;
use std::path::Path;

/// The version of a result. Everything else is skipped, and takes no memory.
#[derive(Deserialize)]
struct Version {
    schema: Option<u64>,
}

/// The document of `--output json`, which has the result under `load`.
#[derive(Deserialize)]
struct Document<T> {
    load: T,
}

/// Reads the result of an earlier run, from `--json` or from stdout of `--output json`.
///
/// # Errors
/// The file cannot be read, is not a result, is one of another version, or is of a run that shows nothing.
pub(crate) fn read(file: &Path) -> Result<Measurement> {
    let shown = file.display();
    let text = files::read_text(file, LARGEST_RESULT)
        .map_err(|e| Error::usage(format!("cannot read the earlier result {shown}: {e}")))?;
    let no_result = || {
        Error::usage(format!("{shown} is no result of `deployer load`"))
            .hint(Hint::from(with_result()).text(" writes one."))
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
        .hint(make_a_new_one()));
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
    } else if !run.is_plausible() {
        return Err(no_result());
    } else {
        return Ok(run);
    };
    Err(Error::usage(format!("{shown} is of a run that {why}, which says nothing")).hint(make_a_new_one()))
}

/// A load whose result can be compared with.
fn with_result() -> Command {
    Verb::Load.flag(Flag::Json("before.json".to_owned()))
}

fn make_a_new_one() -> Hint {
    Hint::from("Make a new one with ").command(with_result()).text(".")
}

/// Checks that a run with these parameters can be compared with an earlier one.
///
/// # Errors
/// All differences.
fn check_comparable(before: &Measurement, parameters: &LoadParameters) -> Result<()> {
    let differences = differences(before, parameters);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("the two runs cannot be compared: {}", differences.join("; ")))
        .hint("Ask for the same as then, or make a new result to compare with."))
}

/// Checks that a run can be compared with all earlier ones, and says so if one went to another URL: that may be meant, or a
/// mistake.
///
/// # Errors
/// All differences from the first that cannot be compared.
pub(crate) fn check_all_comparable(
    console: &Console,
    before: &[Measurement],
    parameters: &LoadParameters,
    url: &str,
) -> Result<()> {
    for before in before {
        check_comparable(before, parameters)?;
    }
    if let Some(other) = before.iter().find(|before| before.url != url) {
        let text = format!("The run of {} was of {}, and this one is of {url}.", other.began, other.url);
        console.talk(&text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A run of five seconds.
    fn measurement() -> Measurement {
        let block = json!({ "ok": 100, "throttled": 0, "failed": 0, "latency_us": "1000:60 1200:40" });
        serde_json::from_value(json!({
            "schema": 1, "run": "load-1", "began": "2026-11-20T12:00:00Z", "url": "http://127.0.0.1/Prod",
            "asked": {
                "rate": 100, "duration_s": 5.0, "warmup_s": 0.0, "concurrency": 10,
                "mix": [{ "name": "ping", "share": 1 }], "mix_fingerprint": "abc",
            },
            "interrupted": false, "seconds": 5.0,
            "counts": {
                "planned": 500, "sent": 500, "unsent": 0, "ok": 500, "throttled": 0, "errors": 0,
                "unanswered": 0, "late": 0, "late_by_ms": 0, "warmup": 0,
            },
            "throughput": 100.0, "latency_ms": null, "service_ms": null, "error_latency_ms": null,
            "statuses": { "200": 500 }, "failures": {}, "requests": [],
            "connections": { "opened": 1, "most": 1 },
            "series_seconds": 1, "series": [], "blocks": [block, block, block, block, block],
        }))
        .unwrap()
    }

    #[test]
    fn runs_with_other_parameters_are_refused_with_all_differences() {
        let before = measurement();
        check_comparable(&before, &before.asked).unwrap();
        let other = LoadParameters { rate: 200, concurrency: 20, ..before.asked.clone() };
        assert_eq!(
            check_comparable(&before, &other).unwrap_err().to_string(),
            "the two runs cannot be compared: the rate was 100, and is 200; the concurrency was 10, and is 20"
        );
    }

    #[test]
    fn a_result_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.json");
        let run = measurement();
        let text = serde_json::to_string(&run).unwrap();
        for text in [text.clone(), format!("{{\"command\": \"load\", \"load\": {text}}}")] {
            std::fs::write(&file, text).unwrap();
            let read = read(&file).unwrap();
            assert_eq!(
                (read.blocks, read.asked, read.counts),
                (run.blocks.clone(), run.asked.clone(), run.counts.clone())
            );
        }
        let wrong = [
            ("", "is no result of `deployer load`"),
            ("{}", "is no result of `deployer load`"),
            ("{\"load\": {\"schema\": 2}}", "is a result of schema 2, and this deployer knows schema 1"),
            ("{\"schema\": 1}", "is not a whole result"),
        ];
        for (text, expected) in wrong {
            std::fs::write(&file, text).unwrap();
            let error = read(&file).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read(&folder.path().join("none")).is_err());
        let mut endless = run.clone();
        endless.blocks[0].latency_us[0].1 = u64::MAX;
        std::fs::write(&file, serde_json::to_string(&endless).unwrap()).unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.ends_with("is no result of `deployer load`"), "{error}");
        let useless: [(fn(&mut Measurement), &str); 3] = [
            (|run| run.interrupted = true, "was interrupted"),
            (|run| run.counts.ok = 0, "had no request that was done"),
            (|run| run.seconds = 0.0, "took no time"),
        ];
        for (change, expected) in useless {
            let mut run = run.clone();
            change(&mut run);
            std::fs::write(&file, serde_json::to_string(&run).unwrap()).unwrap();
            let error = read(&file).unwrap_err().to_string();
            assert!(error.contains(&format!("is of a run that {expected}, which says nothing")), "{error}");
        }
    }
}
