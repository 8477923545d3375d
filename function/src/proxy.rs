//! Unpacks events of API Gateway's `aws-proxy` integrations. The body of the HTTP request is a member of such an event, and
//! the answer is an HTTP response.
//!
//! API Gateway has two formats, and both are accepted: 1.0 (REST APIs) and 2.0 (HTTP APIs). See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{failure::Failure, json::Json};

/// Returns whether an event comes from a proxy integration. Such an event has a `requestContext`, and no `operation`, which
/// every direct request has.
pub(crate) fn is_proxy(event: &Json<'_>) -> bool {
    matches!(event.get("requestContext"), Some(Json::Object(_))) && event.get("operation").is_none()
}

/// Returns the decoded body of the HTTP request.
///
/// # Errors
///
/// An `InvalidRequest` if the body is missing or cannot be decoded.
pub(crate) fn body<'j>(event: &'j Json<'_>) -> Result<Cow<'j, [u8]>, Failure> {
    let Some(body) = event.get("body").and_then(Json::text) else {
        return Err(Failure::invalid_request("the request has no body"));
    };
    if event.get("isBase64Encoded") == Some(&Json::Bool(true)) {
        let decoded = STANDARD.decode(body);
        return decoded.map(Cow::Owned).map_err(|_| Failure::invalid_request("the body is not valid Base64"));
    }
    Ok(Cow::Borrowed(body.as_bytes()))
}

/// The answer to a proxy event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpResponse<'b> {
    status_code: u16,
    headers: Headers,
    body: &'b str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
struct Headers {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
}

impl<'b> HttpResponse<'b> {
    /// Creates a response with this status and this JSON body.
    pub(crate) fn new(status_code: u16, body: &'b str) -> Self {
        let headers = Headers { content_type: "application/json" };
        Self { status_code, headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn recognizes_both_formats_and_nothing_else() {
        for (event, expected) in [
            (r#"{"resource":"/x","httpMethod":"POST","body":"{}","requestContext":{"apiId":"a"}}"#, true),
            (r#"{"version":"2.0","routeKey":"$default","requestContext":{"http":{}},"body":"{}"}"#, true),
            (r#"{"resource":"/x","httpMethod":"POST","body":"{\"operation\":\"ping\"}"}"#, false),
            (r#"{"operation":"echo","requestContext":{}}"#, false),
            (r#"{"requestContext":null}"#, false),
            ("[]", false),
        ] {
            assert_eq!(is_proxy(&parse(event.as_bytes()).unwrap()), expected, "{event}");
        }
    }

    #[test]
    fn decodes_the_body() {
        let decode = |event: &str| {
            let event = parse(event.as_bytes()).unwrap();
            body(&event)
                .map(|body| String::from_utf8_lossy(&body).into_owned())
                .map_err(|failure| failure.message)
        };
        assert_eq!(decode(r#"{"body":"{\"a\":1}"}"#).as_deref(), Ok(r#"{"a":1}"#));
        assert_eq!(decode(r#"{"body":"e30=","isBase64Encoded":true}"#).as_deref(), Ok("{}"));
        assert_eq!(decode(r#"{"body":null}"#).unwrap_err(), "Invalid request: the request has no body");
        assert_eq!(
            decode(r#"{"body":"*","isBase64Encoded":true}"#).unwrap_err(),
            "Invalid request: the body is not valid Base64"
        );
    }
}
