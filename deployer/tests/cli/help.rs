//! The help texts, each a snapshot: whoever adds a verb or a flag sees how it reads.

use crate::{deployer, folder};
use clap::{Command, CommandFactory as _};

/// What stands above the flags of every verb.
const COMMON: &str = "\nOptions of every command:\n";

/// What stands above the examples, at the end.
const EXAMPLES: &str = "\nExamples:\n";

#[test]
fn every_verb_explains_itself() {
    let folder = folder();
    let mut all = String::new();
    let mut verbs = vec![Vec::new()];
    collect(&deployer::cli::Cli::command(), &mut Vec::new(), &mut verbs);
    assert!(verbs.len() > 5, "{verbs:?}");
    for verb in verbs {
        let mut args: Vec<&str> = verb.iter().map(String::as_str).collect();
        args.push("--help");
        let help = deployer(folder.path(), &args).run().succeeds();
        assert_eq!(help.stderr, "", "{help}");
        let longest = help.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "too wide: {help}");
        let (own, rest) = help.stdout.split_once(COMMON).unwrap();
        let (common, examples) = rest.split_once(EXAMPLES).map_or((rest, None), |(a, b)| (a, Some(b)));
        // What every verb has in common is shown once, so that a new flag changes one snapshot.
        args.pop();
        if args.is_empty() {
            insta::assert_snapshot!("deployer", help.stdout);
            all = common.to_owned();
        } else {
            let examples = examples.map(|examples| format!("{EXAMPLES}{examples}")).unwrap_or_default();
            insta::assert_snapshot!(format!("deployer-{}", args.join("-")), format!("{own}{examples}"));
            assert_eq!(common, all, "{help}");
        }
    }
}

/// All of them, with the verbs of verbs.
fn collect(command: &Command, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        path.push(verb.get_name().to_owned());
        all.push(path.clone());
        collect(verb, path, all);
        path.pop();
    }
}

#[test]
fn the_version_is_one_line() {
    let folder = folder();
    let version = deployer(folder.path(), &["--version"]).run().succeeds();
    assert_eq!(version.stdout, concat!("deployer ", env!("CARGO_PKG_VERSION"), "\n"));
}
