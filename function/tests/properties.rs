//! Tests properties that hold for any JSON and for any bytes.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a panic fails the test")]

use std::{collections::BTreeSet, future::ready, pin::pin, task};

use function::{
    Action, ERROR_RESPONSES, Exchange, Outcome, Reply, Store, StoreError,
    attribute::{Plain, Typed},
    handle,
    json::{Json, parse},
};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
};
use regex_lite::Regex;

/// A store that answers each request with the request itself, and returns the key as the item.
#[derive(Default)]
struct Mirror;

impl Store for Mirror {
    fn perform(&self, _: Action, _: &str, body: Vec<u8>) -> impl Future<Output = Result<Reply, StoreError>> {
        let text = String::from_utf8(body).unwrap();
        let body = text.replacen(r#""Key":"#, r#""Item":"#, 1).into();
        ready(Ok(Reply { status: 200, headers: Vec::new(), body, exchange: Exchange::default() }))
    }
}

fn handle_event(event: &[u8]) -> Outcome {
    let mut future = pin!(handle(&Mirror, event));
    match future.as_mut().poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(outcome) => outcome,
        task::Poll::Pending => unreachable!("the mirror answers at once"),
    }
}

/// Generates the text of a JSON number. DynamoDB refuses some of them.
fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?"
}

/// Generates a string as JSON text, with all kinds of escapes.
fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        r#""([ !#-\[\]-~]|\\["\\/bfnrt]|\\u00[0-9a-f]{2}|\\ud83d\\ude0[0-9a-f]|é|☃|😀){0,12}""#,
    ]
}

/// Generates a value as compact JSON text without duplicate keys.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        number(),
        string(),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            object(inner),
        ]
    })
}

fn object(values: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let keys = btree_set(any::<String>(), 0..6).prop_map(Vec::from_iter).prop_shuffle();
    keys.prop_flat_map(move |keys| (Just(keys.clone()), vec(values.clone(), keys.len()))).prop_map(
        |(keys, values)| {
            let member = |(key, value)| format!("{}:{value}", serde_json::to_string(key).unwrap());
            let members: Vec<String> = keys.iter().zip(&values).map(member).collect();
            format!("{{{}}}", members.join(","))
        },
    )
}

fn write(json: &impl serde::Serialize) -> String {
    serde_json::to_string(json).unwrap()
}

