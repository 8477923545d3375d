//! Holds the README and the book in `docs` to the program: commands, options, manifest keys, JSON documents, requests,
//! test names and links.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command_reference;
mod manifest_reference;
mod pictures;

use clap::{Command, CommandFactory as _, Parser as _};
use deployer::cli::Cli;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use support::deployer::Deployer;
use support::lab::Lab;
use support::proxy::{At, Fault};
use support::repository;

type Names = BTreeSet<String>;

fn file(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn readme() -> String {
    file("README.md")
}

/// A page of the book, by its path in `docs/src`.
fn page(name: &str) -> String {
    file(&format!("docs/src/{name}"))
}

/// Every document for people, by its path in the repository.
fn documents() -> BTreeMap<String, String> {
    let mut names: Vec<String> = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "deployer/local/README.md",
    ]
    .map(str::to_owned)
    .into();
    names.extend(pages().into_iter().map(|name| format!("docs/src/{name}")));
    names.into_iter().map(|name| (name.clone(), file(&name))).collect()
}

/// The README and the pages of the book: what users read.
fn manual() -> BTreeMap<String, String> {
    let of_users = |name: &String| name == "README.md" || name.starts_with("docs/");
    documents().into_iter().filter(|(name, _)| of_users(name)).collect()
}

/// The pages of the book, as paths in `docs/src`.
fn pages() -> Vec<String> {
    let root = repository().join("docs/src");
    let mut pages = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// The text under a heading, up to the next one of any level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = format!("\n{heading}\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("there is no {heading}"));
    let end = rest.match_indices("\n#").map(|(at, _)| at);
    let mut end = end.filter(|at| rest[at + 1..].trim_start_matches('#').starts_with(' '));
    &rest[..end.next().unwrap_or(rest.len())]
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// What people are told to type, without comments.
fn commands(text: &str) -> Vec<&str> {
    let lines = blocks(text, "console").into_iter().flat_map(str::lines);
    let commands = lines.filter_map(|line| line.strip_prefix("$ "));
    commands.map(|command| command.split_once(" # ").map_or(command, |(command, _)| command).trim()).collect()
}

/// The rows of tables, as cells.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn flags(text: &str) -> Names {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 3).map(str::to_owned).collect()
}

fn flags_of<'a>(args: impl Iterator<Item = &'a clap::Arg>) -> Names {
    args.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
}

fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> Names {
    all.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_two_commands_of_a_new_machine_come_first() {
    let readme = readme();
    assert_eq!(commands(section(&readme, "## Quick start"))[..2], ["make up", "make test"]);
    assert_eq!(commands(&readme)[..2], ["make up", "make test"]);
}

#[test]
fn the_readme_is_a_front_door() {
    let readme = readme();
    assert!(readme.lines().count() <= 250, "what is longer belongs into the book");
    let headings: Vec<&str> = readme.lines().filter(|line| line.starts_with("## ")).collect();
    let first = ["## Quick start", "## A tour", "## Your own function", "## On AWS"];
    assert_eq!(headings[..4], first);
}

#[test]
fn every_make_target_that_is_named_exists() {
    let makefile = file("Makefile");
    for (name, text) in documents() {
        let typed = commands(&text).into_iter();
        for command in typed.chain(quoted(&text)).filter_map(|command| command.strip_prefix("make ")) {
            let targets = command.split_whitespace().take_while(|word| !word.contains('='));
            for target in targets {
                assert!(makefile.contains(&format!("\n{target}:")), "{name}: there is no make {target}");
            }
        }
    }
}

#[test]
fn every_command_line_is_understood() {
    let mut verbs = Names::new();
    for (name, text) in documents() {
        for command in commands(&text) {
            let command = command.split_once("$(").map_or(command, |(_, inner)| inner.trim_end_matches(')'));
            let command = command.split_once(" > ").map_or(command, |(command, _)| command);
            if command.starts_with("deployer ") {
                let parsed = Cli::try_parse_from(command.split_whitespace());
                assert!(parsed.is_ok(), "{name}: {command}: {parsed:?}");
                verbs.insert(command.split_whitespace().nth(1).unwrap().to_owned());
            }
        }
    }
    let all = Cli::command();
    assert_eq!(verbs, names(all.get_subcommands().map(Command::get_name)), "each verb has an example");
}

#[test]
fn the_reference_has_every_option() {
    let reference = page("reference/commands.md");
    let documented = |text: &str| flags(&rows(text).map(|row| row[0]).collect::<String>());
    let mut command = Cli::command();
    command.build();
    let ends = names(["--help", "--version"]);
    let common = &flags_of(command.get_arguments()) - &ends;
    assert_eq!(documented(section(&reference, "## Options of every command")), common);
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let own = verb.get_arguments().filter(|arg| !arg.is_global_set());
        let own = &flags_of(own) - &ends;
        let text = section(&reference, &format!("## {}", verb.get_name()));
        assert_eq!(documented(text), own, "options of {}", verb.get_name());
    }
}

