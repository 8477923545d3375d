//! What varies is replaced, and nothing else is.

use support::redact::redact;

#[test]
fn replaces_what_differs_from_run_to_run() {
    let text = "http://127.0.0.1:4566/restapis/ba3b4564/Prod took 1.4 s in /tmp/deployer-test-x1Y/stack.toml";
    assert_eq!(
        redact(text),
        "http://127.0.0.1:[PORT]/restapis/[API]/Prod took [TIME] s in [FOLDER]/stack.toml"
    );
    assert_eq!(redact("memory: 512 → 128"), "memory: 512 → 128");
}