/// Generates JSON text with a few changed bytes, which is often invalid.
fn mutated_json() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3);
    (value(), vec(change, 0..4)).prop_map(|(text, changes)| {
        let mut text = text.into_bytes();
        for (index, byte, kind) in changes {
            let index = index.index(text.len().max(1));
            match kind {
                0 if index < text.len() => text[index] = byte,
                1 if index < text.len() => drop(text.remove(index)),
                _ => text.insert(index.min(text.len()), byte),
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn a_value_survives_serializing_and_parsing(text in value()) {
        let json = parse(text.as_bytes()).unwrap();
        let written = write(&json);
        prop_assert_eq!(parse(written.as_bytes()).unwrap(), json.clone());
        // Serializing may change escapes the first time, but not the second time.
        prop_assert_eq!(write(&parse(written.as_bytes()).unwrap()), written);
    }

    #[test]
    fn attribute_values_survive_conversion_in_both_directions(text in value()) {
        let json = parse(text.as_bytes()).unwrap();
        let typed = write(&Typed(&json));
        let typed = parse(typed.as_bytes()).unwrap();
        prop_assert_eq!(write(&Plain(&typed)), write(&json));
    }

    #[test]
    fn an_item_is_returned_unchanged(item in object(value().boxed())) {
        let event = format!(r#"{{"operation":"read","tableName":"t","payload":{{"Key":{item}}}}}"#);
        let answer = handle_event(event.as_bytes()).response.unwrap();
        let answer = parse(answer.as_bytes()).unwrap();
        let sent = parse(item.as_bytes()).unwrap();
        prop_assert_eq!(write(answer.get("Item").unwrap()), write(&sent));
    }

    #[test]
    fn a_typed_payload_is_sent_and_returned_unchanged(item in object(value().boxed())) {
        let item = parse(item.as_bytes()).unwrap();
        let members = item.members().unwrap().iter();
        let typed: Vec<String> =
            members.map(|(key, value)| format!("{}:{}", write(key), write(&Typed(value)))).collect();
        let typed = format!("{{{}}}", typed.join(","));
        let event = format!(r#"{{"operation":"read","tableName":"t","typedPayload":{{"Key":{typed}}}}}"#);
        let answer = handle_event(event.as_bytes()).response.unwrap();
        let answer = parse(answer.as_bytes()).unwrap();
        prop_assert_eq!(write(answer.get("Item").unwrap()), typed);
    }

    #[test]
    fn an_echo_returns_the_payload(text in value()) {
        let answer = handle_event(format!(r#"{{"operation":"echo","payload":{text}}}"#).as_bytes());
        let payload = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(answer.response.unwrap(), write(&payload));
    }

    #[test]
    fn the_parser_accepts_json_and_nothing_else(text in mutated_json()) {
        // serde_json accepts the same texts, but refuses numbers beyond the range of a float.
        let reference: Result<serde_json::Value, _> = serde_json::from_slice(&text);
        let actual = parse(&text);
        match reference {
            Ok(value) => prop_assert_eq!(value.is_object(), actual.unwrap().members().is_some()),
            Err(error) if error.to_string().starts_with("number out of range") => {}
            Err(_) => prop_assert!(actual.is_err()),
        }
    }

    #[test]
    fn the_last_of_duplicate_keys_wins(members in vec(("[a-c]", 0..9_u8), 0..30)) {
        let text: Vec<String> = members.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
        let text = format!("{{{}}}", text.join(","));
        let json = parse(text.as_bytes()).unwrap();
        let keys: BTreeSet<_> = members.iter().map(|(key, _)| key.as_str()).collect();
        prop_assert_eq!(json.members().unwrap().len(), keys.len());
        for key in keys {
            let last = members.iter().rfind(|(name, _)| name == key).unwrap().1.to_string();
            prop_assert_eq!(json.get(key), Some(&Json::Number(&last)));
        }
    }

    #[test]
    fn any_bytes_get_an_answer_or_an_error_that_matches_one_pattern(event in prop_oneof![
        vec(any::<u8>(), 0..200),
        mutated_json(),
        request().prop_map(String::into_bytes),
    ]) {
        let outcome = handle_event(&event);
        match outcome.response {
            Ok(text) => prop_assert!(parse(text.as_bytes()).is_ok()),
            Err(failure) => prop_assert_eq!(statuses_of(&failure.message), [failure.status]),
        }
    }
}

/// Generates requests with valid and invalid operations, tables and parameters.
fn request() -> impl Strategy<Value = String> {
    let operation = prop_oneof![
        prop::sample::select(vec!["create", "read", "update", "delete", "list", "echo", "ping"])
            .prop_map(|name| format!("{name:?}")),
        value(),
    ];
    let parameter = prop::sample::select(vec![
        "TableName",
        "Item",
        "Key",
        "Expected",
        "AttributeUpdates",
        "ScanFilter",
        "Limit",
        "Segment",
        "AttributesToGet",
        "ConsistentRead",
        "ReturnValues",
        "ExpressionAttributeValues",
        "a\\n",
    ]);
    let payload = vec((parameter, value()), 0..5).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
        format!("{{{}}}", members.join(","))
    });
    let table = prop_oneof![Just("\"t\"".to_owned()), value()];
    let notation = prop::sample::select(vec!["payload", "typedPayload"]);
    (operation, table, notation, prop_oneof![payload, value()]).prop_map(
        |(operation, table, notation, payload)| {
            format!(r#"{{"operation":{operation},"tableName":{table},"{notation}":{payload}}}"#)
        },
    )
}

fn statuses_of(message: &str) -> Vec<u16> {
    let line_end = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let matches = |pattern: &str| {
        let pattern = Regex::new(&format!("^(?:{pattern})$")).expect("a valid pattern");
        !message.contains(line_end) && pattern.is_match(message)
    };
    ERROR_RESPONSES.iter().filter(|(_, pattern)| matches(pattern)).map(|(status, _)| *status).collect()
}