#[test]
fn every_option_that_is_named_exists() {
    let mut command = Cli::command();
    command.build();
    let verbs = command.get_subcommands().flat_map(Command::get_arguments);
    let all = flags_of(command.get_arguments().chain(verbs));
    for (name, text) in manual() {
        for flag in text.lines().filter(|line| !line.starts_with("$ cargo")).flat_map(flags) {
            assert!(all.contains(&flag), "{name}: there is no {flag}");
        }
    }
}

#[test]
fn every_manifest_that_is_shown_is_accepted() {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("stack.schema.json", manifest_reference::schema()).unwrap();
    let schema = compiler.compile("stack.schema.json", &mut schemas).unwrap();
    let mut accepted = 0;
    for (name, text) in manual() {
        let declares = |block: &&str| block.lines().any(|line| line.starts_with("[functions."));
        for manifest in blocks(&text, "toml").into_iter().filter(declares) {
            let values: Value = toml::from_str(manifest).unwrap();
            let fits = schemas.validate(&values, schema).map_err(|error| format!("{error:#}"));
            assert_eq!(fits, Ok(()), "{name}: {manifest}");
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("stack.toml"), manifest).unwrap();
            // It reads the manifest and needs neither AWS nor the function's code.
            let cost = ["cost", "--region", "us-east-1", "--requests", "1M", "--duration-ms", "5"];
            let done = Deployer::new(folder.path()).args(cost).run().succeeds();
            assert!(done.stdout.contains("Lambda"), "{name}: {done}");
            accepted += 1;
        }
    }
    assert!(accepted >= 3, "{accepted}");
}

/// The fields of a table, with the values that it names.
fn fields(table: &str) -> BTreeMap<String, Names> {
    let rows = rows(table).skip(1);
    rows.map(|row| (quoted(row[0]).collect(), quoted(row[2]).map(str::to_owned).collect())).collect()
}

/// The fields of one kind of object, with the texts that they were seen to hold.
type Seen = BTreeMap<String, Names>;

/// Adds an object, or all of a list.
fn collect(seen: &mut BTreeMap<&str, Seen>, place: &'static str, value: &Value) {
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for (field, value) in all.iter().filter_map(Value::as_object).flatten() {
        let texts = seen.entry(place).or_default().entry(field.clone()).or_default();
        texts.extend(value.as_str().map(str::to_owned));
    }
}

#[test]
fn the_json_document_is_as_documented() {
    let reference = page("reference/json.md");
    let places = ["document", "resources", "changes", "error"];
    let headings = ["## Document", "## Resources", "## Changes", "## Error"];
    let tables = headings.map(|heading| fields(section(&reference, heading)));
    let tables: BTreeMap<&str, BTreeMap<String, Names>> = places.into_iter().zip(tables).collect();

    let lab = Lab::new();
    let run = |args: &[&str], code: i32| {
        lab.deployer(args).args(["--yes", "--output", "json"]).run().exits(code).json()
    };
    let plan = run(&["plan"], 0);
    // One that fails, so that all ends of a step are seen.
    lab.proxy.inject(At::operation("CreateFunction", 1), Fault::Expired);
    let failed = run(&["up"], 3);
    lab.proxy.heal();
    let up = run(&["up"], 0);
    let status = run(&["status"], 0);
    lab.project.declare("\n[tables.lambda-apigateway]\nsort-key = { name = \"at\", type = \"N\" }\n");
    let refused = run(&["plan"], 1);
    let down = run(&["down", "--keep-table"], 0);

    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    for document in [plan, failed, up, status, refused, down] {
        assert_eq!(document["schema_version"], 1);
        let all: Names = document.as_object().unwrap().keys().cloned().collect();
        assert_eq!(all, tables["document"].keys().cloned().collect(), "each field is always there");
        collect(&mut seen, "document", &document);
        collect(&mut seen, "resources", &document["resources"]);
        for resource in document["resources"].as_array().unwrap() {
            collect(&mut seen, "changes", &resource["changes"]);
        }
        collect(&mut seen, "error", &document["error"]);
    }
    for (place, fields) in &tables {
        assert_eq!(fields.keys().collect::<Vec<_>>(), seen[place].keys().collect::<Vec<_>>(), "{place}");
    }
    // What programs branch on.
    for (place, field) in
        [("document", "state"), ("resources", "kind"), ("resources", "outcome"), ("changes", "action")]
    {
        let unknown = &seen[place][field] - &tables[place][field];
        assert_eq!(unknown, Names::new(), "{place}: values of {field} that are not documented");
    }
}

