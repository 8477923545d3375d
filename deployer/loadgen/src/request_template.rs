//! Request templates with placeholders for item ids, and the requests built from them.

use crate::item_ids::{CreatedItems, RunId};
use crate::target::Target;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use hyper::{Method, Request, Uri};
use std::collections::BTreeMap;

/// A request whose path and body may contain placeholders.
///
/// `{{id}}` is the id of a new item. `{{created}}` is the id of an item that an earlier request of the run has created. With
/// `:number` (`{{id:number}}`, `{{created:number}}`), the id is a number of 22 digits.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    method: Method,
    /// The path relative to the target's base path.
    path: TextTemplate,
    body: TextTemplate,
    headers: HeaderMap,
}

/// Text with placeholders for ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TextTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Id { item: Item, as_number: bool },
}

/// The item that an id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// The item that this request creates.
    New,
    /// An item that an earlier request has created.
    Created,
}

const PLACEHOLDERS: [(&str, Item, bool); 4] = [
    ("id", Item::New, false),
    ("id:number", Item::New, true),
    ("created", Item::Created, false),
    ("created:number", Item::Created, true),
];

impl TextTemplate {
    /// Parses a text with placeholders.
    ///
    /// # Errors
    /// A message about an unknown or unterminated placeholder.
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err("{{ is not followed by }}".to_owned());
            };
            let placeholder = PLACEHOLDERS.iter().find(|(known, ..)| *known == name.trim());
            let (_, item, as_number) = placeholder.ok_or_else(|| {
                let names = PLACEHOLDERS.map(|(name, ..)| format!("{{{{{name}}}}}")).join(", ");
                format!("{{{{{name}}}}} is not a placeholder; the placeholders are {names}")
            })?;
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(Part::Id { item: *item, as_number: *as_number });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Returns whether the text contains the id of a new item.
    fn has_new_id(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Id { item: Item::New, .. }))
    }

    /// Returns the text with its placeholders.
    fn source(&self) -> String {
        let placeholder = |item, as_number| {
            let found = PLACEHOLDERS.iter().find(|(_, kind, number)| (*kind, *number) == (item, as_number));
            found.map(|(name, ..)| format!("{{{{{name}}}}}")).unwrap_or_default()
        };
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Id { item, as_number } => placeholder(*item, *as_number),
        };
        self.0.iter().map(part).collect()
    }

    /// Returns the text's part of [`RequestTemplate::canonical_text`].
    fn canonical_text(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => format!("Literal({text:?})"),
            Part::Id { item, as_number } => format!("Id {{ of: {item:?}, as_number: {as_number} }}"),
        };
        format!("Text([{}])", self.0.iter().map(part).collect::<Vec<_>>().join(", "))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text with the ids of request `number` and of the item that request `created` has created.
    fn fill(&self, run: &RunId, number: u64, created: u64) -> String {
        let mut filled = String::with_capacity(128);
        for part in &self.0 {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Id { item, as_number } => {
                    let number = match item {
                        Item::New => number,
                        Item::Created => created,
                    };
                    filled.push_str(&if *as_number { run.item_number(number) } else { run.item_id(number) });
                }
            }
        }
        filled
    }
}

