//! Where a project's files are, and what its packages and binaries are called, is Cargo's business.

use crate::Place;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use support::cargo_project::{CargoProject, answering, package, write};

/// A stack of two functions, each with a package of its own.
const TWO: &str = r#"
[functions.One]
package = "first"

[functions.Two]
package = "second-one_2"

[[api.routes]]
method = "POST"
path = "/one"
function = "One"

[[api.routes]]
method = "POST"
path = "/two"
function = "Two"
"#;

fn ask(place: &Place, manifest: &Path, function: &str) -> String {
    let asked = place.deployer(manifest, &["invoke", "{}", "--function", function]).run().succeeds();
    serde_json::from_str(&asked.stdout).unwrap()
}

/// A workspace of two packages whose binaries have one name.
fn workspace() -> CargoProject {
    let project = CargoProject::empty("two packages");
    project.write("Cargo.toml", "[workspace]\nmembers = [\"first\", \"second\"]\nresolver = \"3\"\n");
    for (folder, name) in [("first", "first"), ("second", "second-one_2")] {
        let binary = "[[bin]]\nname = \"bootstrap\"\npath = \"src/main.rs\"\n";
        project.write(&format!("{folder}/Cargo.toml"), &format!("{}{binary}", package(name)));
        project.write(&format!("{folder}/src/main.rs"), &answering(&format!("{name:?}.to_owned()")));
    }
    project.write("stack.toml", TWO);
    project
}

#[test]
fn two_packages_with_a_binary_of_one_name_keep_their_code_apart() {
    let place = Place::new();
    let project = workspace();
    let manifest = project.manifest();
    for n in 0..3 {
        for (folder, name) in [("first", "first"), ("second", "second-one_2")] {
            project
                .write(&format!("{folder}/src/main.rs"), &answering(&format!("\"{name} {n}\".to_owned()")));
        }
        let _ = place.up(&manifest);
        assert_eq!(ask(&place, &manifest, "One"), format!("first {n}"));
        assert_eq!(ask(&place, &manifest, "Two"), format!("second-one_2 {n}"));
    }
    let _ = place.deployer(&manifest, &["up", "--release"]).run().succeeds();
    assert_eq!(ask(&place, &manifest, "One"), "first 2");
    assert_eq!(ask(&place, &manifest, "Two"), "second-one_2 2");
    let _ = place.up(&manifest);
    // A manifest in a member's folder builds members of the same workspace.
    project.write("first/stack.toml", TWO);
    let member = project.path("first/stack.toml");
    assert!(place.up(&member).stderr.contains("Everything is as declared."));
}

#[test]
fn a_package_may_have_several_binaries() {
    let place = Place::new();
    let project = CargoProject::new("many");
    let manifest = project.manifest();
    project.write("src/bin/in-bin_2.rs", &answering("\"in bin\".to_owned()"));
    let up = place.deployer(&manifest, &["up"]).run().exits(2);
    assert!(up.stderr.contains("the package many has 2 binaries, and a function starts one"), "{up}");
    assert!(up.stderr.contains("binary = \"in-bin_2\""), "{up}");
    project.write(
        "stack.toml",
        "[functions.LambdaFunctionOverHttps]\npackage = \"many\"\nbinary = \"in-bin_2\"\n",
    );
    assert_eq!(place.deployed(&manifest), "in bin");
    project.write("Cargo.toml", &package("many").replace("edition", "default-run = \"many\"\nedition"));
    project.write("stack.toml", "");
    assert_eq!(place.deployed(&manifest), "one");
    project.write("stack.toml", "[functions.LambdaFunctionOverHttps]\npackage = \"mani\"\n");
    let up = place.deployer(&manifest, &["up"]).run().exits(2);
    assert!(up.stderr.contains("has no package mani"), "{up}");
    assert!(up.stderr.contains("Did you mean package = \"many\"?"), "{up}");
}

