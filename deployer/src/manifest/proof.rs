//! `[api] proof`: the request by which `up` and `status` see that the stack answers.

use super::read::{Item, Text};
use super::route::{Auth, Route, for_request, listed};
use super::schema::{of_text, one_of};
use super::section::Section;
use crate::proof::{ExpectedAnswer, Proof};
use schemars::JsonSchema;

const LIKE: &str = r#"a table like { path = "/items/1" }"#;

/// What a request without a body, and one with, may be. An answer to HEAD has no body to look at.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// It is sent by each `up` and each `status`, and a command for a shell shows it.
const LONGEST_BODY: usize = 65_536;

const LONGEST_PATH: usize = 2048;
const LONGEST_EXPECTED: usize = 1024;

/// The request, for the schema. The answer counts if its status is 200 to 299 and its body contains `expect`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("not" = { "properties": { "method": { "const": "GET" } }, "required": ["body", "method"] }))]
#[expect(dead_code, reason = "reading makes a Proof of the keys, which has another form")]
pub(super) struct Declared {
    /// The path below the stage, with parameters filled in, and with a query if you like. It leads to a route with
    /// `auth = "none"`.
    #[schemars(length(max = LONGEST_PATH), transform = of_text(PATH))]
    path: String,
    /// The HTTP method. Without this key, it is `POST` if there is a body, and otherwise `GET`.
    #[schemars(transform = one_of(&METHODS))]
    method: Option<String>,
    /// The body, which is sent as `application/json`, at most 65,536 bytes. Not with `GET`.
    #[schemars(length(min = 1, max = LONGEST_BODY))]
    body: Option<String>,
    /// What the body of the answer must contain, at most 1,024 bytes. Without this key, each answer with a status of 200 to 299 counts.
    #[schemars(length(min = 1, max = LONGEST_EXPECTED))]
    expect: Option<String>,
}

/// The form of a path: characters that a URL has as they are.
const PATH: &str = r"^/[!$-&(-;=?-\[\]_a-z~]*$";

/// `routes` are those that could be read.
pub(super) fn read(proof: &Item<'_>, routes: &[Route]) -> Option<Proof> {
    proof.section(LIKE, |keys| of(keys, routes)).flatten()
}

fn of(keys: &mut Section<'_>, routes: &[Route]) -> Option<Proof> {
    let path = keys.require("path", r#"path = "/items/1""#);
    let method = keys.get("method");
    let body = keys.get("body");
    let expected = keys.get("expect").and_then(|part| {
        let what = format!("a part of the answer, of 1 to {LONGEST_EXPECTED} bytes");
        part.text_where(&what, |text| (1..=LONGEST_EXPECTED).contains(&text.len()))
    });
    let text = body.as_ref().and_then(|body| {
        let what = format!("text of 1 to {LONGEST_BODY} bytes");
        body.text_where(&what, |text| (1..=LONGEST_BODY).contains(&text.len()))
    });
    let method = match &method {
        Some(method) => method.choice(&METHODS.map(|method| (method, method)))?,
        None if body.is_some() => "POST",
        None => "GET",
    };
    if let (Some(body), Some(_), "GET") = (&body, &text, method) {
        body.report(body.wrong("goes with another method: a GET has no body"));
    }
    let item = path?;
    let path = read_path(&item)?;
    check_route(&item, path.text, method, routes);
    Some(Proof {
        name: format!("{method} {}", path.text),
        method: method.to_owned(),
        path: path.text.to_owned(),
        body: text.unwrap_or_default(),
        expected: ExpectedAnswer::Success(expected),
        advice: "The key proof of [api] in the manifest says what is sent and what has to come back.",
    })
}

fn read_path<'a>(path: &Item<'a>) -> Option<Text<'a>> {
    let text = path.text(r#"a path like "/items/1""#)?;
    let stranger = text.text.chars().find(|c| !c.is_ascii_graphic() || "\"'<>\\^`{|}#".contains(*c));
    let wrong = match stranger {
        Some('{' | '}') => "must have its parameters filled in, like /items/1 for /items/{id}".to_owned(),
        Some(stranger) => format!("must not have {stranger:?}; in a URL it would be a % and two digits"),
        None if !text.text.starts_with('/') => "must begin with /, below the stage".to_owned(),
        None if text.text.len() > LONGEST_PATH => format!("must be at most {LONGEST_PATH} bytes"),
        None => return Some(text),
    };
    path.report(path.wrong(&wrong));
    None
}

/// Of an API whose routes are all wrong, nothing more is said.
fn check_route(item: &Item<'_>, path: &str, method: &str, routes: &[Route]) {
    let problem = match for_request(routes, method, path) {
        Some(route) if route.auth == Auth::None => return,
        Some(route) => {
            let (method, path) = (&route.method, &route.path);
            item.wrong(&format!("leads to the route {method} {path}, which asks for credentials"))
                .help("deployer sends none with a proof: choose a route with auth = \"none\"")
        }
        None if routes.is_empty() => return,
        None => {
            let problem = item.wrong(&format!("is for no route of the API: none takes {method} {path}"));
            problem.help(format!("its routes are {}", listed(routes)))
        }
    };
    item.report(problem);
}
