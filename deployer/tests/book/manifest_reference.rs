//! The tables of the manifest reference, written from the JSON Schema that `deployer schema` prints.

use crate::{file, page};
use serde_json::Value;
use std::fmt::Write as _;
use support::deployer::Deployer;
use support::repository;

const PAGE: &str = "docs/src/reference/manifest.md";

/// What stands before and after is written by hand.
const BEGIN: &str =
    "<!-- Generated from the types in deployer/src/manifest. `make reference` writes it. -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

/// The whole page.
fn reference() -> String {
    let page = file(PAGE);
    let (before, rest) = page.split_once(BEGIN).unwrap_or_else(|| panic!("{PAGE} lacks {BEGIN}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{PAGE} lacks {END}"));
    let mut sections = String::new();
    section("Top level", &schema(), None, &mut sections);
    format!("{before}{BEGIN}{sections}\n{END}{after}")
}

pub(crate) fn schema() -> Value {
    let folder = tempfile::tempdir().unwrap();
    Deployer::new(folder.path()).arg("schema").run().succeeds().json()
}

/// A section of the manifest with its table, and the sections in it. `names` is the schema of its name, if people choose it.
fn section(heading: &str, schema: &Value, names: Option<&Value>, page: &mut String) {
    write!(page, "\n## {heading}\n\n{}", described(schema)).unwrap();
    if let Some(names) = names {
        write!(page, " `NAME` has {}.", characters(names)).unwrap();
    }
    page.push_str("\n\n| key | type | default | meaning |\n|---|---|---|---|\n");
    let mut inner = String::new();
    for (key, value, required) in keys(schema) {
        row(key, value, required, page);
        let place = if heading == "Top level" {
            key.to_owned()
        } else {
            let outer = heading.trim_matches(['`', '[', ']']).to_owned();
            format!("{outer}.{key}")
        };
        let entries = &value["additionalProperties"];
        if is_table(entries) {
            section(&format!("`[{place}.NAME]`"), entries, Some(&value["propertyNames"]), &mut inner);
        } else if is_table(&value["items"]) {
            section(&format!("`[[{place}]]`"), &value["items"], None, &mut inner);
        } else if is_table(value) && heading == "Top level" {
            section(&format!("`[{place}]`"), value, None, &mut inner);
        } else {
            // Such a table is short, and mostly written on one line.
            for way in value["anyOf"].as_array().into_iter().flatten().chain([value]) {
                for (inner_key, value, required) in keys(way) {
                    row(&format!("{key}.{inner_key}"), value, required, page);
                }
            }
        }
    }
    page.push_str(&inner);
}

/// The keys of a table with their schemas, and whether they are required: those first, otherwise by name.
fn keys(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required =
        |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|k| k == key));
    let keys = schema["properties"].as_object().into_iter().flatten();
    let mut keys: Vec<_> = keys.map(|(key, value)| (key.as_str(), value, required(key))).collect();
    keys.sort_by_key(|(key, _, required)| (!required, *key));
    keys
}

fn is_table(schema: &Value) -> bool {
    schema["properties"].is_object()
}

fn row(key: &str, schema: &Value, required: bool, page: &mut String) {
    let default = match schema.get("default") {
        _ if required => "required".to_owned(),
        None => String::new(),
        Some(default) => default_of(default),
    };
    writeln!(page, "| `{key}` | {} | {default} | {} |", type_of(schema), meaning(schema)).unwrap();
}

