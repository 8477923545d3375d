//! Tests the function's log: one line for each invocation, without data of items.

use function::json::{Json, parse};

use crate::support::{
    http::{Response, serve},
    lambda::Lambda,
};

const DENIED: &str = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:sts::123456789012:assumed-role/role/function is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/t"}"#;

fn function(status: u16, body: &'static str, level: &str) -> Lambda {
    let endpoint = serve(move |_| Response::from_dynamodb(status, body));
    let variables = [("AWS_LAMBDA_LOG_LEVEL", level), ("AWS_SESSION_TOKEN", "secret-token")];
    Lambda::start(&format!("http://{endpoint}"), &variables)
}

#[test]
fn logs_one_line_for_each_invocation_without_data_of_events() {
    let mut function = function(200, r#"{"Attributes":{"a":{"S":"secret-answer"}}}"#, "INFO");
    function.succeed(
        r#"{"operation":"create","tableName":"t","payload":{"Item":{"id":"secret-item"},"ReturnValues":"ALL_OLD"}}"#,
    );
    let line = function.log_line();
    let line = parse(line.as_bytes()).unwrap();
    let text = |name: &str| line.get(name).and_then(Json::text).unwrap().to_owned();
    assert_eq!(text("level"), "INFO");
    assert_eq!(text("requestId"), function.last_request_id());
    assert_eq!(text("operation"), "create");
    assert_eq!(text("table"), "t");
    assert_eq!(text("outcome"), "ok");
    assert_eq!(text("dynamodbRequestId"), "STUBREQUESTID");
    assert_eq!(line.get("attempts"), Some(&Json::Number("1")));
    let Some(Json::Number(duration)) = line.get("durationMs") else { panic!("{line:?}") };
    // Lambda measures a longer interval, and the log rounds the duration.
    assert!(
        duration.parse::<f64>().unwrap() <= function.last_duration.as_secs_f64() * 1000.0 + 1.0,
        "{duration}"
    );
    assert!(text("timestamp").ends_with('Z'));

    function.fail(r#"{"operation":"secret-operation"}"#);
    function.fail(r#"{"operation":"create","tableName":"t","payload":{"secret-field":"secret-value"}}"#);
    function.fail("secret-event");
    function.succeed(r#"{"operation":"echo","payload":"secret-payload"}"#);
    let lines = function.stop();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| !line.contains("secret")), "{lines:#?}");
}

#[test]
fn only_the_log_gets_messages_about_permissions() {
    let mut function = function(400, DENIED, "ERROR");
    let event = r#"{"operation":"create","tableName":"t","payload":{"Item":{"id":"secret-item"}}}"#;
    let error = function.fail(event);
    assert_eq!(
        error,
        r#"{"errorType":"InternalError","errorMessage":"Internal error: AccessDeniedException"}"#
    );
    let line = function.log_line();
    assert!(
        line.contains(
            r#""outcome":"InternalError","status":500,"message":"Internal error: AccessDeniedException""#
        ),
        "{line}"
    );
    assert!(
        line.contains("arn:aws:sts::123456789012:assumed-role/role/function is not authorized"),
        "{line}"
    );
    assert!(!line.contains("secret"), "{line}");
}

#[test]
fn writes_only_lines_of_the_configured_level_or_above() {
    for (level, lines) in [("DEBUG", 3), ("INFO", 3), ("WARN", 2), ("ERROR", 1), ("OFF", 0)] {
        let mut function = function(400, DENIED, level);
        function.succeed(r#"{"operation":"ping"}"#);
        function.fail(r#"{"operation":"none"}"#);
        function.fail(r#"{"operation":"list","tableName":"t","payload":{}}"#);
        assert_eq!(function.stop().len(), lines, "{level}");
    }
}
