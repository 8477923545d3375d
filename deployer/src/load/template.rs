//! A request with places for ids.

use super::ids::{Created, RunId};
use super::target::Target;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use hyper::{Method, Request, Uri};
use std::collections::BTreeMap;

/// A request as it is declared.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(super) method: Method,
    /// Below the stage, as routes are declared.
    pub(super) path: Text,
    pub(super) body: Text,
    pub(super) headers: HeaderMap,
}

/// Text with places for ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Id { of: Whose, as_number: bool },
}

/// Which item an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// One that no request was about before.
    New,
    /// One that an earlier request has made.
    Created,
}

const PLACES: [(&str, Whose, bool); 4] = [
    ("id", Whose::New, false),
    ("id:number", Whose::New, true),
    ("created", Whose::Created, false),
    ("created:number", Whose::Created, true),
];

impl Text {
    /// # Errors
    /// A place that has no meaning, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((place, after)) = after.split_once("}}") else {
                return Err("{{ has no }} after it".to_owned());
            };
            let known = PLACES.iter().find(|(name, ..)| *name == place.trim());
            let (_, of, as_number) = known.ok_or_else(|| {
                let names = PLACES.map(|(name, ..)| format!("{{{{{name}}}}}")).join(", ");
                format!("{{{{{place}}}}} means nothing; what does is {names}")
            })?;
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(Part::Id { of: *of, as_number: *as_number });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether it says a new id, so that its request makes an item.
    fn is_about_a_new_item(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Id { of: Whose::New, .. }))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With an id in each place; of items that were made, `created`.
    fn fill(&self, run: &RunId, number: u64, created: u64) -> String {
        let mut filled = String::with_capacity(128);
        for part in &self.0 {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Id { of, as_number } => {
                    let number = match of {
                        Whose::New => number,
                        Whose::Created => created,
                    };
                    filled.push_str(&if *as_number { run.number(number) } else { run.id(number) });
                }
            }
        }
        filled
    }
}

/// Headers that say where a request goes, where it ends, or what becomes of its connection: another value would send requests
/// elsewhere, or break the ones behind it.
const SET_BY_LOAD: [HeaderName; 9] = [
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

/// Only the beginning is shown: somebody may have written the value, a secret, into the name.
fn no_header(name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let beginning: String = name.chars().take_while(|c| is_part(*c)).collect();
    match name.chars().find(|c| !is_part(*c)) {
        Some(stranger) => {
            format!("the name of the header that begins with {beginning:?} must not have {stranger:?}")
        }
        None => "a header must have a name".to_owned(),
    }
}

impl Template {
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn new(
        method: &str,
        path: &str,
        body: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| "its method is none of HTTP's".to_owned())?;
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::try_from(name).map_err(|_| no_header(name))?;
            if SET_BY_LOAD.contains(&header) {
                return Err(format!("the header {header} is set by load itself"));
            }
            let value = HeaderValue::try_from(value)
                .map_err(|_| format!("the header {header} has a value that no header can have"))?;
            all.insert(header, value);
        }
        let in_body = |e| format!("body: {e}");
        let in_path = |e| format!("path: {e}");
        Ok(Self {
            method,
            path: Text::parse(path).map_err(in_path)?,
            body: Text::parse(body).map_err(in_body)?,
            headers: all,
        })
    }

    /// Whether it makes an item.
    pub(super) fn is_about_a_new_item(&self) -> bool {
        self.path.is_about_a_new_item() || self.body.is_about_a_new_item()
    }

    /// Ready to be sent to a target many times.
    ///
    /// # Errors
    /// A path that no URL can have, in words.
    pub(super) fn prepare(&self, target: &Target) -> Result<Prepared, String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, target.host_header());
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("deployer/", env!("CARGO_PKG_VERSION"))));
        if !self.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(self.headers.clone());
        let mut path = Text(vec![Part::Literal(target.base_path().to_owned())]);
        path.0.extend(self.path.0.iter().cloned());
        let prepared = Prepared {
            method: self.method.clone(),
            headers,
            fixed_path: None,
            path,
            fixed_body: None,
            body: self.body.clone(),
            makes_an_item: self.is_about_a_new_item(),
        };
        prepared.settle()
    }
}

/// A request that lacks nothing but ids. What has none is made once.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    method: Method,
    headers: HeaderMap,
    path: Text,
    fixed_path: Option<Uri>,
    body: Text,
    fixed_body: Option<Bytes>,
    /// Whether its item exists once it was answered well.
    pub(super) makes_an_item: bool,
}

impl Prepared {
    fn settle(mut self) -> Result<Self, String> {
        let filled = self.path.fill(&RunId::new(), 0, 0);
        // A query may hold a key.
        let shown = filled.split('?').next().unwrap_or_default();
        let uri: Uri = filled.parse().map_err(|e| format!("{shown} is no path: {e}"))?;
        let is_fixed = |text: &Text| text.0.iter().all(|part| matches!(part, Part::Literal(_)));
        self.fixed_path = is_fixed(&self.path).then_some(uri);
        self.fixed_body = is_fixed(&self.body).then(|| Bytes::from(self.body.fill(&RunId::new(), 0, 0)));
        Ok(self)
    }

    /// The request for one number of the schedule.
    pub(super) fn request(&self, run: &RunId, number: u64, created: &Created) -> Request<Full<Bytes>> {
        // Before anything was made, what is asked for is not there, which is an answer too.
        let known = if self.fixed_path.is_none() || self.fixed_body.is_none() {
            created.any().unwrap_or(number)
        } else {
            number
        };
        let body = match &self.fixed_body {
            Some(body) => body.clone(),
            None => Bytes::from(self.body.fill(run, number, known)),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = match &self.fixed_path {
            Some(uri) => uri.clone(),
            // It was one with other digits in it.
            None => self.path.fill(run, number, known).parse().unwrap_or_default(),
        };
        request
    }
}
