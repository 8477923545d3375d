//! cargo-lambda's own settings: what belongs to the package is honoured, what is ours is not.

use crate::Place;
use support::cargo_project::{CargoProject, answering, package};

const SETTINGS: &str = r#"
[features]
loud = []

[package.metadata.lambda.build]
output_format = "zip"
lambda_dir = "elsewhere"
include = ["greeting.txt"]
features = ["loud"]
"#;

/// Both ways of building, for a package as `cargo new` makes it: there is no profile `lambda`.
#[test]
fn quick_and_release_builds_honour_the_settings() {
    let place = Place::new();
    let project = CargoProject::empty("shop");
    project.write("Cargo.toml", &format!("{}{SETTINGS}", package("shop")));
    project.write("greeting.txt", "hello");
    let answer = r#"format!("{} {} {}", std::fs::read_to_string("greeting.txt").unwrap(), cfg!(feature = "loud"), cfg!(debug_assertions))"#;
    project.write("src/main.rs", &answering(answer));
    let manifest = project.manifest();
    assert_eq!(place.deployed(&manifest), "hello true true");
    let status = place.deployer(&manifest, &["status"]).run().succeeds();
    assert!(status.stdout.contains("quick build"), "{status}");

    let _ = place.deployer(&manifest, &["up", "--release"]).run().succeeds();
    assert_eq!(place.answer(&manifest), "hello true false");
    let status = place.deployer(&manifest, &["status"]).run().succeeds();
    assert!(status.stdout.contains("release build"), "{status}");
    assert!(!project.path("elsewhere").exists());
    let again = place.deployer(&manifest, &["up", "--release"]).run().succeeds();
    assert!(again.stderr.contains("Everything is as declared."), "{again}");

    project.write("greeting.txt", "changed");
    assert_eq!(place.deployed(&manifest), "changed true true");
    std::fs::remove_file(project.path("greeting.txt")).unwrap();
    let up = place.deployer(&manifest, &["up"]).run();
    assert_ne!(up.code, Some(0), "{up}");
    assert!(up.stderr.contains("for the include \"greeting.txt\" of cargo-lambda's settings"), "{up}");
}

#[test]
fn an_architecture_that_the_package_fixes_must_be_the_declared_one() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    project
        .write("Cargo.toml", &format!("{}[package.metadata.lambda.build]\narm64 = true\n", package("shop")));
    let plan = place.deployer(&project.manifest(), &["plan", "--release"]).run().exits(2);
    assert!(
        plan.stderr.contains(
            "cargo-lambda's settings build the package shop for arm64, and the manifest declares x86_64"
        ),
        "{plan}"
    );
}

#[test]
fn a_zip_in_place_of_a_package_is_no_build() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    let manifest = project.manifest();
    let _ = place.deployer(&manifest, &["up", "--release"]).run().succeeds();
    std::fs::copy(project.path("target/deployer/shop.shop.x86_64.zip"), project.path("ready.zip")).unwrap();
    let declared = "[functions.LambdaFunctionOverHttps]\nzip = \"ready.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\nlab = true\n";
    project.write("stack.toml", declared);
    assert_eq!(place.deployed(&manifest), "one");
    let status = place.deployer(&manifest, &["status"]).run().succeeds();
    assert!(!status.stdout.contains("build"), "{status}");
    assert!(place.up(&manifest).stderr.contains("Everything is as declared."));
}
