//! The function's requests to DynamoDB: what it sends, how often, and what it answers when they fail.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use function::json::{Json, parse};

use crate::support::{
    emulator::{Emulator, Kind},
    http::{Request, Response, serve},
    lambda::Lambda,
    pause,
};

const CREATE: &str = r#"{"operation":"create","tableName":"t","payload":{"Item":{"id":"1"}}}"#;
const LIST: &str = r#"{"operation":"list","tableName":"t","payload":{}}"#;
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"Slow down."}"#;

/// A DynamoDB that answers the nth request with the nth answer, and all further ones with the last. It records the
/// requests.
struct Script {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

fn script(answers: Vec<Response>) -> Script {
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let seen = Arc::clone(&requests);
    let address = serve(move |request| {
        let mut seen = seen.lock().unwrap();
        let answer = answers.get(seen.len()).or(answers.last()).unwrap().clone();
        seen.push(request);
        answer
    });
    Script { endpoint: format!("http://{address}"), requests }
}

impl Script {
    fn function(&self) -> Lambda {
        Lambda::start(&self.endpoint, &[])
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

#[test]
fn requests_carry_the_events_own_digits_and_order() {
    let script = script(vec![Response::of_dynamodb(200, "{}")]);
    let mut function = Lambda::start(&script.endpoint, &[("AWS_SESSION_TOKEN", "token")]);
    function.succeed(
        r#"{"operation":"create","tableName":"t","payload":{"Item":{"z":1e3,"a":5.0,"m":{"S":"é"}}}}"#,
    );
    function.succeed(LIST);
    let requests = script.requests.lock().unwrap();
    let [create, list] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(
        String::from_utf8_lossy(&create.body),
        r#"{"TableName":"t","Item":{"z":{"N":"1e3"},"a":{"N":"5.0"},"m":{"M":{"S":{"S":"é"}}}}}"#
    );
    assert_eq!(create.header("x-amz-target"), Some("DynamoDB_20120810.PutItem"));
    assert_eq!(list.header("x-amz-target"), Some("DynamoDB_20120810.Scan"));
    assert_eq!(create.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(create.header("x-amz-security-token"), Some("token"));
    assert!(create.header("authorization").is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 ")));
    assert_eq!(create.connection, list.connection, "one connection is kept");
}

#[test]
fn headers_of_the_same_name_are_joined() {
    let headers =
        vec![("vary", "a".to_owned()), ("x-amzn-requestid", "ID".to_owned()), ("Vary", "b".to_owned())];
    let script = script(vec![Response::Answer { status: 200, headers, body: b"{}".to_vec() }]);
    let answer = script.function().succeed(CREATE);
    let headers = r#""HTTPHeaders":{"content-length":"2","vary":"a, b","x-amzn-requestid":"ID"}"#;
    assert!(answer.contains(headers), "{answer}");
}

#[test]
fn signatures_are_right() {
    let (ministack, id, secret) = Emulator::start_strict();
    let with = |secret: &str| {
        let variables = [("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", secret)];
        Lambda::start(&ministack.endpoint, &variables).fail(LIST)
    };
    assert!(with(&secret).contains("An error occurred (ResourceNotFoundException)"));
    assert!(with("wrong").contains("Internal error: InvalidSignatureException"));
}

#[test]
fn failures_that_may_pass_are_retried() {
    let script = script(vec![
        Response::of_dynamodb(500, r#"{"__type":"InternalServerError","message":"oops"}"#),
        Response::of_dynamodb(400, THROTTLED),
        Response::HangUp,
        Response::of_dynamodb(200, "{}"),
    ]);
    let mut function = script.function();
    let answer = function.succeed(CREATE);
    let answer = parse(answer.as_bytes()).unwrap();
    let retries = answer.get("ResponseMetadata").and_then(|metadata| metadata.get("RetryAttempts"));
    assert_eq!(retries, Some(&Json::Number("3")));
    assert!(function.log_line().contains(r#""attempts":4"#));
}

/// An answer with a checksum, which may be that of another body.
fn with_checksum(status: u16, body: &str, checksum: &str) -> Response {
    let headers = vec![("x-amz-crc32", checksum.to_owned())];
    Response::Answer { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn an_answer_that_does_not_fit_its_checksum_is_retried() {
    let item = r#"{"Item":{"id":{"S":"1"}}}"#;
    let script = script(vec![
        with_checksum(200, r#"{"Item":{"id":{"S":"7"}}}"#, "2061421159"),
        with_checksum(400, r#"{"__type":"ResourceNotFoundException","message":""}"#, "2061421159"),
        with_checksum(200, item, "none"),
        with_checksum(200, item, "2061421159"),
    ]);
    let answer =
        script.function().succeed(r#"{"operation":"read","tableName":"t","payload":{"Key":{"id":"1"}}}"#);
    assert!(answer.starts_with(r#"{"Item":{"id":"1"},"#), "{answer}");
    assert!(answer.ends_with(r#""RetryAttempts":3}}"#), "{answer}");
}

#[test]
fn answers_that_never_fit_their_checksum_are_a_503() {
    let script = script(vec![with_checksum(200, "{}", "1")]);
    let mut function = script.function();
    assert_eq!(
        function.fail(CREATE),
        r#"{"errorType":"ServiceUnavailable","errorMessage":"Service unavailable: DynamoDB's answer was damaged on its way"}"#
    );
    assert_eq!(script.requests(), 4);
    let line = function.log_line();
    assert!(line.contains("the body does not have the checksum of x-amz-crc32"), "{line}");
}

#[test]
fn a_refusal_is_not_retried() {
    let refusal = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}"#;
    let script = script(vec![Response::of_dynamodb(400, refusal)]);
    script.function().fail(CREATE);
    assert_eq!(script.requests(), 1);
}

#[test]
fn throttling_is_a_429_after_the_retries() {
    let script = script(vec![Response::of_dynamodb(400, THROTTLED)]);
    assert_eq!(
        script.function().fail(CREATE),
        r#"{"errorType":"ProvisionedThroughputExceededException","errorMessage":"An error occurred (ProvisionedThroughputExceededException) when calling the PutItem operation: Slow down."}"#
    );
    assert_eq!(script.requests(), 4);
}

#[test]
fn an_answer_that_cannot_be_read_is_a_503() {
    for answer in [
        Response::of_dynamodb(200, "<html>"),
        Response::of_dynamodb(200, ""),
        Response::of_dynamodb(200, "[]"),
        Response::of_dynamodb(200, r#"{"Items":[{"a":{"S":5}}]}"#),
        Response::of_dynamodb(400, "<html>"),
        Response::of_dynamodb(400, ""),
        Response::of_dynamodb(400, "{}"),
        Response::of_dynamodb(503, "<html>busy</html>"),
        Response::of_dynamodb(500, r#"{"__type":"ValidationException","message":"oops"}"#),
        Response::of_dynamodb(302, ""),
        Response::HangUp,
    ] {
        let script = script(vec![answer.clone()]);
        let mut function = script.function();
        let error = function.fail(LIST);
        let start = r#"{"errorType":"ServiceUnavailable","errorMessage":"Service unavailable: "#;
        assert!(error.starts_with(start), "{answer:?}: {error}");
        assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#);
    }
}

#[test]
fn a_refused_connection_is_a_503() {
    let mut function = Lambda::start("http://127.0.0.1:9", &[]);
    assert_eq!(
        function.fail(LIST),
        r#"{"errorType":"ServiceUnavailable","errorMessage":"Service unavailable: DynamoDB cannot be reached"}"#
    );
}

#[test]
fn no_answer_is_a_503_before_lambda_ends_the_process() {
    let endpoint = serve(|_| {
        pause(Duration::from_secs(30));
        Response::HangUp
    });
    let mut function = Lambda::start(&format!("http://{endpoint}"), &[]);
    let started = Instant::now();
    assert_eq!(
        function.fail(LIST),
        r#"{"errorType":"ServiceUnavailable","errorMessage":"Service unavailable: DynamoDB did not answer in time"}"#
    );
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#);
}

#[test]
fn without_credentials_or_region_only_dynamodb_is_out_of_reach() {
    for variables in [[("AWS_ACCESS_KEY_ID", "")], [("AWS_REGION", "")]] {
        let mut function = Lambda::start("http://127.0.0.1:9", &variables);
        assert!(function.fail(LIST).contains("Internal error: "), "{variables:?}");
        assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#);
    }
}

#[test]
fn numbers_come_back_with_the_value_they_had() {
    for kind in [Kind::Ministack, Kind::Dynalite] {
        let emulator = Emulator::start(kind);
        let mut function = Lambda::start(&emulator.endpoint, &[]);
        for (given, stored) in [
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("-0.12345678901234567890123456789012345678", "-0.12345678901234567890123456789012345678"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("-0", "0"),
        ] {
            function.succeed(&format!(
                r#"{{"operation":"create","tableName":"lambda-apigateway","payload":{{"Item":{{"id":"n","v":{given}}}}}}}"#
            ));
            let answer = function.succeed(
                r#"{"operation":"read","tableName":"lambda-apigateway","payload":{"Key":{"id":"n"}}}"#,
            );
            let answer = parse(answer.as_bytes()).unwrap();
            let value = answer.get("Item").and_then(|item| item.get("v"));
            assert_eq!(value, Some(&Json::Number(stored)), "{given} on {}", kind.name());
        }
    }
}
