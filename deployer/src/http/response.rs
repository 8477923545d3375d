//! Reads responses completely, up to a length limit, before anything parses them. A response of an AWS service must be a
//! complete document: the SDK would parse a truncated one as a shorter list.
//!
//! Many responses arrive at once, so a limit for each is not enough. Only a few long responses are read at the same time,
//! and responses that are kept for each resource, such as errors and descriptions, have lower limits.

use super::xml;
use crate::error::Unreadable;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;
use serde::de::IgnoredAny;
use std::fmt;
use tokio::sync::Semaphore;

const KB: usize = 1024;
const MB: usize = 1024 * KB;

/// Reading a response that is longer, or does not declare its length, needs a permit of [`LONG_RESPONSE_PERMITS`]. Nothing
/// is read before, so that connections do not buffer it either.
const LONG_RESPONSE: usize = 64 * KB;

/// Limits how many long responses are read at once, to at most 32 MB together. Reading a response takes one permit and
/// waits for nothing else while it has it, so there is no deadlock.
pub(super) static LONG_RESPONSE_PERMITS: Semaphore = Semaphore::const_new(2);

/// The same for downloads, which may take minutes and would delay all other long responses.
pub(super) static DOWNLOAD_PERMITS: Semaphore = Semaphore::const_new(1);

/// The longest acceptable response, in bytes. The longest of AWS are a function's result (6 MB) and the methods of a
/// large API (some MB).
#[derive(Clone, Copy, Debug)]
pub(super) struct LengthLimit(pub(super) usize);

impl Default for LengthLimit {
    fn default() -> Self {
        Self(16 * MB)
    }
}

impl fmt::Display for LengthLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < MB => write!(f, "{} KB", bytes / KB),
            bytes => write!(f, "{} MB", bytes / MB),
        }
    }
}

/// What the response of an AWS service must be. It is an extension of the request; for a request without it every
/// response is acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedResponse {
    format: BodyFormat,
    /// Whether the operation is a read, so that the request may be sent again.
    is_read: bool,
    /// Whether the response may list many things.
    is_list: bool,
}

/// The format of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFormat {
    Json,
    Xml,
    /// The result of a function, which may be anything.
    Any,
}

impl ExpectedResponse {
    /// Returns what the response of this operation must be. `service` is the SDK's name of the service.
    pub(crate) fn for_operation(service: &str, operation: &str, is_read: bool) -> Self {
        let format = match (service, operation) {
            ("IAM" | "STS", _) => BodyFormat::Xml,
            ("Lambda", "Invoke") => BodyFormat::Any,
            _ => BodyFormat::Json,
        };
        let is_list = match (service, operation) {
            ("API Gateway" | "CloudWatch Logs" | "Resource Groups Tagging API", _) | ("Lambda", "Invoke") => {
                true
            }
            _ => operation.starts_with("List"),
        };
        Self { format, is_read, is_list }
    }

    /// Returns the limit for a response with this status. Descriptions and errors are kept for each resource of a stack, so
    /// their limits are low; AWS's are a few KB.
    fn limit(self, status: u16) -> LengthLimit {
        match status {
            400.. => LengthLimit(LONG_RESPONSE),
            _ if self.is_list => LengthLimit::default(),
            _ => LengthLimit(MB),
        }
    }

    /// Returns why this cannot be a response of the service, to follow "it" or "the answer".
    fn problem(self, status: u16, body: &[u8]) -> Option<&'static str> {
        // For server errors and throttling the status is enough; a front end may send any body with it.
        if status == 429 || status >= 500 {
            return None;
        }
        match self.format {
            BodyFormat::Any => None,
            // Many writes are answered by the status alone.
            BodyFormat::Json if body.is_empty() => (self.is_read && status == 200).then_some("is empty"),
            BodyFormat::Xml if body.is_empty() => (status < 300).then_some("is empty"),
            BodyFormat::Json => match serde_json::from_slice::<IgnoredAny>(body) {
                Ok(_) => None,
                Err(error) if error.is_eof() => Some("is cut short"),
                Err(_) => Some("is not JSON"),
            },
            BodyFormat::Xml => match xml::root_element(body) {
                Err(problem) => Some(problem),
                // The SDK would take an HTML page of a proxy or a login form for a success.
                Ok(root) if status < 300 && !root.ends_with(b"Response") => Some("is not the service's"),
                Ok(_) => None,
            },
        }
    }
}

