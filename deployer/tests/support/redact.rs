//! What differs from run to run, made the same for snapshots.

use regex_lite::Regex;

/// What to look for, and what to write instead.
const VARYING: [(&str, &str); 6] = [
    (r"/[^ ]*/deployer-test-\w+", "[FOLDER]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"port \d+", "port [PORT]"),
    (r"process \d+", "process [PID]"),
    (r"\d+\.\d s\b", "[TIME] s"),
    (r"/restapis/\w+/", "/restapis/[API]/"),
];

/// The text, with everything that varies replaced.
pub fn redact(text: &str) -> String {
    VARYING.iter().fold(text.to_owned(), |text, (pattern, stand_in)| {
        Regex::new(pattern).unwrap().replace_all(&text, *stand_in).into_owned()
    })
}