/// The headers that determine the host, the length of a request or the use of its connection. Other values would change the
/// target or break later requests on the same connection.
const RESERVED_HEADERS: [HeaderName; 9] = [
    HOST,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONNECTION,
    UPGRADE,
    TE,
    TRAILER,
    EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// Returns a message about an invalid header name. It shows only the beginning, because the rest may be the header's value,
/// which can be secret.
fn invalid_header_name(name: &str) -> String {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let beginning: String = name.chars().take_while(|c| is_valid(*c)).collect();
    match name.chars().find(|c| !is_valid(*c)) {
        Some(invalid) => {
            format!(
                "the name of the header that begins with {beginning:?} contains the invalid character {invalid:?}"
            )
        }
        None => "the name of a header is empty".to_owned(),
    }
}

impl RequestTemplate {
    /// Parses a request. `path` is relative to the target's base path. A body has the type `application/json`, unless
    /// `headers` contains another one.
    ///
    /// # Errors
    /// A message about an invalid method, an unknown placeholder, an invalid header, or a header that the generator sets
    /// (`Host`, `Content-Length` and others). It contains no value of a header.
    pub fn new(
        method: &str,
        path: &str,
        body: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| "its method is not valid in HTTP".to_owned())?;
        let mut header_map = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::try_from(name).map_err(|_| invalid_header_name(name))?;
            if RESERVED_HEADERS.contains(&header) {
                return Err(format!("the header {header} is reserved for the load generator"));
            }
            let value = HeaderValue::try_from(value).map_err(|_| {
                format!("the value of the header {header} has a character that HTTP does not allow")
            })?;
            header_map.insert(header, value);
        }
        let body_error = |e| format!("body: {e}");
        let path_error = |e| format!("path: {e}");
        Ok(Self {
            method,
            path: TextTemplate::parse(path).map_err(path_error)?,
            body: TextTemplate::parse(body).map_err(body_error)?,
            headers: header_map,
        })
    }

    /// Returns the path with its placeholders.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.source()
    }

    /// Returns the body with its placeholders.
    #[must_use]
    pub fn body(&self) -> String {
        self.body.source()
    }

    /// Returns whether the request contains the id of a new item.
    pub(crate) fn has_new_id(&self) -> bool {
        self.path.has_new_id() || self.body.has_new_id()
    }

    /// Returns a text that identifies the request, for [`RequestKind::new`](crate::RequestKind::new).
    ///
    /// Fingerprints in result files depend on it, so it must not change between versions.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        format!(
            "Template {{ method: {:?}, path: {}, body: {}, headers: {:?} }}",
            self.method,
            self.path.canonical_text(),
            self.body.canonical_text(),
            self.headers
        )
    }

    /// Prepares everything that is the same for all requests to a target.
    ///
    /// # Errors
    /// A message about an invalid path.
    pub(crate) fn prepare(
        &self,
        target: &Target,
        user_agent: &HeaderValue,
    ) -> Result<PreparedRequest, String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, target.host_header());
        headers.insert(USER_AGENT, user_agent.clone());
        if !self.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(self.headers.clone());
        let mut path = TextTemplate(vec![Part::Literal(target.base_path().to_owned())]);
        path.0.extend(self.path.0.iter().cloned());
        let prepared = PreparedRequest {
            method: self.method.clone(),
            headers,
            fixed_path: None,
            path,
            fixed_body: None,
            body: self.body.clone(),
            creates_item: self.has_new_id(),
        };
        prepared.with_fixed_parts()
    }
}

/// A request that is complete except for its ids. A path or body without ids is built once and reused.
#[derive(Clone, Debug)]
pub(crate) struct PreparedRequest {
    method: Method,
    headers: HeaderMap,
    path: TextTemplate,
    fixed_path: Option<Uri>,
    body: TextTemplate,
    fixed_body: Option<Bytes>,
    /// Whether an item exists after a successful answer.
    pub(crate) creates_item: bool,
}

impl PreparedRequest {
    fn with_fixed_parts(mut self) -> Result<Self, String> {
        let filled = self.path.fill(&RunId::random(), 0, 0);
        // The query may contain a secret key.
        let public_path = filled.split('?').next().unwrap_or_default();
        let uri: Uri = filled.parse().map_err(|e| format!("{public_path} is not a valid path: {e}"))?;
        let is_fixed = |text: &TextTemplate| text.0.iter().all(|part| matches!(part, Part::Literal(_)));
        self.fixed_path = is_fixed(&self.path).then_some(uri);
        self.fixed_body = is_fixed(&self.body).then(|| Bytes::from(self.body.fill(&RunId::random(), 0, 0)));
        Ok(self)
    }