#[test]
fn the_target_folder_is_where_cargo_puts_it() {
    let place = Place::new();
    let project = CargoProject::new("shop");
    let manifest = project.manifest();
    let elsewhere = project.beside("elsewhere");
    let up = |answer: &str| {
        project.write("src/main.rs", &answering(&format!("{answer:?}.to_owned()")));
        place.deployed(&manifest)
    };
    project
        .write(".cargo/config.toml", &format!("[build]\ntarget-dir = {:?}\n", elsewhere.join("configured")));
    assert_eq!(up("configured"), "configured");
    project.write(".cargo/config.toml", "[build]\ntarget = \"x86_64-unknown-linux-gnu\"\n");
    assert_eq!(up("with a target"), "with a target");
    // A project for Lambda on arm64 runs on this machine all the same.
    let foreign = if cfg!(target_arch = "x86_64") { "aarch64" } else { "x86_64" };
    project.write(".cargo/config.toml", &format!("[build]\ntarget = \"{foreign}-unknown-linux-gnu\"\n"));
    assert_eq!(up("for another processor"), "for another processor");
    std::fs::remove_dir_all(project.path("target")).unwrap();
    std::fs::remove_dir_all(project.path(".cargo")).unwrap();
    // A source that cannot be written to; root may write everywhere, so what appears is looked at as well.
    let read_only =
        |mode: u32| std::fs::set_permissions(project.root(), std::fs::Permissions::from_mode(mode)).unwrap();
    project.write("src/main.rs", &answering("\"read only\".to_owned()"));
    read_only(0o555);
    let _ = place
        .deployer(&manifest, &["up"])
        .env("CARGO_TARGET_DIR", elsewhere.join("variable"))
        .run()
        .succeeds();
    read_only(0o755);
    assert_eq!(place.answer(&manifest), "read only");
    assert!(!project.path("target").exists() && !project.path(".deployer").exists());
}

#[test]
fn a_folder_with_a_colon_needs_a_target_folder_without_one() {
    let place = Place::new();
    let project = CargoProject::empty("a:b");
    project.write("Cargo.toml", &package("shop"));
    // Cargo runs a build script with a search path of libraries, which cannot hold a colon.
    project.write("build.rs", "fn main() {}");
    project.write("src/main.rs", &answering("\"colon\".to_owned()"));
    let manifest = project.manifest();
    let up = place.deployer(&manifest, &["up"]).run();
    assert_ne!(up.code, Some(0), "{up}");
    assert!(up.stderr.contains("Cargo cannot build in a folder with a colon in its path"), "{up}");
    let elsewhere = project.beside("target");
    let _ = place.deployer(&manifest, &["up"]).env("CARGO_TARGET_DIR", elsewhere).run().succeeds();
    assert_eq!(place.answer(&manifest), "colon");
}

#[test]
fn a_checkout_can_be_moved_with_its_tools() {
    let zig = std::fs::read_link(support::repository().join(".venv/bin/zig")).unwrap();
    assert!(zig.is_relative(), "{}", zig.display());
}

#[test]
fn features_patches_worktrees_and_spaces_are_cargos_business() {
    let place = Place::new();
    let project = CargoProject::empty("a project, with \"quotes\"");
    let features = "helper = \"0.1\"\n\n[features]\ndefault = [\"loud\"]\nloud = []\n\n[patch.crates-io]\nhelper = { path = \"../helper\" }\n";
    project.write("Cargo.toml", &format!("{}{features}", package("shop")));
    write(&project.beside("helper/Cargo.toml"), &package("helper"));
    write(&project.beside("helper/src/lib.rs"), "pub const HELP: &str = \"patched\";");
    project.write("src/main.rs", &answering("format!(\"{} {}\", helper::HELP, cfg!(feature = \"loud\"))"));
    let manifest = project.manifest();
    assert_eq!(place.deployed(&manifest), "patched true");
    let git = |args: &[&str]| {
        let identity =
            ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"];
        let done =
            Command::new("git").current_dir(project.root()).args(identity).args(args).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    project.write(".gitignore", "target\n.deployer\n");
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    let worktree = project.beside("worktree");
    git(&["worktree", "add", "-q", worktree.to_str().unwrap()]);
    write(&worktree.join("src/main.rs"), &answering("\"worktree\".to_owned()"));
    assert_eq!(place.deployed(&worktree.join("stack.toml")), "worktree");
}
