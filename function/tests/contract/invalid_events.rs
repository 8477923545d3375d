//! Invalid and very large events: each gets an answer or an error of the error table, and the function handles the next
//! event.

use function::json::{Json, parse};

use crate::{
    error_patterns::statuses_of,
    support::{
        http::{Response, serve},
        lambda::{Answer, Lambda},
    },
};

/// The maximum size of an event in Lambda, in bytes.
const MAX_EVENT_BYTES: usize = 6_291_456;

/// The memory of the smallest Lambda function, in kB.
const MIN_MEMORY_KB: u64 = 128 * 1024;

fn function() -> Lambda {
    // No event of these tests leads to a request to DynamoDB, so nothing listens on this port.
    Lambda::start("http://127.0.0.1:9", &[])
}

fn repeated(start: &str, element: &str, end: &str) -> String {
    let count = (MAX_EVENT_BYTES - start.len() - end.len()) / element.len();
    format!("{start}{}{end}", element.repeat(count))
}

#[test]
fn an_invalid_event_is_a_400_and_the_next_request_succeeds() {
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
        vec![b'['; MAX_EVENT_BYTES],
        "{\"a\":".repeat(MAX_EVENT_BYTES / 5).into_bytes(),
        vec![b'1'; MAX_EVENT_BYTES],
        repeated("{\"operation\":\"", "é", "\"}").into_bytes(),
        repeated("{\"operation\":\"list\",\"tableName\":\"t\",\"payload\":{\"Limit\":", "9", ".0}}")
            .into_bytes(),
        repeated("{\"operation\":\"list\",\"tableName\":\"t\",\"payload\":{\"Limi\\n", "\\t", "\":1}}")
            .into_bytes(),
    ];
    for event in events {
        let excerpt = String::from_utf8_lossy(event.get(..60).unwrap_or(&event)).into_owned();
        let Answer::Error(error) = function.invoke(event) else { panic!("{excerpt} was accepted") };
        let error = parse(error.as_bytes()).unwrap();
        let message = error.get("errorMessage").and_then(Json::text).unwrap();
        assert_eq!(statuses_of(message), [400], "{excerpt}: {message:.200}");
        assert!(message.len() < 10_000, "{excerpt}");
        assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#, "after {excerpt}");
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
        assert!(answer == payload, "the echo of {} differs", &payload[..payload_start]);
    }
    let many: Vec<String> = (0..MAX_EVENT_BYTES / 12).map(|n| format!("\"{n:06}\":0")).collect();
    let object = format!("{{{}}}", many.join(","));
    assert!(function.succeed(&format!(r#"{{"operation":"echo","payload":{object}}}"#)) == object);

    // The path of each problem quotes the long key.
    let long = "k".repeat(MAX_EVENT_BYTES / 2);
    let wrong: Vec<String> = (0..20).map(|n| format!("\"x{n}\":0")).collect();
    let wrong = format!(r#"{{"Item":{{}},"Expected":{{"{long}":{{{}}}}}}}"#, wrong.join(","));
    function.fail(&format!(r#"{{"operation":"create","tableName":"t","payload":{wrong}}}"#));
    // The paths of deep values with long keys are together much longer than the event.
    let long = "k".repeat(MAX_EVENT_BYTES / 450);
    let deep = format!("{}0{}", format!(r#"{{"M":{{"{long}":"#).repeat(440), "}}".repeat(440));
    function.fail(&format!(
        r#"{{"operation":"create","tableName":"t","typedPayload":{{"Item":{{"a":{deep}}}}}}}"#
    ));

    let peak = function.peak_memory();
    assert!(peak < MIN_MEMORY_KB, "{peak} kB");
}

#[test]
fn the_largest_items_fit_into_the_smallest_function() {
    let too_large =
        r#"{"__type":"ValidationException","message":"Item size has exceeded the maximum allowed size"}"#;
    let endpoint = serve(|_| Response::from_dynamodb(400, too_large));
    let mut function = Lambda::start(&format!("http://{endpoint}"), &[]);
    let item = repeated(r#"{"id":["#, "0,", "0]}");
    let error =
        function.fail(&format!(r#"{{"operation":"create","tableName":"t","payload":{{"Item":{item}}}}}"#));
    assert!(error.starts_with(r#"{"errorType":"ItemSizeLimitExceeded","#), "{error}");
    let peak = function.peak_memory();
    assert!(peak < MIN_MEMORY_KB, "{peak} kB");
}
