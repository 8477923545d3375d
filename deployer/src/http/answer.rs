//! An answer is read to its end before anybody looks into it, and no further than it may be long. What one of AWS's
//! services says is then a whole document, or it is no answer: half a document would be taken for one that lists less.
//!
//! Many answers arrive at once, so each bound alone is not enough: only a few long answers are read at the same time, and
//! what a program may keep of each resource, such as an error or a description, has lower bounds.

use super::markup;
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

/// An answer longer than this, or of a length that is not declared, takes one of the permits of [`LONG_ANSWERS`] while it is
/// read. Without one nothing is read, so that connections hold nothing either.
const LONG: usize = 64 * KB;

/// How many long answers the process reads at once: 32 MB of them at most. An answer takes one permit and waits for
/// nothing else while it has it, so no answers can wait for each other.
pub(super) static LONG_ANSWERS: Semaphore = Semaphore::const_new(2);

/// The same for downloads, which may take minutes and would hold up all other answers.
pub(super) static DOWNLOADS: Semaphore = Semaphore::const_new(1);

/// How long an answer may be, in bytes. The longest that AWS gives are a function's (6 MB) and the methods of a large
/// API (some MB).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(16 * MB)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < MB => write!(f, "{} KB", bytes / KB),
            bytes => write!(f, "{} MB", bytes / MB),
        }
    }
}

/// What a service has to answer with, as an extension of the request to it. Other requests have none, and any answer to
/// them will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) format: Format,
    /// Whether the request only looks, so that it may be sent again.
    pub(crate) reads: bool,
    /// Whether the answer may list many things.
    lists: bool,
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
    pub(crate) fn for_operation(service: &str, operation: &str, reads: bool) -> Self {
        let format = match (service, operation) {
            ("IAM" | "STS", _) => Format::Xml,
            ("Lambda", "Invoke") => Format::Any,
            _ => Format::Json,
        };
        let lists = match (service, operation) {
            ("API Gateway" | "CloudWatch Logs" | "Resource Groups Tagging API", _) | ("Lambda", "Invoke") => {
                true
            }
            _ => operation.starts_with("List"),
        };
        Self { format, reads, lists }
    }

    /// How long an answer with this status may be. What describes one resource is kept for each of a stack's resources,
    /// and an error for each that fails. AWS's own are a few KB.
    fn limit(self, status: u16) -> Limit {
        match status {
            400.. => Limit(LONG),
            _ if self.lists => Limit::default(),
            _ => Limit(MB),
        }
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

/// `long_answers` are the permits to read a long answer.
///
/// # Errors
/// An answer that breaks off, is too long, or is not what was expected. What only looks may be sent again by the SDK.
pub(super) async fn read(
    mut response: HttpResponse,
    expected: Option<Expected>,
    limit: Limit,
    long_answers: &Semaphore,
) -> Result<HttpResponse, ConnectorError> {
    let status = response.status().as_u16();
    let limit = expected.map_or(limit, |expected| expected.limit(status));
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    let mut permit = None;
    // A length that is declared is refused before any of it is read.
    let (least, most) = stream.size_hint();
    let mut length = usize::try_from(least).unwrap_or(usize::MAX);
    loop {
        if length > limit.0 {
            let why = format!("is longer than {limit}");
            return Err(ConnectorError::other(Unreadable { status, why }.into(), None));
        }
        if permit.is_none() && (length > LONG || most.is_none()) {
            // It fails only when the semaphore is closed, which nobody does.
            permit = long_answers.acquire().await.ok();
        }
        if length > LONG && body.capacity() < limit.0 {
            // Growing by doubling would hold three times as much for a moment.
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
    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use futures_util::future::join_all;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    const JSON: Expected = Expected { format: Format::Json, reads: true, lists: true };
    const XML: Expected = Expected { format: Format::Xml, reads: true, lists: true };

    fn answer(status: u16, body: SdkBody) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), body)
    }

    async fn problem(answer: HttpResponse, expected: Option<Expected>, limit: usize) -> Option<String> {
        let read = read(answer, expected, Limit(limit), &LONG_ANSWERS).await;
        read.err().map(|error| error.into_source().to_string())
    }

    /// A body without a declared length, which counts how many of its bytes have been taken.
    fn stream_of(chunks: usize, taken: Arc<AtomicUsize>, most: Arc<AtomicUsize>) -> SdkBody {
        let chunk = Bytes::from(vec![b'x'; LONG]);
        SdkBody::from_body_1_x(StreamBody::new(stream::iter(0..chunks).then(move |_| {
            let (chunk, taken, most) = (chunk.clone(), taken.clone(), most.clone());
            async move {
                tokio::task::yield_now().await;
                let now = taken.fetch_add(chunk.len(), Relaxed) + chunk.len();
                most.fetch_max(now, Relaxed);
                Ok::<_, Infallible>(Frame::data(chunk))
            }
        })))
    }

    #[tokio::test]
    async fn many_long_answers_at_once_hold_as_much_as_a_few() {
        const ANSWERS: usize = 40;
        const CHUNKS: usize = 32;
        let (taken, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let permits = Semaphore::new(4);
        let done = join_all((0..ANSWERS).map(|_| async {
            let body = stream_of(CHUNKS, taken.clone(), most.clone());
            let read = read(answer(200, body), None, Limit::default(), &permits).await;
            taken.fetch_sub(CHUNKS * LONG, Relaxed);
            read.map(|answer| answer.body().bytes().map(<[u8]>::len))
        }));
        for length in done.await {
            assert_eq!(length.unwrap(), Some(CHUNKS * LONG));
        }
        let bound = 4 * CHUNKS * LONG;
        assert!(most.load(Relaxed) <= bound, "{most:?} bytes were held at once, more than {bound}");
    }

    #[tokio::test]
    async fn what_is_kept_for_each_resource_is_short() {
        let text = |length: usize| SdkBody::from(format!("\"{}\"", "x".repeat(length)));
        let one = Expected::for_operation("Lambda", "GetFunction", true);
        let many = Expected::for_operation("Lambda", "ListFunctions", true);
        let sixteen = Limit::default().0;
        assert_eq!(problem(answer(200, text(2 * MB)), Some(many), sixteen).await, None);
        assert_eq!(problem(answer(200, text(MB - 2)), Some(one), sixteen).await, None);
        let long = problem(answer(200, text(MB)), Some(one), sixteen).await.unwrap();
        assert_eq!(long, "the answer is longer than 1 MB (HTTP 200)");
        let error = problem(answer(400, text(LONG)), Some(many), sixteen).await.unwrap();
        assert_eq!(error, "the answer is longer than 64 KB (HTTP 400)");
        for (service, operation) in
            [("API Gateway", "GetResources"), ("CloudWatch Logs", "FilterLogEvents"), ("Lambda", "Invoke")]
        {
            assert!(Expected::for_operation(service, operation, true).lists, "{service} {operation}");
        }
    }

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
            (Expected::for_operation("Lambda", "Invoke", false), 200, "half a", None),
        ];
        for (expected, status, body, problem) in cases {
            assert_eq!(objection(expected, status, body), problem, "{expected:?} {status} {body}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_declares_too_much_is_refused_before_it_is_read() {
        let body = || answer(200, SdkBody::from("x".repeat(100)));
        assert_eq!(problem(body(), None, 100).await, None);
        assert!(problem(body(), None, 99).await.unwrap().starts_with("the answer is longer than"));
    }
}
