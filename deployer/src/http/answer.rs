//! An answer is read to its end before anybody looks into it, and no further than it may be long. What one of AWS's
//! services says is then a whole document, or it is no answer: half a document would be taken for one that lists less.

use super::markup;
use crate::error::Unreadable;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;
use serde::de::IgnoredAny;

/// How long an answer may be, in bytes. The longest that AWS gives are a function's (6 MB) and the methods of a large
/// API (some MB).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(16 * 1024 * 1024)
    }
}

/// What a service has to answer with, as an extension of the request to it. Other requests have none, and any answer to
/// them will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) format: Format,
    /// Whether the request only looks, so that it may be sent again.
    pub(crate) reads: bool,
}

/// A service's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
    /// Whatever a function answers.
    Any,
}

impl Expected {
    /// What a call of this operation is answered with; `service` as the SDK names it.
    pub(crate) fn of(service: &str, operation: &str, reads: bool) -> Self {
        let format = match (service, operation) {
            ("IAM" | "STS", _) => Format::Xml,
            ("Lambda", "Invoke") => Format::Any,
            _ => Format::Json,
        };
        Self { format, reads }
    }

    /// Why this is no answer of the service's, to follow "it" or "the answer".
    fn objection(self, status: u16, body: &[u8]) -> Option<&'static str> {
        // What broke, and what comes too often, is told by the status; a front end says it in any language.
        if status == 429 || status >= 500 {
            return None;
        }
        match self.format {
            Format::Any => None,
            // Many changes are answered by the status alone.
            Format::Json if body.is_empty() => (self.reads && status == 200).then_some("is empty"),
            Format::Xml if body.is_empty() => (status < 300).then_some("is empty"),
            Format::Json => match serde_json::from_slice::<IgnoredAny>(body) {
                Ok(_) => None,
                Err(error) if error.is_eof() => Some("is cut short"),
                Err(_) => Some("is no JSON"),
            },
            Format::Xml => match markup::root(body) {
                Err(problem) => Some(problem),
                // A page of somebody else's would be taken for a change that was made.
                Ok(root) if status < 300 && !root.ends_with(b"Response") => Some("is not the service's"),
                Ok(_) => None,
            },
        }
    }
}

/// # Errors
/// An answer that breaks off, is too long, or is not what was expected. What only looks may be sent again by the SDK.
pub(super) async fn read(
    mut response: HttpResponse,
    expected: Option<Expected>,
    limit: Limit,
) -> Result<HttpResponse, ConnectorError> {
    let status = response.status().as_u16();
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    // A length that is declared is refused before any of it is read.
    let mut length = usize::try_from(stream.size_hint().0).unwrap_or(usize::MAX);
    loop {
        if length > limit.0 {
            let why = format!("is longer than {} MB", limit.0 / 1024 / 1024);
            return Err(ConnectorError::other(Unreadable { status, why }.into(), None));
        }
        let Some(chunk) = stream.next().await else { break };
        let chunk = chunk
            .map_err(|_| ConnectorError::io(Unreadable { status, why: "breaks off".to_owned() }.into()))?;
        body.extend_from_slice(&chunk);
        length = length.max(body.len());
    }
    if let Some(expected) = expected
        && let Some(objection) = expected.objection(status, &body)
    {
        let kind = response.headers().get("content-type").map(|kind| format!(", {kind}")).unwrap_or_default();
        let why = format!("{objection}{kind}");
        let again = expected.reads.then_some(ErrorKind::TransientError);
        return Err(ConnectorError::other(Unreadable { status, why }.into(), again));
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;

    const JSON: Expected = Expected { format: Format::Json, reads: true };
    const XML: Expected = Expected { format: Format::Xml, reads: true };

    fn objection(expected: Expected, status: u16, body: &str) -> Option<&'static str> {
        expected.objection(status, body.as_bytes())
    }

    #[test]
    fn refuses_what_a_service_cannot_have_said() {
        let cases = [
            (JSON, 200, r#"{"a":1}"#, None),
            (JSON, 200, r#"{"a":"#, Some("is cut short")),
            (JSON, 200, "<html></html>", Some("is no JSON")),
            (JSON, 200, "", Some("is empty")),
            (JSON, 202, "", None),
            (JSON, 404, r#"{"__type":"ResourceNotF"#, Some("is cut short")),
            (JSON, 403, "", None),
            (Expected { reads: false, ..JSON }, 200, "", None),
            (XML, 200, "<GetRoleResponse><b/></GetRoleResponse>", None),
            (XML, 200, "<html></html>", Some("is not the service's")),
            (XML, 403, "<html></html>", None),
            (XML, 200, "<a><b/>", Some("is cut short")),
            (XML, 200, "", Some("is empty")),
            (XML, 404, "<ErrorResponse><Error>", Some("is cut short")),
            (XML, 429, "slow down", None),
            (JSON, 503, "<html>", None),
            (Expected::of("Lambda", "Invoke", false), 200, "half a", None),
        ];
        for (expected, status, body, problem) in cases {
            assert_eq!(objection(expected, status, body), problem, "{expected:?} {status} {body}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_declares_too_much_is_refused_before_it_is_read() {
        let body = "x".repeat(100);
        let answer = || HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body.clone()));
        assert!(read(answer(), None, Limit(100)).await.is_ok());
        let error = read(answer(), None, Limit(99)).await.unwrap_err();
        assert!(error.into_source().to_string().starts_with("the answer is longer than"));
    }
}
