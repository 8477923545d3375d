//! A machine that lacks what packaging needs: what is missing, and how to get it.

use crate::{folder, shown};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::deployer::Done;
use support::lab::Lab;
use support::proxy::mutating;

/// A project with one package, as Cargo describes it.
const PROJECT: &str = r#"{"packages":[{"name":"function","id":"function","manifest_path":"/function/Cargo.toml","default_run":null,"targets":[{"name":"bootstrap","kind":["bin"]}]}],"target_directory":"/proc/nowhere","workspace_root":"/"}"#;

/// A program that only says this.
fn tool(folder: &Path, name: &str, says: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_missing_tool_is_named() {
    let lab = Lab::new();
    lab.project.write("stack.toml", "");
    let tools = folder();
    let up = || -> Done {
        let done = lab.deployer(&["up", "--release"]).env("PATH", tools.path()).run().exits(1);
        assert!(mutating(lab.proxy.take_calls()).is_empty(), "{done}");
        done
    };
    insta::assert_snapshot!("no_tools_at_all", shown(&up()));
    tool(tools.path(), "cargo", PROJECT);
    insta::assert_snapshot!("cargo_and_nothing_else", shown(&up()));
    tool(tools.path(), "cargo-lambda", "");
    insta::assert_snapshot!("no_zig", shown(&up()));
    tool(tools.path(), "zig", "");
    tool(tools.path(), "rustc", "/proc/nowhere");
    insta::assert_snapshot!("no_target", shown(&up()));
    // zig as a module of Python will do.
    std::fs::remove_file(tools.path().join("zig")).unwrap();
    tool(tools.path(), "python3", "0.17.0");
    insta::assert_snapshot!("no_target", shown(&up()));
}

#[test]
fn what_to_install_depends_on_whose_project_it_is() {
    let lab = Lab::new();
    lab.project.write("stack.toml", "");
    let tools = folder();
    tool(tools.path(), "cargo", PROJECT);
    let up = || lab.deployer(&["up", "--release"]).env("PATH", tools.path()).run().exits(1);
    let elsewhere = up();
    assert!(
        elsewhere.stderr.contains("python3 -m venv .venv && .venv/bin/pip install cargo-lambda ziglang"),
        "{elsewhere}"
    );
    assert!(!elsewhere.stderr.contains("make setup"), "{elsewhere}");
    std::fs::create_dir_all(lab.project.folder().join("deployer/local")).unwrap();
    lab.project.write("deployer/local/requirements.txt", "");
    assert!(up().stderr.contains("make setup"));
}

#[test]
fn a_zip_that_is_not_there_is_named() {
    let lab = Lab::new();
    std::fs::remove_file(lab.project.folder().join("handler.zip")).unwrap();
    let up = lab.deployer(&["up"]).run();
    insta::assert_snapshot!(shown(&up));
    assert!(mutating(lab.proxy.take_calls()).is_empty(), "{up}");
}
