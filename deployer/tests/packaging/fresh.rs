//! Whatever a binary is made of, a change of it is deployed.

use crate::Place;
use std::process::Command;
use support::cargo_project::{CargoProject, answering, package, write};

#[test]
fn every_input_of_a_build_counts() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    let manifest = project.manifest();
    assert_eq!(place.deployed(&manifest), "one");
    assert!(place.up(&manifest).stderr.contains("Everything is as declared."));

    project.write("src/main.rs", &answering("\"two\".to_owned()"));
    assert_eq!(place.deployed(&manifest), "two", "a source");

    let told = r#"format!("{:?} {} {}", option_env!("GREETING"), cfg!(told), cfg!(debug_assertions))"#;
    project.write("src/main.rs", &answering(told));
    assert_eq!(place.deployed(&manifest), "None false true");
    let with = |variable: &str, value: &str| {
        let _ = place.deployer(&manifest, &["up"]).env(variable, value).run().succeeds();
        place.answer(&manifest)
    };
    assert_eq!(with("GREETING", "hello"), "Some(\"hello\") false true", "a variable that the source reads");
    assert_eq!(with("RUSTFLAGS", "--cfg told"), "None true true", "RUSTFLAGS");
    assert_eq!(
        with("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
        "None false false",
        "a variable of the profile"
    );

    project.write(".cargo/config.toml", "[build]\nrustflags = [\"--cfg\", \"told\"]\n");
    assert_eq!(place.deployed(&manifest), "None true true", "Cargo's configuration");

    write(&project.beside("outside/Cargo.toml"), &package("outside"));
    write(&project.beside("outside/src/lib.rs"), "pub fn said() -> String { \"outside\".to_owned() }");
    project.write("Cargo.toml", &format!("{}outside = {{ path = \"../outside\" }}\n", package("shop")));
    project.write("src/main.rs", &answering("outside::said()"));
    assert_eq!(place.deployed(&manifest), "outside");
    write(&project.beside("outside/src/lib.rs"), "pub fn said() -> String { \"changed\".to_owned() }");
    assert_eq!(place.deployed(&manifest), "changed", "a dependency outside the project");

    let reads = r#"fn main() { println!("cargo::rerun-if-changed=data"); let data = std::fs::read_to_string("data").unwrap(); println!("cargo::rustc-env=DATA={data}"); }"#;
    project.write("build.rs", reads);
    project.write("data", "first");
    project.write("src/main.rs", &answering("env!(\"DATA\").to_owned()"));
    assert_eq!(place.deployed(&manifest), "first");
    project.write("data", "second");
    assert_eq!(place.deployed(&manifest), "second", "what a build script reads");
}

#[test]
fn a_copy_of_a_project_runs_its_own_code() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    assert_eq!(place.deployed(&project.manifest()), "one");
    let copy = project.beside("copy");
    let copied = Command::new("cp").arg("-r").args([project.root(), copy.clone()]).status().unwrap();
    assert!(copied.success());
    write(&copy.join("src/main.rs"), &answering("\"copy\".to_owned()"));
    assert_eq!(place.deployed(&copy.join("stack.toml")), "copy");
    assert_eq!(place.deployed(&project.manifest()), "one");
    let link = project.beside("link");
    std::os::unix::fs::symlink(&copy, &link).unwrap();
    write(&copy.join("src/main.rs"), &answering("\"linked\".to_owned()"));
    assert_eq!(place.deployed(&link.join("stack.toml")), "linked", "by a symbolic link");
}

#[test]
fn a_broken_source_leaves_the_function_that_runs() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    let manifest = project.manifest();
    assert_eq!(place.deployed(&manifest), "one");
    project.write("src/main.rs", "fn main() { let text: String = 5; }");
    let up = place.deployer(&manifest, &["up"]).run().exits(1);
    assert!(up.stderr.contains("error[E0308]: mismatched types"), "{up}");
    assert!(up.stderr.contains("Nothing was changed."), "{up}");
    assert_eq!(place.answer(&manifest), "one");
}
