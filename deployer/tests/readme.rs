//! Keeps README.md true: its commands, flags, keys, documents, requests and links are those that there are.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use clap::{Command, CommandFactory as _, Parser as _};
use deployer::cli::Cli;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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

/// The text under a heading, up to the next one of any level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = format!("\n{heading}\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("there is no {heading}"));
    let end = rest.match_indices("\n#").map(|(at, _)| at);
    let mut end = end.filter(|at| rest[at + 1..].trim_start_matches('#').starts_with(' '));
    &rest[..end.next().unwrap_or(rest.len())]
}

/// What people are told to type.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("console\n"));
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).collect()
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
fn the_two_commands_of_a_new_machine_come_first_and_exist() {
    let readme = readme();
    assert_eq!(commands(section(&readme, "## Quick start"))[..2], ["make up", "make test"]);
    let makefile = file("Makefile");
    let targets = commands(&readme).into_iter().filter_map(|command| command.strip_prefix("make "));
    let listed = section(&readme, "## Development").split_once("targets:").unwrap().1;
    let listed = quoted(listed.split_once('.').unwrap().0);
    for target in targets.chain(listed) {
        assert!(makefile.contains(&format!("\n{target}:")), "there is no make {target}");
    }
}

#[test]
fn every_command_line_is_understood() {
    let readme = readme();
    let mut verbs = Names::new();
    for command in commands(&readme) {
        let command = command.split_once("$(").map_or(command, |(_, inner)| inner.trim_end_matches(')'));
        if command.starts_with("deployer ") {
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
            verbs.insert(command.split_whitespace().nth(1).unwrap().to_owned());
        }
    }
    let all = Cli::command();
    assert_eq!(verbs, names(all.get_subcommands().map(Command::get_name)), "each verb has an example");
}

#[test]
fn the_tables_of_flags_are_complete() {
    let readme = readme();
    let documented = |text: &str| flags(&rows(text).map(|row| row[0]).collect::<String>());
    let mut command = Cli::command();
    command.build();
    let (text, _) = section(&readme, "## Commands").split_once("**stdout is data").unwrap();
    assert_eq!(documented(text), flags_of(command.get_arguments()), "flags of every command");
    let mut all = flags_of(command.get_arguments());
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let own = verb.get_arguments().filter(|arg| !arg.is_global_set());
        let own = &flags_of(own) - &names(["--help", "--version"]);
        let text = section(&readme, &format!("### {}", verb.get_name()));
        assert_eq!(documented(text), own, "flags of {}", verb.get_name());
        all.extend(own);
    }
    let ours = readme.lines().filter(|line| !line.starts_with("$ cargo"));
    for flag in ours.flat_map(flags) {
        assert!(all.contains(&flag), "there is no {flag}");
    }
}

/// The keys of every section of the table, by its heading.
fn documented_keys() -> BTreeMap<String, Names> {
    let mut sections: BTreeMap<String, Names> = BTreeMap::new();
    let mut place = String::new();
    let readme = readme();
    for row in rows(section(&readme, "## Manifest")).skip(1) {
        if let Some(heading) = row[0].strip_prefix("**") {
            place = heading.replace(['*', '`'], "");
            continue;
        }
        for key in quoted(row[0]) {
            sections.entry(place.clone()).or_default().insert(key.to_owned());
            // A table in a table: `{ rate, burst }`.
            if let Some((_, inner)) = row[1].split_once('{') {
                let inner = inner.split_once('}').unwrap().0.split(',').map(|key| key.trim().to_owned());
                sections.insert(key.to_owned(), inner.collect());
            }
        }
    }
    sections
}

/// The keys that the parser knows, from its own words about one that it does not.
fn known_keys(manifest: &str) -> Names {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stack.toml"), manifest).unwrap();
    let done = Deployer::new(folder.path()).args(["plan"]).run().exits(2);
    let (_, keys) = done.stderr.split_once("its keys are ").unwrap_or_else(|| panic!("{done}"));
    names(keys.lines().next().unwrap().split(", "))
}

