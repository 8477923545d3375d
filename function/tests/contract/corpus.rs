//! Every case of the corpus, on every emulator that answers it as AWS does.

use std::sync::{Arc, Mutex};

use function::json::{Json, parse};
use regex_lite::Regex;

use crate::{
    error_patterns::statuses_of,
    support::{
        case::{CASES, Case, Expected, Message, texts},
        emulator::{Emulator, Kind},
        http::{Response, serve},
        lambda::{Answer, Lambda},
    },
};

#[test]
fn on_ministack() {
    on(Kind::Ministack);
}

#[test]
fn on_dynalite() {
    on(Kind::Dynalite);
}

#[test]
fn with_canned_answers() {
    let canned = Arc::new(Mutex::new((200, String::new())));
    let answer = Arc::clone(&canned);
    let endpoint = serve(move |_| {
        let (status, body) = answer.lock().unwrap().clone();
        Response::of_dynamodb(status, &body)
    });
    let mut lambda = Lambda::start(&format!("http://{endpoint}"), &[]);
    let mut problems = Vec::new();
    for text in texts() {
        let case = Case::read(&text);
        if let Some((status, body)) = case.canned() {
            *canned.lock().unwrap() = (status, body.to_owned());
            let answer = lambda.invoke(case.event());
            report(&case, check(&case, &case.expected(), &answer), &mut problems);
        }
    }
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn every_case_is_run_somewhere() {
    let run = |case: &Case<'_>| {
        let emulators = [Kind::Ministack, Kind::Dynalite];
        case.canned().is_some() || emulators.iter().any(|kind| expected_on(case, *kind).is_some())
    };
    let run = texts().iter().filter(|text| run(&Case::read(text))).count();
    assert_eq!(run, CASES);
}

fn on(kind: Kind) {
    let emulator = Emulator::start(kind);
    let mut lambda = Lambda::start(&emulator.endpoint, &[]);
    let mut problems = Vec::new();
    for text in texts() {
        let case = Case::read(&text);
        let Some(expected) = expected_on(&case, kind) else {
            continue;
        };
        for (table, items) in case.tables() {
            emulator.fill(table, items);
        }
        let answer = lambda.invoke(case.event());
        report(&case, check(&case, &expected, &answer), &mut problems);
        if matches!(expected, Expected::Answer(_)) || !case.changed() {
            report(&case, check_tables(&case, &expected, &emulator), &mut problems);
        }
    }
    assert_eq!(problems, Vec::<String>::new(), "{} of them", problems.len());
}

fn expected_on<'c>(case: &'c Case<'_>, kind: Kind) -> Option<Expected<'c>> {
    match case.place() {
        "stub" => None,
        _ => case.expected_on(kind.name()),
    }
}

fn report(case: &Case<'_>, result: Result<(), String>, problems: &mut Vec<String>) {
    problems.extend(result.err().map(|problem| format!("{}: {problem:.800}", case.id())));
}

fn check(case: &Case<'_>, expected: &Expected<'_>, answer: &Answer) -> Result<(), String> {
    match (expected, answer) {
        (Expected::Success, Answer::Success(_)) => check_echo(case, answer),
        (Expected::Answer(expected), Answer::Success(text)) => {
            check_metadata(text)?;
            let [expected, answer] =
                [expected, &&parse(text.as_bytes()).unwrap()].map(|json| comparable(case, json));
            same(&expected, &answer)
        }
        (Expected::Error { status, error_type, message }, Answer::Error(error)) => {
            let error = parse(error.as_bytes()).unwrap();
            let text = |name: &str| error.get(name).and_then(Json::text).unwrap_or_default();
            let got = text("errorMessage");
            same(*error_type, text("errorType"))?;
            match message {
                Message::Text(expected) => same(expected.as_str(), got)?,
                Message::Pattern(pattern)
                    if Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(got) => {}
                Message::Pattern(pattern) => return Err(format!("{got} does not match {pattern}")),
            }
            same(&vec![(*status).parse().unwrap()], &statuses_of(got))
        }
        (expected, answer) => Err(format!("expected {expected:?}, got {answer:?}")),
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(expected: &T, got: &T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("expected {expected:?}, got {got:?}")) }
}

/// An echo must have the payload's exact text.
fn check_echo(case: &Case<'_>, answer: &Answer) -> Result<(), String> {
    let event = parse(case.event().as_bytes()).unwrap();
    if event.get("operation") != Some(&Json::String("echo".into())) {
        return Ok(());
    }
    let payload = serde_json::to_string(event.get("payload").unwrap()).unwrap();
    same(&Answer::Success(payload), answer)
}

/// Checks `ResponseMetadata`, which is the last member of an answer that has it.
fn check_metadata(text: &str) -> Result<(), String> {
    let answer = parse(text.as_bytes()).unwrap();
    let Some(metadata) = answer.get("ResponseMetadata") else {
        return Ok(());
    };
    let last = answer.members().and_then(<[_]>::last).map(|(name, _)| name.as_ref());
    same(&Some("ResponseMetadata"), &last)?;
    same(&Some(&Json::Number("200")), &metadata.get("HTTPStatusCode"))?;
    let headers = metadata.get("HTTPHeaders").and_then(Json::members).unwrap_or_default();
    let id = headers.iter().find(|(name, _)| name == "x-amzn-requestid").map(|(_, id)| id);
    same(&id, &metadata.get("RequestId"))
}

/// An answer in a form that can be compared: keys and unordered arrays sorted, volatile values left out. Numbers keep
/// their exact text.
fn comparable(case: &Case<'_>, json: &Json<'_>) -> String {
    let volatile =
        [case.volatile(), vec!["ResponseMetadata.RequestId", "ResponseMetadata.HTTPHeaders"]].concat();
    canonical(json, "", &volatile, &case.unordered())
}

fn canonical(json: &Json<'_>, path: &str, volatile: &[&str], unordered: &[&str]) -> String {
    match json {
        Json::Array(values) => {
            let mut values: Vec<_> =
                values.iter().map(|value| canonical(value, "[]", volatile, unordered)).collect();
            if unordered.contains(&path) {
                values.sort();
            }
            format!("[{}]", values.join(","))
        }
        Json::Object(members) => {
            let at = |key: &str| {
                if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
            };
            let mut members: Vec<_> = members
                .iter()
                .filter(|(key, _)| !volatile.contains(&at(key).as_str()))
                .map(|(key, value)| format!("{key:?}:{}", canonical(value, &at(key), volatile, unordered)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        other => serde_json::to_string(other).unwrap(),
    }
}

/// Abbreviates long strings as the corpus does in its tables.
fn abbreviated(json: Json<'_>) -> Json<'_> {
    match json {
        Json::String(text) if text.len() > 1_000 => {
            Json::String(format!("<{} chars {:.8}…>", text.chars().count(), text).into())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(abbreviated).collect()),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(key, value)| (key, abbreviated(value))).collect())
        }
        other => other,
    }
}

fn check_tables(case: &Case<'_>, expected: &Expected<'_>, emulator: &Emulator) -> Result<(), String> {
    if matches!(expected, Expected::Success) {
        return Ok(());
    }
    for (table, items) in case.after() {
        let items_now = emulator.items(table);
        let items_now = parse(items_now.as_bytes()).unwrap();
        let got = canonical(&abbreviated(items_now), "items", &[], &["items"]);
        let expected = canonical(items, "items", &[], &["items"]);
        same(&expected, &got).map_err(|problem| format!("afterwards in {table}: {problem}"))?;
    }
    Ok(())
}
