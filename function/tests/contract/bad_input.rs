//! Any event gets an answer or an error of the table, and the function goes on to the next one.

use function::json::{Json, parse};

use crate::{
    error_patterns::statuses_of,
    support::{
        http::{Response, serve},
        lambda::{Answer, Lambda},
    },
};

/// The largest event that Lambda takes, in bytes.
const LARGEST_EVENT: usize = 6_291_456;

/// The memory of the smallest function, in kB.
const SMALLEST_MEMORY: u64 = 128 * 1024;

fn function() -> Lambda {
    // Nothing here gets as far as DynamoDB.
    Lambda::start("http://127.0.0.1:9", &[])
}

fn repeated(start: &str, element: &str, end: &str) -> String {
    let count = (LARGEST_EVENT - start.len() - end.len()) / element.len();
    format!("{start}{}{end}", element.repeat(count))
}

#[test]
fn an_event_that_is_not_a_request_is_a_400_and_the_next_request_works() {
    let mut function = function();
    let events: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"   \n".to_vec(),
        b"\0".to_vec(),
        b"\xff\xfe".to_vec(),
        b"\xef\xbb\xbf{\"operation\":\"ping\"}".to_vec(),
        b"{\"operation\":\"ping\"} x".to_vec(),
        b"{\"operation\":\"ping\"".to_vec(),
        b"{\"operation\":\"echo\",\"payload\":NaN}".to_vec(),
        b"{\"operation\":\"echo\",\"payload\":01}".to_vec(),
        b"{\"operation\":\"echo\",\"payload\":\"\n\"}".to_vec(),
        b"{\"operation\":\"echo\",\"payload\":\"\\ud83d\"}".to_vec(),
        b"{\"operation\":\"echo\",\"\\ude00\":1}".to_vec(),
        b"{\"operation\":\"a\\u2028\\n\\u0000b\"}".to_vec(),
        b"{\"\":{}}".to_vec(),
        b"{\"operation\":\"create\",\"tableName\":\"t\",\"payload\":{\"\":1}}".to_vec(),
        b"{\"operation\":\"create\",\"tableName\":\"t\",\"payload\":{\"Item\":{},\"\\n\":1}}".to_vec(),
        vec![b'['; LARGEST_EVENT],
        "{\"a\":".repeat(LARGEST_EVENT / 5).into_bytes(),
        vec![b'1'; LARGEST_EVENT],
        repeated("{\"operation\":\"", "é", "\"}").into_bytes(),
        repeated("{\"operation\":\"list\",\"tableName\":\"t\",\"payload\":{\"Limit\":", "9", ".0}}")
            .into_bytes(),
        repeated("{\"operation\":\"list\",\"tableName\":\"t\",\"payload\":{\"Limi\\n", "\\t", "\":1}}")
            .into_bytes(),
    ];
    for event in events {
        let shown = String::from_utf8_lossy(event.get(..60).unwrap_or(&event)).into_owned();
        let Answer::Error(error) = function.invoke(event) else { panic!("{shown} was accepted") };
        let error = parse(error.as_bytes()).unwrap();
        let message = error.get("errorMessage").and_then(Json::text).unwrap();
        assert_eq!(statuses_of(message), [400], "{shown}: {message:.200}");
        assert!(message.len() < 10_000, "{shown}");
        assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#, "after {shown}");
    }
}

#[test]
fn the_largest_events_fit_into_the_smallest_function() {
    let mut function = function();
    for payload in [
        repeated("\"", "x", "\""),
        repeated("\"", "\\n", "\""),
        repeated("[", "0,", "0]"),
        repeated("[", "{},", "0]"),
        repeated("[", "[0],", "0]"),
        repeated("[", "{\"a\":0},", "0]"),
        repeated("[", "[0,0],", "0]"),
        repeated("[", "{\"a\":0,\"b\":0},", "0]"),
        repeated("[", "\"\",", "0]"),
        repeated("[", "\"\\n\",", "0]"),
    ] {
        let payload_start = payload.len().min(20);
        let event = format!(r#"{{"operation":"echo","payload":{payload}}}"#);
        let answer = function.succeed(&event);
        assert!(answer == payload, "{} came back otherwise", &payload[..payload_start]);
    }
    let many: Vec<String> = (0..LARGEST_EVENT / 12).map(|n| format!("\"{n:06}\":0")).collect();
    let object = format!("{{{}}}", many.join(","));
    assert!(function.succeed(&format!(r#"{{"operation":"echo","payload":{object}}}"#)) == object);

    // Keys that are quoted with everything that is wrong below them.
    let long = "k".repeat(LARGEST_EVENT / 2);
    let wrong: Vec<String> = (0..20).map(|n| format!("\"x{n}\":0")).collect();
    let wrong = format!(r#"{{"Item":{{}},"Expected":{{"{long}":{{{}}}}}}}"#, wrong.join(","));
    function.fail(&format!(r#"{{"operation":"create","tableName":"t","payload":{wrong}}}"#));
    // Deep values with long keys, whose paths together are much longer than the event.
    let long = "k".repeat(LARGEST_EVENT / 450);
    let deep = format!("{}0{}", format!(r#"{{"M":{{"{long}":"#).repeat(440), "}}".repeat(440));
    function.fail(&format!(
        r#"{{"operation":"create","tableName":"t","typedPayload":{{"Item":{{"a":{deep}}}}}}}"#
    ));

    let peak = function.peak_memory();
    assert!(peak < SMALLEST_MEMORY, "{peak} kB");
}

#[test]
fn the_largest_items_fit_into_the_smallest_function() {
    let too_large =
        r#"{"__type":"ValidationException","message":"Item size has exceeded the maximum allowed size"}"#;
    let endpoint = serve(|_| Response::of_dynamodb(400, too_large));
    let mut function = Lambda::start(&format!("http://{endpoint}"), &[]);
    let item = repeated(r#"{"id":["#, "0,", "0]}");
    let error =
        function.fail(&format!(r#"{{"operation":"create","tableName":"t","payload":{{"Item":{item}}}}}"#));
    assert!(error.starts_with(r#"{"errorType":"ItemSizeLimitExceeded","#), "{error}");
    let peak = function.peak_memory();
    assert!(peak < SMALLEST_MEMORY, "{peak} kB");
}