/// What a command is shown to answer, for the first time that it stands there.
fn transcript<'a>(text: &'a str, command: &str) -> Vec<&'a str> {
    let (_, rest) = text.split_once(&format!("$ {command}\n")).unwrap();
    rest.lines().take_while(|line| !line.starts_with(['$', '`'])).collect()
}

/// Without times and ids, in no order: what happens at once ends as it likes. Without what only happens sometimes.
fn lines<'a>(all: impl IntoIterator<Item = &'a str>, url: &str) -> BTreeSet<String> {
    let id = url.split("/restapis/").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let sometimes = ["local AWS", "package ", "waiting for"];
    all.into_iter()
        .filter(|line| !sometimes.iter().any(|text| line.contains(text)))
        // The function of the test is a zip that is ready, and that of the text is built.
        .map(|line| line.strip_suffix(", quick build").unwrap_or(line))
        .map(|line| line.replace(url, "URL").replace(id, "ID"))
        .map(|line| match line.rsplit_once(" (") {
            Some((before, time)) if time.ends_with(" s)") => before.to_owned(),
            _ => line,
        })
        .collect()
}

#[test]
fn the_answers_of_up_and_status_are_as_shown() {
    let guide = page("guides/first-deployment.md");
    let up = transcript(&guide, "deployer up --local");
    let status = transcript(&guide, "deployer status --local");
    let url = *up.last().unwrap();
    assert_eq!(status.last(), Some(&url));

    let lab = Lab::new();
    let done = lab.deployer(&["up"]).run().succeeds();
    let real = done.last_line();
    assert_eq!(lines(done.stderr.lines().chain([real]), real), lines(up, url));
    let done = lab.deployer(&["status"]).run().succeeds();
    let stdout = done.stdout.replace(&lab.flags(), "--local");
    assert_eq!(lines(stdout.lines(), real), lines(status, url));
}

#[test]
fn the_bill_is_as_shown() {
    let guide = page("guides/cost.md");
    let command = "deployer cost --region us-east-1 --requests 1M --duration-ms 5";
    let folder = tempfile::tempdir().unwrap();
    let done = Deployer::new(folder.path()).args(command.split(' ').skip(1)).run().succeeds();
    let all: Vec<&str> = done.stdout.lines().chain(done.stderr.lines()).collect();
    assert_eq!(transcript(&guide, command), all);

    let json = Deployer::new(folder.path()).args(command.split(' ').skip(1)).args(["--output", "json"]);
    let json = json.run().succeeds().json();
    let reference = page("reference/json.md");
    let known = rows(section(&reference, "## cost")).flat_map(|row| [row[0], row[1]].map(quoted)).flatten();
    let known = names(known);
    let mut fields = Names::new();
    for object in [&json["cost"], &json["cost"]["lines"][0]] {
        fields.extend(object.as_object().unwrap().keys().cloned());
    }
    assert_eq!(&fields - &known, Names::new(), "fields of the bill that are not documented");
}

#[test]
fn the_requests_are_those_of_the_postman_collection() {
    let collection: Value = serde_json::from_str(&file("deployer/postman_collection.json")).unwrap();
    let items = collection["item"].as_array().unwrap();
    let sent = items.iter().map(|item| item["request"]["body"]["raw"].as_str().unwrap());
    let reference = page("reference/requests.md");
    let told = commands(&reference).into_iter();
    let told = told.filter_map(|command| command.split_once(" -d '")?.1.strip_suffix('\''));
    let told: Vec<&str> = told.collect();
    // The last one is the mistake.
    let (mistake, requests) = told.split_last().unwrap();
    assert_eq!(requests, sent.collect::<Vec<_>>());
    assert_eq!(requests.len(), 8);
    assert!(mistake.contains("fly"));
    for request in told {
        assert!(
            serde_json::from_str::<Value>(request).is_ok_and(|r| r["operation"].is_string()),
            "{request}"
        );
    }
}

