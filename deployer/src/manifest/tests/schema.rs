//! The JSON Schema says what reading does: every manifest that any test here reads must fit it, and at each value they must
//! agree.

use super::*;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(crate::manifest::schema);

/// The schema, after it was checked against the schema of schemas.
static VALIDATOR: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("stack.schema.json", SCHEMA.clone()).unwrap();
    let index = compiler.compile("stack.schema.json", &mut schemas).unwrap_or_else(|e| panic!("{e:#}"));
    (schemas, index)
});

/// Why the schema refuses a manifest, if it does.
fn refusal(text: &str) -> Option<String> {
    let manifest: Value = match toml::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(manifest) => manifest,
        Err(error) => return Some(error.to_string()),
    };
    let (schemas, index) = &*VALIDATOR;
    schemas.validate(&manifest, *index).err().map(|error| format!("{error:#}"))
}

pub(super) fn assert_accepts(text: &str) {
    if let Some(why) = refusal(text) {
        panic!("the schema refuses what is read: {why}\n\n{text}");
    }
}

/// A place of a manifest that the schema describes. `SOME` stands for a name that people choose, `NAME` is that name itself, and
/// `0` is an item of a list.
struct Place<'s> {
    path: Vec<&'s str>,
    schema: &'s Value,
}

impl Place<'_> {
    fn name(&self) -> String {
        self.path.join(".")
    }
}

fn places() -> Vec<Place<'static>> {
    fn collect(path: Vec<&'static str>, schema: &'static Value, all: &mut Vec<Place<'static>>) {
        let inside = |key| [&path[..], &[key]].concat();
        for way in schema["anyOf"].as_array().into_iter().flatten() {
            collect(path.clone(), way, all);
        }
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            collect(inside(key), inner, all);
        }
        if schema["additionalProperties"].is_object() {
            collect(inside("SOME"), &schema["additionalProperties"], all);
            collect(inside("NAME"), &schema["propertyNames"], all);
        }
        if schema["items"].is_object() {
            collect(inside("0"), &schema["items"], all);
        }
        all.push(Place { path, schema });
    }
    let mut all = Vec::new();
    collect(Vec::new(), &SCHEMA, &mut all);
    // The manifest itself.
    all.pop();
    all
}

/// A manifest in which this place may have any value without a clash: a function without a route may take its time, and one
/// with a role of its own may have any policy.
fn around(place: &Place<'_>) -> Value {
    if place.path.len() == 1 {
        return json!({});
    }
    let route = json!({ "method": "GET", "path": "/", "function": "other" });
    let mut manifest = json!({
        "functions": { "SOME": {}, "other": { "role": "other" } },
        "tables": { "SOME": {} },
        "api": { "routes": [route] },
    });
    match place.path[..] {
        ["tables", "SOME", key @ ("partition-key" | "sort-key"), _] => {
            manifest["tables"]["SOME"][key] = json!({ "name": "some", "type": "S" });
        }
        ["tables", "SOME", "billing", _] => {
            manifest["tables"]["SOME"]["billing"] = json!({ "read": 1, "write": 1 });
        }
        ["functions", "SOME", "zip" | "runtime" | "handler"] => {
            manifest["functions"]["SOME"] = json!({ "zip": "a", "runtime": "a", "handler": "a" });
        }
        ["api", "proof", _] => {
            let route = |path: &str| json!({ "method": "ANY", "path": path, "function": "other" });
            manifest["api"]["routes"] = json!([route("/"), route("/{proxy+}")]);
            manifest["api"]["proof"] = json!({ "path": "/", "method": "POST" });
        }
        ["api", "throttle", _] => manifest["api"]["throttle"] = json!({ "rate": 1, "burst": 1 }),
        _ => {}
    }
    manifest
}