    /// Builds the request for one number of the schedule.
    pub(crate) fn request(&self, run: &RunId, number: u64, created: &CreatedItems) -> Request<Full<Bytes>> {
        // Until an item exists, requests use the id of an item that does not exist.
        let created_number = if self.fixed_path.is_none() || self.fixed_body.is_none() {
            created.choose().unwrap_or(number)
        } else {
            number
        };
        let body = match &self.fixed_body {
            Some(body) => body.clone(),
            None => Bytes::from(self.body.fill(run, number, created_number)),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = match &self.fixed_path {
            Some(uri) => uri.clone(),
            // `with_fixed_parts` has parsed the same path with other digits.
            None => self.path.fill(run, number, created_number).parse().unwrap_or_default(),
        };
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn headers() -> BTreeMap<String, String> {
        [("x-api-key".to_owned(), "k\"".to_owned()), ("accept".to_owned(), "a".to_owned())].into()
    }

    /// Returns the path and the body of request 9. Only item 7 was created before.
    async fn path_and_body(template: &RequestTemplate) -> (String, String) {
        let target = Target::new("http://127.0.0.1:1/base", &[]).unwrap();
        let created = CreatedItems::new();
        created.add(7);
        let prepared = template.prepare(&target, &HeaderValue::from_static("test")).unwrap();
        let request = prepared.request(&RunId::from_number(1), 9, &created);
        let path = request.uri().to_string();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        (path, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn replaces_placeholders_by_ids_of_new_and_of_created_items() {
        let body = r#"{"n": {{id:number}}, "like": "{{ created }}", "m": {{created:number}}}"#;
        let template = RequestTemplate::new("PUT", "/items/{{id}}?x=1", body, &headers()).unwrap();
        let filled =
            r#"{"n": 1000000001000000000009, "like": "load-00000001-7", "m": 1000000001000000000007}"#;
        assert_eq!(
            path_and_body(&template).await,
            ("/base/items/load-00000001-9?x=1".to_owned(), filled.to_owned())
        );
        assert!(template.has_new_id());
        let fixed = RequestTemplate::new("GET", "/items", "", &BTreeMap::new()).unwrap();
        assert_eq!(path_and_body(&fixed).await, ("/base/items".to_owned(), String::new()));
        assert!(!fixed.has_new_id());
    }

    #[test]
    fn the_canonical_text_is_stable() {
        let template =
            RequestTemplate::new("PUT", "/items/{{id}}?x=1", r#"{"n": {{created:number}}}"#, &headers());
        assert_eq!(
            template.unwrap().canonical_text(),
            r#"Template { method: PUT, path: Text([Literal("/items/"), Id { of: New, as_number: false }, Literal("?x=1")]), body: Text([Literal("{\"n\": "), Id { of: Created, as_number: true }, Literal("}")]), headers: {"accept": "a", "x-api-key": "k\""} }"#
        );
    }

    #[test]
    fn errors_do_not_contain_the_values_of_headers() {
        let error = |path: &str, name: &str, value: &str| {
            let headers = [(name.to_owned(), value.to_owned())].into();
            RequestTemplate::new("POST", path, "", &headers).unwrap_err()
        };
        assert_eq!(error("/{{id", "a", "b"), "path: {{ is not followed by }}");
        assert!(
            error("/{{it}}", "a", "b")
                .starts_with("path: {{it}} is not a placeholder; the placeholders are {{id}}, ")
        );
        assert_eq!(error("/", "Host", "example.com"), "the header host is reserved for the load generator");
        assert_eq!(
            error("/", "a", "s3cret\0"),
            "the value of the header a has a character that HTTP does not allow"
        );
        let message = error("/", "authorization: s3cret", "");
        assert!(message.ends_with("\"authorization\" contains the invalid character ':'"), "{message}");
    }
}