#[test]
fn the_table_of_the_manifest_has_every_key() {
    let known = [
        ("top level", "x = 1"),
        ("[tables.NAME]", "[tables.some]\nx = 1"),
        ("partition-key", "[tables.some]\npartition-key = { x = 1 }"),
        ("sort-key", "[tables.some]\nsort-key = { x = 1 }"),
        ("billing", "[tables.some]\nbilling = { x = 1 }"),
        ("[functions.NAME]", "[functions.some]\nx = 1"),
        ("[api]", "[api]\nx = 1"),
        ("throttle", "[api]\nthrottle = { x = 1 }"),
        ("[[api.routes]]", "[[api.routes]]\nx = 1"),
    ];
    let known = known.map(|(place, manifest)| (place.to_owned(), known_keys(manifest)));
    assert_eq!(documented_keys(), BTreeMap::from(known));
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
    let readme = readme();
    let tables = section(&readme, "### JSON").split("\n\n").filter(|block| block.starts_with('|'));
    let places = ["document", "resources", "changes", "error"].into_iter();
    let tables: BTreeMap<&str, BTreeMap<String, Names>> = places.zip(tables.map(fields)).collect();

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
    let readme = readme();
    let up = transcript(section(&readme, "### up"), "deployer up --local");
    let status = transcript(section(&readme, "### status"), "deployer status --local");
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
    let readme = readme();
    let command = "deployer cost --region us-east-1 --requests 1M --duration-ms 5";
    let folder = tempfile::tempdir().unwrap();
    let done = Deployer::new(folder.path()).args(command.split(' ').skip(1)).run().succeeds();
    let all: Vec<&str> = done.stdout.lines().chain(done.stderr.lines()).collect();
    assert_eq!(transcript(section(&readme, "### cost"), command), all);

    let json = Deployer::new(folder.path()).args(command.split(' ').skip(1)).args(["--output", "json"]);
    let json = json.run().succeeds().json();
    let known = rows(section(&readme, "### cost")).flat_map(|row| [row[0], row[1]].map(quoted)).flatten();
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
    let readme = readme();
    let told = commands(section(&readme, "## Requests")).into_iter();
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
    let readme = readme();
    let table: Vec<Vec<&str>> = rows(section(&readme, "## Requests")).collect();
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
    let readme = readme();
    let mut code = String::new();
    for folder in ["deployer/src", "deployer/tests", "function/src", "function/tests"] {
        sources(&repository().join(folder), &mut code);
    }
    let guarantees: Vec<Vec<&str>> = rows(section(&readme, "## Guarantees")).skip(1).collect();
    assert!(guarantees.len() > 5);
    for row in guarantees.iter().filter(|row| row[0] != "---") {
        assert!(quoted(row[1]).next().is_some(), "{} names no test", row[0]);
        for test in quoted(row[1]) {
            assert!(code.contains(&format!("fn {test}()")), "there is no test {test}");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let heading = |line: &str| {
        let words = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        Some(words.replace(' ', "-"))
    };
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = file(name);
        let anchors: Vec<String> = text.lines().filter_map(heading).collect();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            match target.strip_prefix('#') {
                Some(anchor) => assert!(anchors.iter().any(|a| a == anchor), "{name}: {target}"),
                None if target.starts_with("https://") => {}
                None => assert!(repository().join(target).exists(), "{name}: {target}"),
            }
        }
    }
}

#[test]
fn the_map_of_the_code_is_complete() {
    let text = file("ARCHITECTURE.md");
    for entry in std::fs::read_dir(repository().join("deployer/src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let listed = [format!("`{module}.rs`"), format!("`{module}/`")];
        assert!(listed.iter().any(|name| text.contains(name)), "{module} is not in ARCHITECTURE.md");
    }
}