/// The same with this value there, as TOML.
fn with(place: &Place<'_>, value: &Value) -> String {
    let mut manifest = around(place);
    let mut inside = &mut manifest;
    let (last, before) = place.path.split_last().unwrap();
    for key in before {
        inside = match *key {
            "0" => &mut inside[0],
            key => &mut inside[key],
        };
    }
    match (*last, value) {
        ("NAME", Value::String(name)) => {
            let is_text =
                ["tags", "environment", "variables", "error-responses"].contains(before.last().unwrap());
            inside[name] = if is_text { json!("a") } else { json!({}) };
        }
        ("0", value) => *inside = json!([value]),
        // No other name is one of a status.
        ("SOME", value) if before.ends_with(&["error-responses"]) => inside["404"] = value.clone(),
        (key, value) => inside[key] = value.clone(),
    }
    written(&manifest)
}

fn written(manifest: &Value) -> String {
    let lines =
        manifest.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {}\n", inline(value)));
    lines.collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(keys) => {
            let keys = keys.iter().map(|(key, value)| format!("{} = {}", json!(key), inline(value)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Values on both sides of every limit that the schema states.
fn probes(schema: &Value) -> Vec<Value> {
    let mut numbers = vec![-1, 0, 1, 2];
    let mut lengths = vec![0, 1, 2, 3, 50];
    for (key, limit) in schema.as_object().unwrap() {
        let Some(limit) = limit.as_i64() else { continue };
        match key.as_str() {
            "minLength" | "maxLength" => lengths.extend([limit - 1, limit, limit + 1]),
            "minimum" | "maximum" => numbers.extend([limit - 1, limit, limit + 1]),
            _ => {}
        }
    }
    let mut values = vec![json!(true), json!(0.5), json!(-0.5), json!([]), json!({}), json!({ "a": 1 })];
    for known in schema["enum"].as_array().into_iter().flatten() {
        match known.as_i64() {
            Some(number) => numbers.extend([number - 1, number, number + 1]),
            None => values.extend([known.clone(), json!(known.as_str().unwrap().to_lowercase())]),
        }
    }
    for known in schema["oneOf"].as_array().into_iter().flatten().chain([schema]) {
        values.extend(known.get("const").cloned());
    }
    values.extend(schema.get("default").cloned());
    values.extend(numbers.into_iter().map(Value::from));
    let repeated = lengths.into_iter().filter_map(|length| usize::try_from(length).ok());
    values.extend(repeated.map(|length| json!("a".repeat(length))));
    if !matches!(schema["type"].as_str(), Some("string") | None) {
        return values;
    }
    for char in (' '..='~').chain(['é']) {
        values.extend([format!("aa{char}aa"), format!("{char}aaa")].map(Value::from));
    }
    values.extend(TEXTS.map(Value::from));
    values
}

/// What has a meaning somewhere.
const TEXTS: [&str; 47] = [
    "SOME",
    "other",
    "200",
    "404",
    "600",
    "40",
    "default",
    ".*",
    "a\nb",
    "aws:a",
    "AWS:a",
    "deployer:a",
    "Deployer:a",
    "AWS_REGION",
    "_HANDLER",
    "AWS_LAMBDA_EXEC_WRAPPER",
    "a1",
    "1a",
    "us-east-1",
    "us-gov-west-1",
    "us-east",
    "us-east-1a",
    "east-1",
    "us--1",
    "123456789012",
    "12345678901",
    "/",
    "/a",
    "/a/",
    "//a",
    "/a//b",
    "/{a}",
    "/{a}/b",
    "/{a+}",
    "/{a+}/b",
    "/{}",
    "/{+}",
    "/{a",
    "/a{b}",
    "/{a}b",
    "/a/{b}/{c+}",
    "arn:aws:iam::123456789012:policy/a",
    "arn:aws-cn:iam::aws:policy/a/b",
    "arn:aws:iam::1:policy/a",
    "arn:aws:iam:us-east-1:123456789012:policy/a",
    "arn:aws:iam::123456789012:policy/",
    "arn:aws:iam::123456789012:role/a",
];

/// Places where reading knows more than a schema can: whether a name or a route is declared, and whether a pattern's brackets are
/// closed.
const LOOSE: [&str; 5] = [
    "api.proof.path",
    "functions.SOME.tables.0",
    "api.routes.0.function",
    "api.error-responses.SOME",
    "api.routes.0.error-responses.SOME",
];

#[test]
fn the_schema_and_reading_agree_about_every_value() {
    let (mut accepted, mut refused) = (0, 0);
    for place in &places() {
        let name = place.name();
        let (mut fit, mut fail) = (0, 0);
        for probe in probes(place.schema) {
            if name.ends_with("NAME") && !probe.is_string() {
                continue;
            }
            let text = with(place, &probe);
            let read = Manifest::parse(&text, Path::new("stack.toml"), "");
            let by_schema = refusal(&text);
            if by_schema.is_none() && read.is_err() && LOOSE.contains(&name.as_str()) {
                continue;
            }
            assert_eq!(
                read.is_ok(),
                by_schema.is_none(),
                "{name} = {probe}\nreading: {}\nschema: {by_schema:?}",
                read.map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
            );
            if by_schema.is_none() { fit += 1 } else { fail += 1 }
        }
        assert!(fail > 0, "{name}: nothing was refused");
        // What has to have something in it is accepted where that is tried.
        let is_never_empty = ["required", "minItems"].iter().any(|key| place.schema.get(key).is_some());
        assert!(fit > 0 || is_never_empty, "{name}: nothing was accepted");
        accepted += fit;
        refused += fail;
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} {refused}");
}

#[test]
fn every_key_of_the_schema_is_one_that_reading_knows_and_the_other_way_round() {
    let root = Place { path: Vec::new(), schema: &SCHEMA };
    let mut tables = 0;
    for place in places().iter().chain([&root]).filter(|place| place.schema["properties"].is_object()) {
        let keys = place.schema["properties"].as_object().unwrap();
        let unknown = json!({ "unknown": 1 });
        let text = if place.path.is_empty() { written(&unknown) } else { with(place, &unknown) };
        let message = mistake(&text);
        let (_, known) = message.split_once("its keys are ").unwrap_or_else(|| panic!("{text}\n{message}"));
        let known: BTreeSet<&str> = known.lines().next().unwrap().split(", ").collect();
        let described: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!(described, known, "{}", place.name());
        for (key, schema) in keys {
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{}.{key} has no description: {text}", place.name());
        }
        tables += 1;
    }
    assert!(tables >= 9, "{tables}");
}

#[test]
fn the_defaults_of_the_schema_are_those_of_reading() {
    let read = |text: &str| format!("{:?}", parse(text).unwrap_or_else(|error| panic!("{text}\n{error}")));
    let mut tried = 0;
    for place in places() {
        if let Some(default) = place.schema.get("default") {
            let explicit = read(&with(&place, default));
            assert_eq!(explicit, read(&written(&around(&place))), "{} = {default}", place.name());
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn the_schema_knows_that_a_get_has_no_body() {
    let text = "[api.proof]\npath = \"/DynamoDBManager\"\nmethod = \"GET\"\nbody = \"{}\"";
    assert!(parse(text).is_err() && refusal(text).is_some());
    parse(&text.replace("GET", "POST")).unwrap();
}

#[test]
fn the_schema_knows_what_goes_with_error_responses() {
    let more = "integration = \"aws-proxy\"\nerror-responses = { 404 = \"a\" }";
    let text = route("GET", "/", more);
    assert!(parse(&text).is_err() && refusal(&text).is_some());
    parse(&route("GET", "/", "integration = \"aws\"\nerror-responses = { 404 = \"a\" }")).unwrap();
}

#[test]
fn the_schema_knows_what_goes_with_a_zip() {
    let wrong = [
        "zip = \"a.zip\"",
        "zip = \"a.zip\"\nruntime = \"nodejs24.x\"",
        "runtime = \"nodejs24.x\"",
        "handler = \"index.handler\"",
        "package = \"a\"\nhandler = \"index.handler\"",
        "zip = \"a.zip\"\nruntime = \"nodejs24.x\"\nhandler = \"index.handler\"\npackage = \"a\"",
        "zip = \"a.zip\"\nruntime = \"nodejs24.x\"\nhandler = \"index.handler\"\nbinary = \"a\"",
    ];
    for keys in wrong {
        let text = format!("[functions.f]\n{keys}");
        assert!(parse(&text).is_err() && refusal(&text).is_some(), "{text}");
    }
    parse("[functions.f]\nzip = \"a.zip\"\nruntime = \"nodejs24.x\"\nhandler = \"index.handler\"").unwrap();
}
