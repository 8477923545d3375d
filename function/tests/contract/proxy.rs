//! Tests the function behind `aws-proxy` integrations: the answer is an HTTP response with the status of the error table.

use function::json::{Json, parse};

use crate::support::{
    http::{Response, serve},
    lambda::Lambda,
};

/// Returns an event of a REST API's proxy integration, with the members that the function uses.
fn event(body: &str) -> String {
    let body = serde_json::to_string(body).unwrap();
    format!(
        r#"{{"resource":"/DynamoDBManager","path":"/DynamoDBManager","httpMethod":"POST","headers":{{}},"requestContext":{{"stage":"Prod"}},"body":{body},"isBase64Encoded":false}}"#
    )
}

fn status_and_body(function: &mut Lambda, event: &str) -> (String, String) {
    let response = function.succeed(event);
    let response = parse(response.as_bytes()).unwrap();
    let Some(Json::Number(status)) = response.get("statusCode") else { panic!("no status") };
    assert_eq!(response.get("isBase64Encoded"), Some(&Json::Bool(false)));
    let content_type =
        response.get("headers").and_then(|headers| headers.get("Content-Type")).and_then(Json::text);
    assert_eq!(content_type, Some("application/json"));
    ((*status).to_owned(), response.get("body").and_then(Json::text).unwrap().to_owned())
}

#[test]
fn successes_and_errors_are_http_responses() {
    let not_found = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#;
    let endpoint = serve(move |_| Response::from_dynamodb(400, not_found));
    let mut function = Lambda::start(&format!("http://{endpoint}"), &[]);

    let (status, body) =
        status_and_body(&mut function, &event(r#"{"operation":"echo","payload":{"a":1.50}}"#));
    assert_eq!((status.as_str(), body.as_str()), ("200", r#"{"a":1.50}"#));

    let (status, body) = status_and_body(&mut function, &event("{"));
    assert_eq!(status, "400");
    assert!(body.starts_with(r#"{"errorType":"InvalidRequest","errorMessage":"Invalid request: "#), "{body}");

    let (status, body) =
        status_and_body(&mut function, &event(r#"{"operation":"list","tableName":"t","payload":{}}"#));
    assert_eq!(status, "404");
    assert!(
        body.starts_with(r#"{"errorType":"ResourceNotFoundException","errorMessage":"An error"#),
        "{body}"
    );

    let lines = function.stop();
    let outcomes =
        [r#""outcome":"ok""#, r#""outcome":"InvalidRequest""#, r#""outcome":"ResourceNotFoundException""#];
    for (line, outcome) in lines.iter().zip(outcomes) {
        assert!(line.contains(outcome), "{line}");
    }
}

#[test]
fn accepts_base64_and_refuses_a_missing_body() {
    let mut function = Lambda::start("http://127.0.0.1:9", &[]);
    let http_api = r#"{"version":"2.0","requestContext":{"http":{"method":"POST"}},"body":"eyJvcGVyYXRpb24iOiJwaW5nIn0=","isBase64Encoded":true}"#;
    assert_eq!(status_and_body(&mut function, http_api), ("200".to_owned(), r#""pong""#.to_owned()));
    let (status, body) = status_and_body(&mut function, r#"{"requestContext":{},"body":null}"#);
    assert_eq!((status.as_str(), body.contains("the request has no body")), ("400", true));
}