/// Reads a response to its end. `permits` are the permits to read a long response.
///
/// # Errors
/// A response that breaks off, is too long, or is not what was expected. The SDK may then retry a read.
pub(super) async fn read(
    mut response: HttpResponse,
    expected: Option<ExpectedResponse>,
    limit: LengthLimit,
    permits: &Semaphore,
) -> Result<HttpResponse, ConnectorError> {
    let status = response.status().as_u16();
    let limit = expected.map_or(limit, |expected| expected.limit(status));
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    let mut permit = None;
    // A declared length is checked before anything is read.
    let (min_length, max_length) = stream.size_hint();
    let mut length = usize::try_from(min_length).unwrap_or(usize::MAX);
    loop {
        if length > limit.0 {
            let why = format!("is longer than {limit}");
            return Err(ConnectorError::other(Unreadable { status, why }.into(), None));
        }
        if permit.is_none() && (length > LONG_RESPONSE || max_length.is_none()) {
            // This never fails, because the semaphore is never closed.
            permit = permits.acquire().await.ok();
        }
        if length > LONG_RESPONSE && body.capacity() < limit.0 {
            // Growing by doubling would use three times the memory for a moment.
            body.reserve_exact(limit.0 - body.len());
        }
        let Some(chunk) = stream.next().await else { break };
        let chunk = chunk
            .map_err(|_| ConnectorError::io(Unreadable { status, why: "breaks off".to_owned() }.into()))?;
        length = length.max(body.len() + chunk.len());
        if length <= limit.0 {
            body.extend_from_slice(&chunk);
        }
    }
    body.shrink_to_fit();
    if let Some(expected) = expected
        && let Some(problem) = expected.problem(status, &body)
    {
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|value| format!(", {value}")).unwrap_or_default();
        let why = format!("{problem}{content_type}");
        let retry = expected.is_read.then_some(ErrorKind::TransientError);
        return Err(ConnectorError::other(Unreadable { status, why }.into(), retry));
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use futures_util::future::join_all;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    const JSON: ExpectedResponse =
        ExpectedResponse { format: BodyFormat::Json, is_read: true, is_list: true };
    const XML: ExpectedResponse = ExpectedResponse { format: BodyFormat::Xml, is_read: true, is_list: true };

    fn response(status: u16, body: SdkBody) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), body)
    }

    async fn error(
        response: HttpResponse,
        expected: Option<ExpectedResponse>,
        limit: usize,
    ) -> Option<String> {
        let result = read(response, expected, LengthLimit(limit), &LONG_RESPONSE_PERMITS).await;
        result.err().map(|error| error.into_source().to_string())
    }

    /// A body without a declared length. It adds its bytes to `held` as they are read, and records the maximum in `peak`.
    fn stream(chunks: usize, held: Arc<AtomicUsize>, peak: Arc<AtomicUsize>) -> SdkBody {
        let chunk = Bytes::from(vec![b'x'; LONG_RESPONSE]);
        SdkBody::from_body_1_x(StreamBody::new(futures_util::stream::iter(0..chunks).then(move |_| {
            let (chunk, held, peak) = (chunk.clone(), held.clone(), peak.clone());
            async move {
                tokio::task::yield_now().await;
                let now = held.fetch_add(chunk.len(), Relaxed) + chunk.len();
                peak.fetch_max(now, Relaxed);
                Ok::<_, Infallible>(Frame::data(chunk))
            }
        })))
    }

    #[tokio::test]
    async fn many_long_responses_use_no_more_memory_than_the_permits_allow() {
        const RESPONSES: usize = 40;
        const CHUNKS: usize = 32;
        let (held, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let permits = Semaphore::new(4);
        let done = join_all((0..RESPONSES).map(|_| async {
            let body = stream(CHUNKS, held.clone(), peak.clone());
            let result = read(response(200, body), None, LengthLimit::default(), &permits).await;
            held.fetch_sub(CHUNKS * LONG_RESPONSE, Relaxed);
            result.map(|response| response.body().bytes().map(<[u8]>::len))
        }));
        for length in done.await {
            assert_eq!(length.unwrap(), Some(CHUNKS * LONG_RESPONSE));
        }
        let bound = 4 * CHUNKS * LONG_RESPONSE;
        assert!(peak.load(Relaxed) <= bound, "{peak:?} bytes were held at once, more than {bound}");
    }

    #[tokio::test]
    async fn responses_for_single_resources_and_errors_have_low_limits() {
        let text = |length: usize| SdkBody::from(format!("\"{}\"", "x".repeat(length)));
        let one = ExpectedResponse::for_operation("Lambda", "GetFunction", true);
        let many = ExpectedResponse::for_operation("Lambda", "ListFunctions", true);
        let default_limit = LengthLimit::default().0;
        assert_eq!(error(response(200, text(2 * MB)), Some(many), default_limit).await, None);
        assert_eq!(error(response(200, text(MB - 2)), Some(one), default_limit).await, None);
        let message = error(response(200, text(MB)), Some(one), default_limit).await.unwrap();
        assert_eq!(message, "the answer is longer than 1 MB (HTTP 200)");
        let message = error(response(400, text(LONG_RESPONSE)), Some(many), default_limit).await.unwrap();
        assert_eq!(message, "the answer is longer than 64 KB (HTTP 400)");
        for (service, operation) in
            [("API Gateway", "GetResources"), ("CloudWatch Logs", "FilterLogEvents"), ("Lambda", "Invoke")]
        {
            assert!(
                ExpectedResponse::for_operation(service, operation, true).is_list,
                "{service} {operation}"
            );
        }
    }

    #[test]
    fn refuses_responses_that_cannot_be_from_the_service() {
        let cases = [
            (JSON, 200, r#"{"a":1}"#, None),
            (JSON, 200, r#"{"a":"#, Some("is cut short")),
            (JSON, 200, "<html></html>", Some("is not JSON")),
            (JSON, 200, "", Some("is empty")),
            (JSON, 202, "", None),
            (JSON, 404, r#"{"__type":"ResourceNotF"#, Some("is cut short")),
            (JSON, 403, "", None),
            (ExpectedResponse { is_read: false, ..JSON }, 200, "", None),
            (XML, 200, "<GetRoleResponse><b/></GetRoleResponse>", None),
            (XML, 200, "<html></html>", Some("is not the service's")),
            (XML, 403, "<html></html>", None),
            (XML, 200, "<a><b/>", Some("is cut short")),
            (XML, 200, "", Some("is empty")),
            (XML, 404, "<ErrorResponse><Error>", Some("is cut short")),
            (XML, 429, "slow down", None),
            (JSON, 503, "<html>", None),
            (ExpectedResponse::for_operation("Lambda", "Invoke", false), 200, "half a", None),
        ];
        for (expected, status, body, problem) in cases {
            assert_eq!(expected.problem(status, body.as_bytes()), problem, "{expected:?} {status} {body}");
        }
    }

    #[tokio::test]
    async fn refuses_a_declared_length_above_the_limit_before_reading() {
        let long = || response(200, SdkBody::from("x".repeat(100)));
        assert_eq!(error(long(), None, 100).await, None);
        assert!(error(long(), None, 99).await.unwrap().starts_with("the answer is longer than"));
    }
}
