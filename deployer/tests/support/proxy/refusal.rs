//! AWS's answers that the local one does not give, each in its service's own protocol.

use super::{Body, Call};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

pub(super) fn internal(call: &Call) -> Response<Body> {
    let code = match call.service.as_str() {
        "iam" | "sts" => "ServiceFailure",
        "lambda" => "ServiceException",
        "dynamodb" => "InternalServerError",
        _ => "InternalFailure",
    };
    answer(
        call,
        500,
        code,
        "The request processing has failed because of an unknown error, exception or failure.",
    )
}

pub(super) fn throttled(call: &Call) -> Response<Body> {
    match call.service.as_str() {
        "iam" | "sts" => answer(call, 400, "Throttling", "Rate exceeded"),
        "lambda" => answer(call, 429, "TooManyRequestsException", "Rate exceeded"),
        "apigateway" => answer(call, 429, "TooManyRequestsException", "Too Many Requests"),
        _ => answer(call, 400, "ThrottlingException", "Rate exceeded"),
    }
}

pub(super) fn expired(call: &Call) -> Response<Body> {
    let message = "The security token included in the request is expired";
    match call.service.as_str() {
        "iam" | "sts" => answer(call, 403, "ExpiredToken", message),
        _ => answer(call, 403, "ExpiredTokenException", message),
    }
}

pub(super) fn role_not_assumable(call: &Call) -> Response<Body> {
    let message = "The role defined for the function cannot be assumed by Lambda.";
    answer(call, 400, "InvalidParameterValueException", message)
}

/// An answer of IAM's, as it was.
pub(super) fn xml(body: Bytes) -> Response<Body> {
    Response::builder().header("content-type", "text/xml").body(Full::new(body)).unwrap()
}

fn answer(call: &Call, status: u16, code: &str, message: &str) -> Response<Body> {
    let id = "5e1f7a0c-0000-4000-8000-000000000000";
    let (kind, body) = match call.service.as_str() {
        "iam" | "sts" => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{id}</RequestId></ErrorResponse>"
            ),
        ),
        _ => ("application/json", serde_json::json!({ "__type": code, "message": message }).to_string()),
    };
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .header("x-amzn-errortype", code)
        .header("x-amzn-requestid", id)
        .body(Full::new(Bytes::from(body)))
        .unwrap()
}
