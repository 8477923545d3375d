//! What needs no code is made while Cargo builds; what exists is not touched before the build has ended.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use support::cargo_project::write;
use support::deployer::{Running, path};
use support::lab::Lab;
use support::proxy::mutating;
use support::wait_for;

/// Describes a project with one package, and "builds" it for as long as the file `go` is not there. A file `broken` makes the
/// build fail.
const CARGO: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
if [ "$1" = metadata ]; then
    cat metadata.json
    exit
fi
: > building
while [ ! -e go ]; do sleep 0.05; done
if [ -e broken ]; then echo 'error: it does not compile' >&2; exit 101; fi
echo '{"reason":"compiler-artifact","package_id":"shop","target":{"kind":["bin"],"name":"shop"},"executable":"'"$PWD"'/shop"}'
"#;

struct SlowBuild {
    lab: Lab,
    tools: tempfile::TempDir,
}

impl SlowBuild {
    fn new() -> Self {
        let build = Self { lab: Lab::new(), tools: tempfile::tempdir().unwrap() };
        build.lab.project.write("stack.toml", "");
        let target = build.tools.path().join("target");
        let package = r#"{"name":"shop","id":"shop","manifest_path":"/shop/Cargo.toml","default_run":null,"targets":[{"name":"shop","kind":["bin"]}]}"#;
        let metadata = format!(
            r#"{{"packages":[{package}],"target_directory":"{}","workspace_root":"/shop"}}"#,
            target.display()
        );
        write(&build.file("metadata.json"), &metadata);
        build.executable("cargo", CARGO);
        build.executable("shop", "#!/bin/sh\nsleep 1\n");
        build
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.tools.path().join(name)
    }

    fn executable(&self, name: &str, text: &str) {
        write(&self.file(name), text);
        std::fs::set_permissions(self.file(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn up(&self) -> Running {
        let all = std::iter::once(self.tools.path().to_owned())
            .chain(std::env::split_paths(&path()).collect::<Vec<_>>());
        let path = std::env::join_paths(all).unwrap();
        self.lab.deployer(&["up", "--timeout", "20s"]).env("PATH", path).spawn()
    }

    fn exists(&self, thing: &str) -> bool {
        self.lab.lookup().everything().contains(thing)
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_first_deployment_makes_what_needs_no_code_during_the_build() {
    let build = SlowBuild::new();
    let up = build.up();
    for thing in ["role lambda-apigateway-role", "table lambda-apigateway", "REST API DynamoDBOperations"] {
        wait_for(thing, LONG, || build.exists(thing).then_some(()));
    }
    assert!(!build.exists("function LambdaFunctionOverHttps"));
    write(&build.file("go"), "");
    wait_for("the function", LONG, || build.exists("function LambdaFunctionOverHttps").then_some(()));
    drop(up);
}

#[test]
fn a_build_that_fails_meanwhile_says_what_stands() {
    let build = SlowBuild::new();
    write(&build.file("broken"), "");
    let up = build.up();
    wait_for("the role", LONG, || build.exists("role lambda-apigateway-role").then_some(()));
    write(&build.file("go"), "");
    let up = up.wait().exits(3);
    assert!(up.stderr.contains("error: it does not compile"), "{up}");
    assert!(up.stderr.contains("role lambda-apigateway-role: created"), "{up}");
    assert!(up.stderr.contains("function LambdaFunctionOverHttps: skipped"), "{up}");
}

#[test]
fn what_exists_is_not_changed_before_the_build_has_ended() {
    let build = SlowBuild::new();
    write(&build.file("go"), "");
    // The function does nothing, so the proof fails; everything stands all the same.
    let _ = build.up().wait();
    assert!(build.exists("function LambdaFunctionOverHttps"));
    std::fs::remove_file(build.file("go")).unwrap();
    std::fs::remove_file(build.file("building")).unwrap();
    build.lab.project.write("stack.toml", "[functions.LambdaFunctionOverHttps]\nlog-retention-days = 30\n");
    let _ = build.lab.proxy.take_calls();
    write(&build.file("broken"), "");
    let up = build.up();
    wait_for("the build", LONG, || build.file("building").exists().then_some(()));
    write(&build.file("go"), "");
    let up = up.wait().exits(1);
    assert!(up.stderr.contains("Nothing was changed."), "{up}");
    assert!(mutating(build.lab.proxy.take_calls()).is_empty(), "{up}");
}
