//! Random damage to every kind of file that people name: whatever is read, nothing panics, hangs, or takes much memory.
//!
//! A short, repeatable part runs with the other tests. The long one runs until its time is up, with other damage each time:
//! `cargo test -p deployer --lib fuzz -- --ignored --nocapture`.

use crate::files;
use crate::loadtest::{earlier_result, mix};
use crate::manifest::Manifest;
use crate::packaging::merged;
use crate::resources::iam::policy_document::{Placeholders, fill};
use fastrand::Rng;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// For the long run.
const LONG: Duration = Duration::from_mins(10);

/// No file takes longer, also in a build without optimisation beside other work.
const LONGEST: Duration = Duration::from_secs(20);

/// Of this process, with all of the tests.
const MOST_MEMORY_KIB: u64 = 200 * 1024;

/// One kind of file.
struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    /// Pieces that mean something in such files.
    words: &'static [&'static str],
    read: fn(&Path),
}

const TOML: &[&str] = &[
    "[[api.routes]]\n",
    "[functions.f]\n",
    "[tables.t]\n",
    "environment = { A = \"",
    "\"\"\"",
    "'''",
    "{{id}}",
    "{{",
    "}}",
    "= [",
    "]",
    "{",
    "}",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{1b}[2J",
    "\u{2028}",
    "\0",
    "-1",
    "1e400",
    "nan",
    "99999999999999999999",
    "0x",
    "\"\\u0000\"",
    "a.b.c = 1\n",
    "path = \"/{a}/{b+}\"\n",
    "tables = [\"t\"]\n",
    "[api.error-responses]\n404 = '",
    "proof = { path = \"/a?b\", body = \"",
];

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "-0",
    "1e999",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\u{feff}",
    "\"${tables}\"",
    "\"${",
    "\"Statement\":",
    "\"load\":",
    "\"blocks\":",
    "\"latency_us\":\"1:18446744073709551615 \"",
    "1:2:3",
    "18446744073709551615",
    "-1",
    "0.5",
];

const ZIP: &[&str] =
    &["PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "\0\0\0\0", "bootstrap", "../", "\u{7f}\u{7f}"];

fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "manifest",
            seeds: vec![crate::commands::init::MANIFEST.into(), ROUTES.into(), Vec::new()],
            words: TOML,
            read: |file| {
                if let Ok(text) = files::read_text(file, files::LARGEST_MANIFEST) {
                    let _ = Manifest::parse(&text, file, "-dev");
                }
            },
        },
        Target { name: "mix.toml", seeds: vec![MIX.into()], words: TOML, read: read_mix },
        Target { name: "mix.json", seeds: vec![MIX_JSON.into()], words: JSON, read: read_mix },
        Target {
            name: "result",
            seeds: vec![RESULT.into()],
            words: JSON,
            read: |file| {
                if let Ok(run) = earlier_result::read(file) {
                    let _ = loadgen::Comparison::new(std::slice::from_ref(&run), &run, 10.0);
                }
            },
        },
        Target {
            name: "policy",
            seeds: vec![include_bytes!("../../../policies/lambda-apigateway-policy.json").to_vec()],
            words: JSON,
            read: |file| {
                let values =
                    Placeholders::from([("tables", vec!["arn".to_owned()]), ("log-groups", Vec::new())]);
                if let Ok(text) = files::read_text(file, files::LARGEST_POLICY) {
                    let _ = fill(&text, &values, Vec::new());
                }
            },
        },
        Target {
            name: "zip",
            seeds: vec![zip()],
            words: ZIP,
            read: |file| {
                if let Ok(bytes) = files::read(file, 1 << 20) {
                    let _ = merged(&bytes, &zip());
                    let _ = merged(&zip(), &bytes);
                }
            },
        },
    ]
}

fn read_mix(file: &Path) {
    let _ = mix::read(file, Some("/items"), |_, _| Ok("f".to_owned()));
}

const ROUTES: &str = r#"
name = "shop"
[tables.orders]
billing = { read = 5, write = 5, max = 50 }
[functions.a]
role = "one"
environment = { TOKEN = "secret" }
[functions.b]
role = "two"
tables = ["orders"]
[[api.routes]]
method = "GET"
path = "/items/{id}"
function = "a"
[[api.routes]]
method = "POST"
path = "/items/{name}"
function = "b"
"#;

const MIX: &str = r#"
[[requests]]
name = "put"
share = 3
method = "PUT"
path = "/items/{{id}}"
body = '{"n": {{id:number}}}'
headers = { x-api-key = "k" }
undo = { method = "DELETE" }
[[requests]]
name = "get"
share = 7
method = "GET"
path = "/items/{{created}}"
"#;

const MIX_JSON: &str = r#"{"requests": [{"name": "put", "share": 3, "method": "PUT", "path": "/items/{{id}}",
    "body": "{\"n\": {{id:number}}}", "headers": {"x-api-key": "k"}, "undo": {"method": "DELETE"}}]}"#;

