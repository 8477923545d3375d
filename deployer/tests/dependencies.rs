//! The crates that `deny.toml` bans are not in the lock file, whether or not cargo-deny is installed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::path::Path;

#[derive(serde::Deserialize)]
struct Deny {
    bans: Bans,
}

#[derive(serde::Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(serde::Deserialize)]
struct Ban {
    name: String,
    /// Like `<1` or `<0.4`: below this. Absent bans every version.
    version: Option<String>,
}

#[derive(serde::Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

fn is_banned(package: &Package, ban: &Ban) -> bool {
    package.name == ban.name
        && ban.version.as_deref().is_none_or(|below| {
            let below = below.strip_prefix('<').expect("bans name what is below a version");
            numbers(&package.version) < numbers(below)
        })
}

#[test]
fn nothing_that_is_banned_is_in_the_lock_file() {
    let (deny, lock): (Deny, Lock) = (read("deny.toml"), read("Cargo.lock"));
    assert!(!deny.bans.deny.is_empty() && lock.package.len() > 100);
    let found: Vec<String> = lock
        .package
        .iter()
        .filter(|package| deny.bans.deny.iter().any(|ban| is_banned(package, ban)))
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_ban_takes_only_the_versions_it_names() {
    let ban = Ban { name: "hyper".to_owned(), version: Some("<1".to_owned()) };
    let package = |version: &str| Package { name: "hyper".to_owned(), version: version.to_owned() };
    assert!(is_banned(&package("0.14.32"), &ban));
    assert!(!is_banned(&package("1.0.0"), &ban));
}
