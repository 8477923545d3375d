//! The local AWS on a machine that cannot run it, or where something else has its port.

use crate::{deployer, folder, shown};
use std::net::TcpListener;
use std::path::Path;
use support::deployer::Deployer;
use support::emulator::{Emulator, free_port};
use support::repository;

fn start(folder: &Path, port: u16) -> Deployer {
    deployer(folder, &["local", "start", "--local-port", &port.to_string()])
}

#[test]
fn no_python() {
    let folder = folder();
    let done = start(folder.path(), free_port()).env("PATH", folder.path()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_python_without_the_local_aws() {
    let tools = folder();
    let folder = folder();
    // The interpreter that the virtual environment was made from knows nothing of what is installed into it.
    let python = repository().join(".venv/bin/python").canonicalize().unwrap();
    std::os::unix::fs::symlink(python, tools.path().join("python3")).unwrap();
    let done = start(folder.path(), free_port()).env("PATH", tools.path()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_port_that_something_else_has() {
    let folder = folder();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let done = start(folder.path(), other.local_addr().unwrap().port()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_port_that_another_local_aws_has() {
    let folder = folder();
    let other = Emulator::start();
    let port = other.port().to_string();
    let done = deployer(folder.path(), &["up", "--local", "--local-port", &port]).run().exits(1);
    insta::assert_snapshot!(shown(&done));
    assert!(other.lookup().everything().is_empty(), "another one's state is not for us");
}

#[test]
fn status_and_stop_of_what_does_not_run() {
    let folder = folder();
    let port = free_port().to_string();
    let run = |verb: &str| deployer(folder.path(), &["local", verb, "--local-port", &port]).run().succeeds();
    insta::assert_snapshot!(["status", "stop", "logs", "reset"].map(|verb| shown(&run(verb))).join("\n"));
}
