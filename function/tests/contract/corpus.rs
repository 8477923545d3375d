//! Runs every case of the corpus on every emulator that answers it like AWS.

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
fn ministack_gives_the_expected_answers() {
    run_on_emulator(Kind::Ministack);
}

#[test]
fn dynalite_gives_the_expected_answers() {
    run_on_emulator(Kind::Dynalite);
}

#[test]
fn canned_answers_give_the_expected_answers() {
    let canned = Arc::new(Mutex::new((200, String::new())));
    let answer = Arc::clone(&canned);
    let endpoint = serve(move |_| {
        let (status, body) = answer.lock().unwrap().clone();
        Response::from_dynamodb(status, &body)
    });
    let mut lambda = Lambda::start(&format!("http://{endpoint}"), &[]);
    let mut problems = Vec::new();
    for text in texts() {
        let case = Case::from_text(&text);
        if let Some((status, body)) = case.canned() {
            *canned.lock().unwrap() = (status, body.to_owned());
            let answer = lambda.invoke(case.event());
            report(&case, check(&case, &case.expected(), &answer), &mut problems);
        }
    }
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn every_case_runs_at_least_once() {
    let is_run = |case: &Case<'_>| {
        let emulators = [Kind::Ministack, Kind::Dynalite];
        case.canned().is_some() || emulators.iter().any(|kind| expected_on(case, *kind).is_some())
    };
    let count = texts().iter().filter(|text| is_run(&Case::from_text(text))).count();
    assert_eq!(count, CASES);
}

fn run_on_emulator(kind: Kind) {
    let emulator = Emulator::start(kind);
    let mut lambda = Lambda::start(&emulator.endpoint, &[]);
    let mut problems = Vec::new();
    for text in texts() {
        let case = Case::from_text(&text);
        let Some(expected) = expected_on(&case, kind) else {
            continue;
        };
        for (table, items) in case.tables() {
            emulator.replace_items(table, items);
        }
        let answer = lambda.invoke(case.event());
        report(&case, check(&case, &expected, &answer), &mut problems);
        if matches!(expected, Expected::Answer(_)) || !case.is_write() {
            report(&case, check_tables(&case, &expected, &emulator), &mut problems);
        }
    }
    assert_eq!(problems, Vec::<String>::new(), "{} of them", problems.len());
}

fn expected_on<'c>(case: &'c Case<'_>, kind: Kind) -> Option<Expected<'c>> {
    match case.emulator() {
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
            check_equal(&expected, &answer)
        }
        (Expected::Error { status, error_type, message }, Answer::Error(error)) => {
            let error = parse(error.as_bytes()).unwrap();
            let text = |name: &str| error.get(name).and_then(Json::text).unwrap_or_default();
            let actual = text("errorMessage");
            check_equal(*error_type, text("errorType"))?;
            match message {
                Message::Text(expected) => check_equal(expected.as_str(), actual)?,
                Message::Pattern(pattern)
                    if Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(actual) => {}
                Message::Pattern(pattern) => return Err(format!("{actual} does not match {pattern}")),
            }
            check_equal(&vec![(*status).parse().unwrap()], &statuses_of(actual))
        }
        (expected, answer) => Err(format!("expected {expected:?}, got {answer:?}")),
    }
}

fn check_equal<T: PartialEq + std::fmt::Debug + ?Sized>(expected: &T, actual: &T) -> Result<(), String> {
    if expected == actual { Ok(()) } else { Err(format!("expected {expected:?}, got {actual:?}")) }
}

/// Checks that an echo has the exact text of the payload.
fn check_echo(case: &Case<'_>, answer: &Answer) -> Result<(), String> {
    let event = parse(case.event().as_bytes()).unwrap();
    if event.get("operation") != Some(&Json::String("echo".into())) {
        return Ok(());
    }
    let payload = serde_json::to_string(event.get("payload").unwrap()).unwrap();
    check_equal(&Answer::Success(payload), answer)
}

/// Checks `ResponseMetadata`, which is the last member of an answer that has it.
fn check_metadata(text: &str) -> Result<(), String> {
    let answer = parse(text.as_bytes()).unwrap();
    let Some(metadata) = answer.get("ResponseMetadata") else {
        return Ok(());
    };
    let last = answer.members().and_then(<[_]>::last).map(|(name, _)| name.as_ref());
    check_equal(&Some("ResponseMetadata"), &last)?;
    check_equal(&Some(&Json::Number("200")), &metadata.get("HTTPStatusCode"))?;
    let headers = metadata.get("HTTPHeaders").and_then(Json::members).unwrap_or_default();
    let id = headers.iter().find(|(name, _)| name == "x-amzn-requestid").map(|(_, id)| id);
    check_equal(&id, &metadata.get("RequestId"))
}

/// Returns an answer in a canonical form: keys and unordered arrays are sorted, and volatile values are omitted. Numbers
/// keep their exact text.
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
            let member_path = |key: &str| {
                if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
            };
            let mut members: Vec<_> = members
                .iter()
                .filter(|(key, _)| !volatile.contains(&member_path(key).as_str()))
                .map(|(key, value)| {
                    format!("{key:?}:{}", canonical(value, &member_path(key), volatile, unordered))
                })
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        other => serde_json::to_string(other).unwrap(),
    }
}

/// Abbreviates long strings in the same way as the corpus.
fn abbreviate(json: Json<'_>) -> Json<'_> {
    match json {
        Json::String(text) if text.len() > 1_000 => {
            Json::String(format!("<{} chars {:.8}…>", text.chars().count(), text).into())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(abbreviate).collect()),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(key, value)| (key, abbreviate(value))).collect())
        }
        other => other,
    }
}

fn check_tables(case: &Case<'_>, expected: &Expected<'_>, emulator: &Emulator) -> Result<(), String> {
    if matches!(expected, Expected::Success) {
        return Ok(());
    }
    for (table, expected) in case.final_tables() {
        let items = emulator.items(table);
        let items = parse(items.as_bytes()).unwrap();
        let actual = canonical(&abbreviate(items), "items", &[], &["items"]);
        let expected = canonical(expected, "items", &[], &["items"]);
        check_equal(&expected, &actual).map_err(|problem| format!("final items of {table}: {problem}"))?;
    }
    Ok(())
}
