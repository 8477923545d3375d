//! Tests requests in typed JSON: sets and binary values keep their types. Plain JSON has neither.

use function::json::{Json, parse};

use crate::support::{
    emulator::{Emulator, Kind},
    lambda::Lambda,
};

/// An item with all types that plain JSON cannot represent.
const ITEM: &str = r#"{"id":{"S":"typed"},"n":{"N":"1.5"},"tags":{"SS":["a"]},"sizes":{"NS":["1"]},"raw":{"B":"AAE="},"raws":{"BS":["AAE="]},"in":{"L":[{"M":{"tags":{"SS":["b"]}}}]}}"#;

fn for_each_emulator(test: impl Fn(&mut Lambda)) {
    for kind in [Kind::Ministack, Kind::Dynalite] {
        let emulator = Emulator::start(kind);
        test(&mut Lambda::start(&emulator.endpoint, &[]));
    }
}

/// Sends a request in typed JSON and returns the answer.
fn send_typed(function: &mut Lambda, operation: &str, payload: &str) -> String {
    let table = r#""tableName":"lambda-apigateway""#;
    function.succeed(&format!(r#"{{"operation":"{operation}",{table},"typedPayload":{payload}}}"#))
}

fn sorted_item(answer: &str) -> String {
    let answer = parse(answer.as_bytes()).unwrap();
    sorted_members(answer.get("Item").unwrap())
}

/// Returns the members in the order of their keys, because emulators use different orders.
fn sorted_members(item: &Json<'_>) -> String {
    let mut members: Vec<_> = item.members().unwrap().iter().collect();
    members.sort_by_key(|(key, _)| key.clone());
    let text = |(key, value): &&(_, Json<'_>)| format!("{key:?}:{}", serde_json::to_string(value).unwrap());
    members.iter().map(text).collect::<Vec<_>>().join(",")
}

#[test]
fn an_item_that_is_read_typed_can_be_written_back_with_its_types() {
    for_each_emulator(|function| {
        let expected = sorted_members(&parse(ITEM.as_bytes()).unwrap());
        send_typed(function, "create", &format!(r#"{{"Item":{ITEM}}}"#));
        let key = r#"{"Key":{"id":{"S":"typed"}}}"#;
        let answer = send_typed(function, "read", key);
        assert_eq!(sorted_item(&answer), expected);

        let answer = parse(answer.as_bytes()).unwrap();
        let item = serde_json::to_string(answer.get("Item").unwrap()).unwrap();
        send_typed(function, "delete", key);
        send_typed(function, "create", &format!(r#"{{"Item":{item}}}"#));
        assert_eq!(sorted_item(&send_typed(function, "read", key)), expected);

        // A client that uses plain JSON can read the same item.
        let plain = function.succeed(
            r#"{"operation":"read","tableName":"lambda-apigateway","payload":{"Key":{"id":"typed"}}}"#,
        );
        let plain = parse(plain.as_bytes()).unwrap();
        let item = sorted_members(plain.get("Item").unwrap());
        assert_eq!(
            item,
            r#""id":"typed","in":[{"tags":["b"]}],"n":1.5,"raw":"AAE=","raws":["AAE="],"sizes":[1],"tags":["a"]"#
        );
    });
}

#[test]
fn adds_elements_to_a_set() {
    for_each_emulator(|function| {
        send_typed(function, "create", r#"{"Item":{"id":{"S":"1"},"tags":{"SS":["a"]}}}"#);
        let answer = send_typed(
            function,
            "update",
            r#"{"Key":{"id":{"S":"1"}},"UpdateExpression":"ADD tags :t","ExpressionAttributeValues":{":t":{"SS":["b"]}},"ReturnValues":"ALL_NEW"}"#,
        );
        let answer = parse(answer.as_bytes()).unwrap();
        let tags = answer.get("Attributes").and_then(|item| item.get("tags"));
        let Some(Json::Array(tags)) = tags.and_then(|tags| tags.get("SS")) else { panic!("{answer:?}") };
        let mut tags: Vec<_> = tags.iter().filter_map(Json::text).collect();
        tags.sort_unstable();
        assert_eq!(tags, ["a", "b"]);
    });
}

#[test]
fn accepts_binary_keys() {
    for_each_emulator(|function| {
        let item = r#"{"id":{"B":"AAE="},"n":{"N":"1"}}"#;
        send_typed(function, "create", &format!(r#"{{"TableName":"t-bin","Item":{item}}}"#));
        let key = r#"{"TableName":"t-bin","Key":{"id":{"B":"AAE="}}}"#;
        assert_eq!(sorted_item(&send_typed(function, "read", key)), r#""id":{"B":"AAE="},"n":{"N":"1"}"#);
        let list = send_typed(function, "list", r#"{"TableName":"t-bin"}"#);
        assert!(list.contains(r#"{"B":"AAE="}"#), "{list}");
        send_typed(function, "delete", key);
        assert!(!send_typed(function, "read", key).contains("Item"));
    });
}

#[test]
fn accepts_deeply_nested_typed_json() {
    let mut function = Lambda::start("http://127.0.0.1:9", &[]);
    let levels = 440;
    let value = format!(r#"{}{{"NULL":true}}{}"#, r#"{"L":["#.repeat(levels), "]}".repeat(levels));
    let event = |value: &str| {
        format!(r#"{{"operation":"create","tableName":"t","typedPayload":{{"Item":{{"a":{value}}}}}}}"#)
    };
    assert!(function.fail(&event(&value)).contains("DynamoDB cannot be reached"));
    let error = function.fail(&event(&value.replace("true", "1")));
    assert!(error.contains("ParamValidationError"), "{error}");
    assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#);
}
