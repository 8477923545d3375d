//! Tests the function's requests to DynamoDB: their content, their retries, and the answers when they fail.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use function::json::{Json, parse};

use crate::support::{
    emulator::{Emulator, Kind},
    http::{Request, Response, serve},
    lambda::Lambda,
    sleep,
};

const CREATE: &str = r#"{"operation":"create","tableName":"t","payload":{"Item":{"id":"1"}}}"#;
const LIST: &str = r#"{"operation":"list","tableName":"t","payload":{}}"#;
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"Slow down."}"#;

/// A fake DynamoDB that answers the nth request with the nth answer, and all further requests with the last. It records
/// the requests.
struct ScriptedDynamoDb {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

fn start_dynamodb(answers: Vec<Response>) -> ScriptedDynamoDb {
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let recorded = Arc::clone(&requests);
    let address = serve(move |request| {
        let mut recorded = recorded.lock().unwrap();
        let answer = answers.get(recorded.len()).or(answers.last()).unwrap().clone();
        recorded.push(request);
        answer
    });
    ScriptedDynamoDb { endpoint: format!("http://{address}"), requests }
}

impl ScriptedDynamoDb {
    fn start_function(&self) -> Lambda {
        Lambda::start(&self.endpoint, &[])
    }

    fn request_count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

#[test]
fn requests_keep_the_digits_and_the_order_of_the_event() {
    let dynamodb = start_dynamodb(vec![Response::from_dynamodb(200, "{}")]);
    let mut function = Lambda::start(&dynamodb.endpoint, &[("AWS_SESSION_TOKEN", "token")]);
    function.succeed(
        r#"{"operation":"create","tableName":"t","payload":{"Item":{"z":1e3,"a":5.0,"m":{"S":"é"}}}}"#,
    );
    function.succeed(LIST);
    let requests = dynamodb.requests.lock().unwrap();
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
    assert_eq!(create.connection, list.connection, "the connection is reused");
}

#[test]
fn joins_headers_of_the_same_name() {
    let headers =
        vec![("vary", "a".to_owned()), ("x-amzn-requestid", "ID".to_owned()), ("Vary", "b".to_owned())];
    let dynamodb = start_dynamodb(vec![Response::Answer { status: 200, headers, body: b"{}".to_vec() }]);
    let answer = dynamodb.start_function().succeed(CREATE);
    let headers = r#""HTTPHeaders":{"content-length":"2","vary":"a, b","x-amzn-requestid":"ID"}"#;
    assert!(answer.contains(headers), "{answer}");
}

#[test]
fn signs_requests_correctly() {
    let (ministack, id, secret) = Emulator::start_with_authentication();
    let error_with = |secret: &str| {
        let variables = [("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", secret)];
        Lambda::start(&ministack.endpoint, &variables).fail(LIST)
    };
    assert!(error_with(&secret).contains("An error occurred (ResourceNotFoundException)"));
    assert!(error_with("wrong").contains("Internal error: InvalidSignatureException"));
}

#[test]
fn retries_transient_failures() {
    let dynamodb = start_dynamodb(vec![
        Response::from_dynamodb(500, r#"{"__type":"InternalServerError","message":"oops"}"#),
        Response::from_dynamodb(400, THROTTLED),
        Response::HangUp,
        Response::from_dynamodb(200, "{}"),
    ]);
    let mut function = dynamodb.start_function();
    let answer = function.succeed(CREATE);
    let answer = parse(answer.as_bytes()).unwrap();
    let retries = answer.get("ResponseMetadata").and_then(|metadata| metadata.get("RetryAttempts"));
    assert_eq!(retries, Some(&Json::Number("3")));
    assert!(function.log_line().contains(r#""attempts":4"#));
}

/// Returns an answer with a checksum, which may be wrong.
fn with_checksum(status: u16, body: &str, checksum: &str) -> Response {
    let headers = vec![("x-amz-crc32", checksum.to_owned())];
    Response::Answer { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn retries_an_answer_with_a_wrong_checksum() {
    let item = r#"{"Item":{"id":{"S":"1"}}}"#;
    let dynamodb = start_dynamodb(vec![
        with_checksum(200, r#"{"Item":{"id":{"S":"7"}}}"#, "2061421159"),
        with_checksum(400, r#"{"__type":"ResourceNotFoundException","message":""}"#, "2061421159"),
        with_checksum(200, item, "none"),
        with_checksum(200, item, "2061421159"),
    ]);
    let answer = dynamodb
        .start_function()
        .succeed(r#"{"operation":"read","tableName":"t","payload":{"Key":{"id":"1"}}}"#);
    assert!(answer.starts_with(r#"{"Item":{"id":"1"},"#), "{answer}");
    assert!(answer.ends_with(r#""RetryAttempts":3}}"#), "{answer}");
}

#[test]
fn an_answer_with_a_wrong_checksum_after_all_retries_is_a_503() {
    let dynamodb = start_dynamodb(vec![with_checksum(200, "{}", "1")]);
    let mut function = dynamodb.start_function();
    assert_eq!(
        function.fail(CREATE),
        r#"{"errorType":"ServiceUnavailable","errorMessage":"Service unavailable: DynamoDB's answer does not match its checksum"}"#
    );
    assert_eq!(dynamodb.request_count(), 4);
    let line = function.log_line();
    assert!(line.contains("the body does not match the checksum in x-amz-crc32"), "{line}");
}

#[test]
fn does_not_retry_a_failed_condition() {
    let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}"#;
    let dynamodb = start_dynamodb(vec![Response::from_dynamodb(400, error)]);
    dynamodb.start_function().fail(CREATE);
    assert_eq!(dynamodb.request_count(), 1);
}

#[test]
fn throttling_is_a_429_after_the_retries() {
    let dynamodb = start_dynamodb(vec![Response::from_dynamodb(400, THROTTLED)]);
    assert_eq!(
        dynamodb.start_function().fail(CREATE),
        r#"{"errorType":"ProvisionedThroughputExceededException","errorMessage":"An error occurred (ProvisionedThroughputExceededException) when calling the PutItem operation: Slow down."}"#
    );
    assert_eq!(dynamodb.request_count(), 4);
}

#[test]
fn a_malformed_answer_is_a_503() {
    for answer in [
        Response::from_dynamodb(200, "<html>"),
        Response::from_dynamodb(200, ""),
        Response::from_dynamodb(200, "[]"),
        Response::from_dynamodb(200, r#"{"Items":[{"a":{"S":5}}]}"#),
        Response::from_dynamodb(400, "<html>"),
        Response::from_dynamodb(400, ""),
        Response::from_dynamodb(400, "{}"),
        Response::from_dynamodb(503, "<html>busy</html>"),
        Response::from_dynamodb(500, r#"{"__type":"ValidationException","message":"oops"}"#),
        Response::from_dynamodb(302, ""),
        Response::HangUp,
    ] {
        let dynamodb = start_dynamodb(vec![answer.clone()]);
        let mut function = dynamodb.start_function();
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
fn a_missing_answer_is_a_503_before_the_functions_timeout() {
    let endpoint = serve(|_| {
        sleep(Duration::from_secs(30));
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
fn other_operations_work_without_credentials_or_region() {
    for variables in [[("AWS_ACCESS_KEY_ID", "")], [("AWS_REGION", "")]] {
        let mut function = Lambda::start("http://127.0.0.1:9", &variables);
        assert!(function.fail(LIST).contains("Internal error: "), "{variables:?}");
        assert_eq!(function.succeed(r#"{"operation":"ping"}"#), r#""pong""#);
    }
}

#[test]
fn numbers_keep_their_value() {
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