#[test]
fn every_http_status_and_every_code_of_the_function_is_listed() {
    let reference = page("reference/requests.md");
    let table: Vec<Vec<&str>> = rows(section(&reference, "## Errors")).collect();
    let source = file("function/src/error_table.rs");
    let (patterns, codes) = source.split_once("fn status_of").unwrap();
    let numbers = patterns.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 3);
    let listed = names(table.iter().map(|row| row[0]));
    let missing = &names(numbers) - &listed;
    assert_eq!(missing, Names::new(), "HTTP statuses that are not listed");
    let arms: Vec<&str> = codes.split("=>").collect();
    for arm in arms.windows(2) {
        let status: String = arm[1].chars().filter(char::is_ascii_digit).take(3).collect();
        for code in arm[0].split('"').skip(1).step_by(2) {
            let row = table.iter().find(|row| row[0] == status).unwrap();
            assert!(quoted(row[2]).any(|known| known == code), "{code} does not stand at {status}");
        }
    }
}

fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_guarantee_has_its_test() {
    let page = page("concepts/guarantees.md");
    let mut code = String::new();
    for folder in ["deployer/src", "deployer/loadgen/src", "deployer/tests", "function/src", "function/tests"]
    {
        sources(&repository().join(folder), &mut code);
    }
    let guarantees: Vec<Vec<&str>> = rows(&page).filter(|row| row[0] != "guarantee").collect();
    assert!(guarantees.len() >= 39, "{}", guarantees.len());
    for row in guarantees {
        assert!(quoted(row[1]).next().is_some(), "{} names no test", row[0]);
        for test in quoted(row[1]) {
            assert!(code.contains(&format!("fn {test}(")), "there is no test {test}");
        }
    }
}

/// The anchors of a page, as GitHub and mdBook make them of its headings.
fn anchors(text: &str) -> Names {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let words = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    words.map(|words| words.chars().filter(plain).collect::<String>().replace(' ', "-")).collect()
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(normal.pop(), "{} leaves the repository", path.display()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[test]
fn every_link_leads_somewhere() {
    for (name, text) in documents() {
        let prose = text.split("```").step_by(2).collect::<String>();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("https://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, at)| (path, Some(at)));
            let linked = match path {
                "" => name.clone(),
                path => normal(&Path::new(&name).with_file_name("").join(path)).to_str().unwrap().to_owned(),
            };
            assert!(repository().join(&linked).exists(), "{name}: {target}");
            let known = |anchor| anchors(&file(&linked)).contains(anchor);
            assert!(anchor.is_none_or(known), "{name}: {target}: there is no such heading");
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_summary_and_in_no_other_place() {
    let summary = page("SUMMARY.md");
    let listed = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let listed: Vec<&str> = listed.collect();
    let pages: Vec<String> = pages().into_iter().filter(|page| page != "SUMMARY.md").collect();
    assert_eq!(names(listed.iter().copied()), names(pages.iter().map(String::as_str)));
    assert_eq!(listed.len(), pages.len(), "a page is listed twice");
    for (title, path) in summary.split('[').skip(1).filter_map(|entry| entry.split_once("](")) {
        let path = path.split(')').next().unwrap();
        assert_eq!(page(path).lines().next(), Some(&*format!("# {title}")), "{path}");
    }
}

#[test]
fn the_readme_leads_to_every_page_of_guides_concepts_and_reference() {
    let readme = readme();
    for page in pages() {
        if ["guides/", "concepts/", "reference/"].iter().any(|part| page.starts_with(part)) {
            assert!(readme.contains(&format!("(docs/src/{page})")), "{page}");
        }
    }
}

#[test]
fn the_map_of_the_code_is_complete() {
    let text = file("ARCHITECTURE.md");
    assert!(text.lines().count() <= 150, "what is longer belongs into the book");
    for entry in std::fs::read_dir(repository().join("deployer/src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let listed = [format!("`{module}`"), format!("`{module}.rs`"), format!("`{module}/`")];
        assert!(listed.iter().any(|name| text.contains(name)), "{module} is not in ARCHITECTURE.md");
    }
}
