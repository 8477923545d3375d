//! Requests in typed JSON: sets and binaries, which plain JSON does not have, keep their types.

use function::json::{Json, parse};

use crate::support::{
    emulator::{Emulator, Kind},
    lambda::Lambda,
};

/// An item with every type that plain JSON would change.
const ITEM: &str = r#"{"id":{"S":"typed"},"n":{"N":"1.5"},"tags":{"SS":["a"]},"sizes":{"NS":["1"]},"raw":{"B":"AAE="},"raws":{"BS":["AAE="]},"in":{"L":[{"M":{"tags":{"SS":["b"]}}}]}}"#;

fn on_both(test: impl Fn(&mut Lambda)) {
    for kind in [Kind::Ministack, Kind::Dynalite] {
        let emulator = Emulator::start(kind);
        test(&mut Lambda::start(&emulator.endpoint, &[]));
    }
}

/// Sends a request in typed JSON.
fn typed(function: &mut Lambda, operation: &str, payload: &str) -> String {
    let table = r#""tableName":"lambda-apigateway""#;
    function.succeed(&format!(r#"{{"operation":"{operation}",{table},"typedPayload":{payload}}}"#))
}

fn item_of(answer: &str) -> String {
    let answer = parse(answer.as_bytes()).unwrap();
    sorted(answer.get("Item").unwrap())
}

/// The members in the order of their keys: emulators differ in it.
fn sorted(item: &Json<'_>) -> String {
    let mut members: Vec<_> = item.members().unwrap().iter().collect();
    members.sort_by_key(|(key, _)| key.clone());
    let text = |(key, value): &&(_, Json<'_>)| format!("{key:?}:{}", serde_json::to_string(value).unwrap());
    members.iter().map(text).collect::<Vec<_>>().join(",")
}

#[test]
fn what_was_read_typed_is_written_back_with_its_types() {
    on_both(|function| {
        let expected = sorted(&parse(ITEM.as_bytes()).unwrap());
        typed(function, "create", &format!(r#"{{"Item":{ITEM}}}"#));
        let key = r#"{"Key":{"id":{"S":"typed"}}}"#;
        let answer = typed(function, "read", key);
        assert_eq!(item_of(&answer), expected);

        let answer = parse(answer.as_bytes()).unwrap();
        let item = serde_json::to_string(answer.get("Item").unwrap()).unwrap();
        typed(function, "delete", key);
        typed(function, "create", &format!(r#"{{"Item":{item}}}"#));
        assert_eq!(item_of(&typed(function, "read", key)), expected);

        // The same item for a client that knows nothing of it.
        let plain = function.succeed(
            r#"{"operation":"read","tableName":"lambda-apigateway","payload":{"Key":{"id":"typed"}}}"#,
        );
        let plain = parse(plain.as_bytes()).unwrap();
        let item = sorted(plain.get("Item").unwrap());
        assert_eq!(
            item,
            r#""id":"typed","in":[{"tags":["b"]}],"n":1.5,"raw":"AAE=","raws":["AAE="],"sizes":[1],"tags":["a"]"#
        );
    });
}

#[test]
fn elements_are_added_to_a_set() {
    on_both(|function| {
        typed(function, "create", r#"{"Item":{"id":{"S":"1"},"tags":{"SS":["a"]}}}"#);
        let answer = typed(
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
fn keys_may_be_binary() {
    on_both(|function| {
        let item = r#"{"id":{"B":"AAE="},"n":{"N":"1"}}"#;
        typed(function, "create", &format!(r#"{{"TableName":"t-bin","Item":{item}}}"#));
        let key = r#"{"TableName":"t-bin","Key":{"id":{"B":"AAE="}}}"#;
        assert_eq!(item_of(&typed(function, "read", key)), r#""id":{"B":"AAE="},"n":{"N":"1"}"#);
        let list = typed(function, "list", r#"{"TableName":"t-bin"}"#);
        assert!(list.contains(r#"{"B":"AAE="}"#), "{list}");
        typed(function, "delete", key);
        assert!(!typed(function, "read", key).contains("Item"));
    });
}

#[test]
fn the_deepest_typed_json_is_read() {
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