const RESULT: &str = r#"{"schema": 1, "run": "load-1", "began": "2026-11-20T12:00:00Z", "url": "http://127.0.0.1/Prod",
    "asked": {"rate": 20, "duration_s": 30.0, "warmup_s": 2.0, "concurrency": 100,
        "mix": [{"name": "ping", "share": 1}], "mix_fingerprint": "00"},
    "interrupted": false, "seconds": 30.0,
    "counts": {"planned": 600, "sent": 600, "unsent": 0, "ok": 598, "throttled": 1, "errors": 1, "unanswered": 0,
        "late": 0, "late_by_ms": 0, "warmup": 40},
    "throughput": 19.9, "latency_ms": null, "service_ms": null, "error_latency_ms": null, "statuses": {"200": 598},
    "failures": {"no connection": 1}, "requests": [], "connections": {"opened": 3, "most": 3}, "series_seconds": 1,
    "series": [{"ok": 20, "throttled": 0, "failed": 0, "p50_ms": 1.0, "p99_ms": null, "max_ms": 3.0}],
    "blocks": [{"ok": 100, "throttled": 0, "failed": 0, "latency_us": "1023:90 2031:10"},
        {"ok": 100, "throttled": 0, "failed": 1, "latency_us": "1000:99 5000:1"},
        {"ok": 100, "throttled": 0, "failed": 0, "latency_us": "1023:100"},
        {"ok": 100, "throttled": 1, "failed": 0, "latency_us": "1023:100"},
        {"ok": 198, "throttled": 0, "failed": 0, "latency_us": "1023:198"}]}"#;

fn zip() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["bootstrap", "lib/a.py"] {
        writer.start_file(name, options).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Some bytes more, less, or other; sometimes a piece of it a thousand times.
fn damage(mut bytes: Vec<u8>, words: &[&str], rng: &mut Rng) -> Vec<u8> {
    for _ in 0..=rng.usize(..6) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(..40)).min(bytes.len());
        match rng.u8(..8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = rng.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            4 if bytes.len() < 1 << 16 => {
                let piece = bytes[at..end].repeat(rng.usize(1..1000));
                bytes.splice(at..at, piece);
            }
            5 => {
                let junk: Vec<u8> = (0..rng.usize(..9)).map(|_| rng.u8(..)).collect();
                bytes.splice(at..end, junk);
            }
            _ => {
                let word = words[rng.usize(..words.len())];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

/// Goes round the targets, each with damage of its own.
fn fuzz(seed: u64, goes_on: impl Fn(u32) -> bool) -> u32 {
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let targets = targets();
    let mut rounds = 0;
    while goes_on(rounds) {
        for Target { name, seeds, words, read } in &targets {
            let original = seeds[rng.usize(..seeds.len())].clone();
            let bytes = damage(original, words, &mut rng);
            let file = folder.path().join(name);
            std::fs::write(&file, &bytes).unwrap();
            let began = Instant::now();
            let ended = std::panic::catch_unwind(|| read(&file));
            let took = began.elapsed();
            assert!(
                ended.is_ok(),
                "{name} panics, round {rounds} of seed {seed}: {:?}",
                bytes.escape_ascii().to_string()
            );
            assert!(
                took < LONGEST,
                "{name} takes {took:?}, round {rounds} of seed {seed}, {} bytes",
                bytes.len()
            );
        }
        rounds += 1;
    }
    rounds
}

/// The most that this process has had so far; told on Linux only.
fn most_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn no_damaged_file_makes_it_panic_or_hang() {
    assert_eq!(fuzz(1, |rounds| rounds < 150), 150);
}

#[test]
#[ignore = "takes ten minutes; alone, because it looks at the memory of the process"]
fn no_damaged_file_makes_it_panic_or_hang_for_ten_minutes() {
    let (began, seed) = (Instant::now(), fastrand::u64(..));
    let rounds = fuzz(seed, |_| began.elapsed() < LONG);
    let most = most_memory_kib();
    println!("seed {seed}: {rounds} rounds, {most:?} KiB at the most");
    assert!(most.is_none_or(|most| most < MOST_MEMORY_KIB), "{most:?} KiB");
}

/// The largest file of each kind, of what costs most to read.
#[test]
fn the_largest_files_are_read_in_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let full = |most: u64, line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for n in 0.. {
            let line = line(n);
            if text.len() + line.len() > usize::try_from(most).unwrap() {
                break;
            }
            text.push_str(&line);
        }
        text
    };
    let manifest = |line: &dyn Fn(usize) -> String| full(files::LARGEST_MANIFEST, line);
    let functions = manifest(&|n| format!("[functions.f{n}]\nrole = \"r{n}\"\n"));
    let routes = manifest(&|n| {
        format!("[[api.routes]]\nmethod = \"GET\"\npath = \"/a/{{b{n}}}/{n}\"\nfunction = \"Lambda\"\n")
    });
    let keys = manifest(&|n| format!("k{n} = 1\n"));
    let one_line = format!("tags = {{ {} }}", full(files::LARGEST_MANIFEST - 20, &|n| format!("k{n} = 1, ")));
    let duplicates = manifest(&|_| "name = \"shop\"\n".to_owned());
    let unclosed = manifest(&|_| "[tables.orders]\nbilling = {  = \"shop\"\n".to_owned());
    let mismatched = manifest(&|_| "[tables.orders]\nbilling = {tes]]\nop\"\n".to_owned());
    for text in [functions, routes, keys, one_line, duplicates, unclosed, mismatched] {
        let began = Instant::now();
        let said = Manifest::parse(&text, Path::new("stack.toml"), "").map(|_| ()).unwrap_err().to_string();
        assert!(said.len() < 200_000, "{} bytes: {said:.300}", said.len());
        assert!(began.elapsed() < LONGEST, "{:?}: {text:.60}", began.elapsed());
    }
    let mix = full(files::LARGEST_MIX, &|n| format!("[[requests]]\nname = \"{n}\"\nshare = 1\n"));
    let file = folder.path().join("mix.toml");
    std::fs::write(&file, mix).unwrap();
    let began = Instant::now();
    let said = mix::read(&file, Some("/items"), |_, _| Ok("f".to_owned())).unwrap_err().to_string();
    assert!(said.contains("at most 50") && began.elapsed() < LONGEST, "{:?}: {said:.300}", began.elapsed());
}
