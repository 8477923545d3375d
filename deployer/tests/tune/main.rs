//! `tune`, and what it leaves behind whatever becomes of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod left_behind;
mod settings;

use support::lab::Lab;

/// A load that takes no time, so that the settings are all that is tried.
const QUICK: [&str; 6] = ["--mix", "ping=1", "--rate", "20", "--warmup", "1s"];

const FUNCTION: &str = "LambdaFunctionOverHttps";

fn tune(lab: &Lab, memory: &str, more: &[&str]) -> support::deployer::Deployer {
    lab.deployer(&[&["tune", "--memory", memory], &QUICK[..], more].concat())
}

fn up() -> Lab {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab
}

fn memory(lab: &Lab) -> u64 {
    lab.lookup().function(FUNCTION)["Configuration"]["MemorySize"].as_u64().unwrap()
}

/// How often the function's configuration was changed since the last time.
fn changes(lab: &Lab) -> usize {
    let calls = lab.proxy.take_calls();
    calls.iter().filter(|call| call.operation == "UpdateFunctionConfiguration").count()
}

fn is_as_declared(lab: &Lab) {
    assert_eq!(memory(lab), 128);
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
}
