//! The command reference, written from the command line's own definition.

use crate::{file, page};
use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use deployer::cli::Cli;
use std::fmt::Write as _;
use support::repository;

const PAGE: &str = "docs/src/reference/commands.md";

const INTRODUCTION: &str = "# Commands

<!-- Generated from the command line's definition in deployer/src/cli.rs. `make reference` writes it. -->
";

/// The whole page.
fn reference() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = INTRODUCTION.to_owned();
    let verbs: Vec<&Command> = verbs(&program).collect();
    page.push_str("\n| command | does |\n|---|---|\n");
    for verb in &verbs {
        let about = plain(verb.get_about());
        writeln!(page, "| [`deployer {0}`](#{0}) | {1} |", verb.get_name(), cell(&about)).unwrap();
    }
    page.push_str("\n## Options of every command\n\n");
    page.push_str(&options(program.get_arguments().filter(|argument| argument.is_global_set())));
    page.push_str("\n`--help` (`-h`) explains a command, and `--version` (`-V`) prints the version.\n");
    for verb in verbs {
        describe(verb, 2, &mut page);
    }
    page
}

fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| verb.get_name() != "help")
}

/// A heading, the text, the usage, the options, and the verbs below this one.
fn describe(verb: &Command, level: usize, page: &mut String) {
    let about = plain(verb.get_long_about().or(verb.get_about()));
    let paragraphs = about.split("\n\n").map(sentence).collect::<Vec<_>>().join("\n\n");
    let usage = plain(Some(&verb.clone().render_usage()));
    let usage = usage.trim_start_matches("Usage: ");
    write!(page, "\n{} {}\n\n{paragraphs}\n\n```text\n{usage}\n```\n", "#".repeat(level), verb.get_name())
        .unwrap();
    let own = verb.get_arguments().filter(|argument| !argument.is_global_set());
    let options = options(own.filter(|argument| !["help", "version"].contains(&argument.get_id().as_str())));
    if !options.is_empty() {
        write!(page, "\n{options}").unwrap();
    }
    let examples = plain(verb.get_after_long_help());
    let examples: Vec<&str> = examples.lines().skip(1).map(str::trim).collect();
    if !examples.is_empty() {
        page.push_str("\n```console\n");
        for example in examples {
            writeln!(page, "$ {example}").unwrap();
        }
        page.push_str("```\n");
    }
    for inner in verbs(verb) {
        describe(inner, level + 1, page);
    }
}

/// A table, or nothing.
fn options<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let rows: Vec<String> = arguments.map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("| option | means | default |\n|---|---|---|\n{}\n", rows.join("\n"))
}

fn row(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let value = values.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let name = match argument.get_long() {
        Some(long) if takes_value => format!("`--{long} {value}`"),
        Some(long) => format!("`--{long}`"),
        None => format!("`{value}`"),
    };
    let short = argument.get_short().map(|short| format!(", `-{short}`")).unwrap_or_default();
    let help = plain(argument.get_help());
    // A default that depends on something stands in the help text.
    let (help, computed) = match help.split_once(" [default: ") {
        Some((help, default)) => (help.to_owned(), Some(default.trim_end_matches(']').to_owned())),
        None => (help, None),
    };
    let fixed: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match computed {
        Some(text) => text,
        None if takes_value && !fixed.is_empty() => format!("`{}`", fixed.join(",")),
        None if argument.is_required_set() => "required".to_owned(),
        None => String::new(),
    };
    let choices: Vec<String> = if takes_value {
        let choices = argument.get_possible_values();
        choices.iter().map(|choice| format!("`{}`", choice.get_name())).collect()
    } else {
        Vec::new()
    };
    let choices = if choices.is_empty() { String::new() } else { format!("; {}", choices.join(", ")) };
    let variable = argument.get_env().map(|name| format!("; also `{}`", name.to_string_lossy()));
    let variable = variable.unwrap_or_default();
    format!("| {}{short} | {}{choices}{variable} | {} |", cell(&name), cell(&help), cell(&default))
}

/// Text without colours.
fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Text that stands in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// With a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

#[test]
fn the_command_reference_is_up_to_date() {
    assert!(file(PAGE) == reference(), "{PAGE} is not up to date: `make reference` writes it");
    assert!(page("reference/commands.md").starts_with("# Commands\n"));
}

#[test]
#[ignore = "it writes the reference instead of testing it; `make reference` runs it"]
fn writes_the_command_reference() {
    std::fs::write(repository().join(PAGE), reference()).unwrap();
}
