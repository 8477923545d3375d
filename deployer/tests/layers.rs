//! The layers of `deployer/src`: each module uses only those below it, so that there are no circles. Also how long a source
//! file may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top. ARCHITECTURE.md says what each is.
const LAYERS: [&str; 29] = [
    "printable",
    "files",
    "shell",
    "machine",
    "names",
    "nesting",
    "error",
    "time",
    "proof",
    "lab",
    "manifest",
    "pricing",
    "http",
    "aws",
    "engine",
    "packaging",
    "resources",
    "invocation",
    "logs",
    "smoke",
    "cli",
    "local_aws",
    "config",
    "stack",
    "output",
    "app",
    "loadtest",
    "tuning",
    "commands",
];

/// The same within `resources`.
const SERVICES: [&str; 6] = ["account_limits", "iam", "logs", "dynamodb", "api_gateway", "lambda"];

/// Every source file of the program, without its unit tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" && name != "testing" {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "testing.rs"].contains(&name.as_str())
        {
            files.push(path);
        }
    }
    files
}

/// The modules that a text names after this path.
fn used(text: &str, path: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for rest in text.split(path).skip(1) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some(group) = rest.strip_prefix('{') {
            let names = group.split("};").next().unwrap().split([',', '{', '}']);
            let names = names.filter_map(|path| path.trim().split("::").next());
            used.extend(names.filter(|name| LAYERS.contains(name)).map(str::to_owned));
        } else {
            used.insert(rest.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    used
}

/// What each module uses of those beside it, with a file that does. `path` is what names of modules follow.
fn arrows(root: &Path, path: &str) -> BTreeMap<(String, String), PathBuf> {
    let mut arrows = BTreeMap::new();
    for file in sources(root) {
        let inside = file.strip_prefix(root).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        if ["main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for other in used(program(&text), path) {
            arrows.entry((module.clone(), other)).or_insert_with(|| inside.to_owned());
        }
    }
    arrows.retain(|(from, to), _| from != to);
    arrows
}

/// Every arrow that does not point downwards.
fn wrong(arrows: &BTreeMap<(String, String), PathBuf>, layers: &[&str]) -> Vec<String> {
    let layer = |name: &str| layers.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for ((from, to), file) in arrows {
        match (layer(from), layer(to)) {
            (Some(above), Some(below)) if above > below => {}
            (Some(_), Some(_)) => wrong.push(format!("{} uses {to}, which lies above it", file.display())),
            _ => wrong.push(format!("{}: the layers lack {from} or {to}", file.display())),
        }
    }
    wrong
}

#[test]
fn each_module_uses_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let arrows = arrows(&root, "crate::");
    assert!(arrows.len() > 100, "{arrows:?}");
    let wrong = wrong(&arrows, &LAYERS);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_service_uses_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
    let arrows = arrows(&root, "crate::resources::");
    assert!(!arrows.is_empty());
    let wrong = wrong(&arrows, &SERVICES);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Another program can use it.
#[test]
fn the_load_generator_knows_neither_deployer_nor_aws() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("loadgen/Cargo.toml");
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    for dependencies in ["dependencies", "dev-dependencies"] {
        for name in manifest[dependencies].as_table().unwrap().keys() {
            let is_foreign = ["deployer", "aws-", "clap", "toml"].iter().any(|start| name.starts_with(start));
            assert!(!is_foreign, "loadgen depends on {name}");
        }
    }
}

/// The text of a source file without its unit tests.
fn program(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

/// Every file of a folder that has more lines than this, without its unit tests.
fn longer_than(lines: usize, folder: &Path) -> Vec<String> {
    let files = sources(folder);
    assert!(files.len() > 5, "{} has only {} files", folder.display(), files.len());
    let lengths = files.into_iter().map(|file| {
        let length = program(&fs::read_to_string(&file).unwrap()).lines().count();
        (file, length)
    });
    let long = lengths.filter(|(_, length)| *length > lines);
    long.map(|(file, length)| format!("{} has {length} lines", file.display())).collect()
}

#[test]
fn each_command_is_a_short_script() {
    let commands = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    assert_eq!(longer_than(100, &commands), [""; 0]);
}

#[test]
fn each_source_file_has_at_most_400_lines() {
    let deployer = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "loadgen/src", "../function/src"] {
        assert_eq!(longer_than(400, &deployer.join(folder)), [""; 0]);
    }
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let line = "//\n";
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", line.repeat(400));
    for name in ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs"] {
        fs::write(folder.path().join(name), line.repeat(10) + &tests).unwrap();
    }
    fs::write(folder.path().join("long.rs"), line.repeat(11) + &tests).unwrap();
    let long = longer_than(10, folder.path());
    assert_eq!(long, [format!("{} has 11 lines", folder.path().join("long.rs").display())]);
}

#[test]
fn an_arrow_upwards_is_found() {
    let up = BTreeMap::from([(("time".to_owned(), "engine".to_owned()), PathBuf::from("time.rs"))]);
    assert_eq!(wrong(&up, &LAYERS), ["time.rs uses engine, which lies above it"]);
    let new = BTreeMap::from([(("new".to_owned(), "engine".to_owned()), PathBuf::from("new.rs"))]);
    assert_eq!(wrong(&new, &LAYERS), ["new.rs: the layers lack new or engine"]);
}

#[test]
fn reads_every_way_to_name_a_module() {
    let text =
        "use crate::error::{Error, Result};\nuse crate::{aws::Aws, time};\nlet x = crate::files::read();";
    assert_eq!(used(text, "crate::").into_iter().collect::<Vec<_>>(), ["aws", "error", "files", "time"]);
}