/// As TOML writes it. What is empty is no default that anybody would write.
fn default_of(value: &Value) -> String {
    match value {
        Value::Object(keys) if keys.values().all(Value::is_object) => {
            keys.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        }
        Value::Object(keys) => {
            let keys = keys.iter().map(|(key, value)| format!("{key} = {value}"));
            format!("`{{ {} }}`", keys.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) if text.is_empty() => String::new(),
        value => format!("`{value}`"),
    }
}

fn type_of(schema: &Value) -> String {
    for ways in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[ways].as_array() {
            return ways.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(only) = schema.get("const") {
        return format!("`{only}`");
    }
    if let Some(all) = schema["enum"].as_array() {
        let all: Vec<String> = all.iter().map(|value| format!("`{value}`")).collect();
        return all.join(" ");
    }
    match schema["type"].as_str().unwrap() {
        "string" => characters(schema),
        "boolean" => "`true` or `false`".to_owned(),
        "array" if is_table(&schema["items"]) => "tables, below".to_owned(),
        "array" => {
            let least = schema["minItems"].as_i64().map(|least| format!(", at least {least}"));
            format!("list of {}{}", type_of(&schema["items"]), least.unwrap_or_default())
        }
        "object" if is_table(schema) => "table".to_owned(),
        "object" if is_table(&schema["additionalProperties"]) => "tables, below".to_owned(),
        "object" => map(schema),
        number => format!("{}{}", if number == "integer" { "whole number" } else { "number" }, range(schema)),
    }
}

/// A table whose keys are names that people choose.
fn map(schema: &Value) -> String {
    let most = schema["maxProperties"].as_i64().map(|most| format!(", at most {most}"));
    let names = match characters(&schema["propertyNames"]) {
        names if names.is_empty() => names,
        names => format!("; names: {names}"),
    };
    let values = match characters(&schema["additionalProperties"]) {
        values if values == "text" => String::new(),
        values => format!("; values: {}", values.trim_start_matches("text, ")),
    };
    format!("table of text{}{names}{values}", most.unwrap_or_default())
}

fn range(schema: &Value) -> String {
    if let Some(bound) = schema["exclusiveMinimum"].as_f64() {
        return format!(" above {bound}");
    }
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        // The largest number of 32 bits stands for a quota that nobody reaches.
        (Some(least), Some(most)) if most == i64::from(i32::MAX) => format!(", at least {least}"),
        (Some(least), Some(most)) => format!(", {least}–{most}"),
        _ => String::new(),
    }
}

/// How long a text may be, and of which characters. The form of other texts stands in their descriptions.
fn characters(schema: &Value) -> String {
    let length = match (schema["minLength"].as_i64(), schema["maxLength"].as_i64()) {
        (Some(1), None) => "not empty".to_owned(),
        (Some(least), Some(most)) => format!("{least}–{most} characters"),
        (None, Some(most)) => format!("at most {most} characters"),
        _ => String::new(),
    };
    let class =
        schema["pattern"].as_str().and_then(|pattern| pattern.strip_prefix("^[")?.strip_suffix("]*$"));
    let set = match class {
        Some(" -~") => "of printable ASCII".to_owned(),
        Some(class) if class.starts_with('^') => String::new(),
        Some(class) => format!("of `{}`", spaced(class)),
        None => String::new(),
    };
    let about = [length, set].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match schema["type"].as_str() {
        Some("string") if about.is_empty() => "text".to_owned(),
        Some("string") => format!("text, {about}"),
        _ => about,
    }
}

/// The ranges and characters of a regular expression's class, apart from each other.
fn spaced(class: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = class;
    for range in ["a-z", "A-Z", "0-9"] {
        if let Some(after) = rest.strip_prefix(range) {
            parts.push(range.to_owned());
            rest = after;
        }
    }
    let characters = rest.replace('\\', "");
    parts.extend(characters.chars().map(|c| if c == ' ' { "space".to_owned() } else { c.to_string() }));
    parts.join(" ")
}

fn described(schema: &Value) -> String {
    schema["description"].as_str().unwrap().replace("\n\n", " ")
}

/// The description, and what each of several values means.
fn meaning(schema: &Value) -> String {
    let mut text = described(schema);
    for ways in ["oneOf", "anyOf"].iter().filter_map(|ways| schema[*ways].as_array()) {
        for way in ways {
            let value = way.get("const").map_or_else(|| "A table".to_owned(), |value| format!("`{value}`"));
            write!(text, " {value}: {}", described(way)).unwrap();
        }
    }
    text.replace('|', "\\|")
}

#[test]
fn the_manifest_reference_is_up_to_date() {
    assert!(file(PAGE) == reference(), "{PAGE} is not up to date: `make reference` writes it");
}

#[test]
fn the_manifest_reference_has_every_key() {
    fn every_key(schema: &Value, all: &mut Vec<String>) {
        match schema {
            Value::Object(inner) => {
                all.extend(
                    inner
                        .get("properties")
                        .and_then(Value::as_object)
                        .iter()
                        .flat_map(|keys| keys.keys())
                        .cloned(),
                );
                inner.values().for_each(|value| every_key(value, all));
            }
            Value::Array(items) => items.iter().for_each(|item| every_key(item, all)),
            _ => {}
        }
    }
    let page = page("reference/manifest.md");
    let mut all = Vec::new();
    every_key(&schema(), &mut all);
    assert!(all.len() > 40, "{all:?}");
    for key in all {
        assert!(page.contains(&format!("| `{key}` |")) || page.contains(&format!(".{key}` |")), "{key}");
    }
}

#[test]
#[ignore = "it writes the reference instead of testing it; `make reference` runs it"]
fn writes_the_manifest_reference() {
    std::fs::write(repository().join(PAGE), reference()).unwrap();
}
