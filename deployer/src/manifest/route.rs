//! `[[api.routes]]`: one method on one path, and the function that it calls.

use super::api::Callable;
use super::error_responses::{self, ErrorResponses};
use super::path::{self, Places};
use super::problem::Problem;
use super::read::Item;
use super::schema::{of_text, one_of, within, without_default};
use super::section::Section;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::{Range, RangeInclusive};

/// A method on a path, and the function that it calls. No two routes may have the same method and path.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("not" = {
    "properties": { "integration": { "const": "aws-proxy" } },
    "required": ["integration", "error-responses"],
}))]
pub(crate) struct Route {
    /// The HTTP method. `ANY` takes each one that no other route of the path takes.
    #[schemars(transform = one_of(&METHODS))]
    pub method: String,
    /// The path, like `/items/{id}`. A parameter such as `{id}` takes one part, and `{proxy+}` at the end takes the rest. Other
    /// parts consist of `a-z A-Z 0-9 . _ - :`.
    #[schemars(transform = of_text(path::PATTERN))]
    pub path: String,
    /// The name of a declared function.
    pub function: String,
    /// What the function gets.
    #[schemars(default)]
    pub integration: IntegrationKind,
    /// Who may call the route.
    #[schemars(default)]
    pub auth: Auth,
    /// How long API Gateway waits for the function, in milliseconds.
    #[schemars(default = "longest_ms", transform = within(&TIMEOUT_MS))]
    pub timeout_ms: i32,
    /// The same as in `[api]`, for this route, in place of the API's. Only with `integration = "aws"`.
    #[schemars(default, with = "BTreeMap<String, String>", transform = error_responses::in_schema)]
    pub error_responses: ErrorResponses,
}

/// What the function gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IntegrationKind {
    /// The body of the request is the event.
    #[default]
    Aws,
    /// The event describes the HTTP request, and the function's answer the HTTP response.
    AwsProxy,
}

/// Who may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Auth {
    /// Everybody.
    #[default]
    None,
    /// Callers whose requests are signed with IAM credentials that allow the call.
    Iam,
    /// Callers who send an API key of a usage plan.
    ApiKey,
}

/// API Gateway's longest, and its default.
pub(super) const LONGEST_MS: i32 = 29_000;

const TIMEOUT_MS: RangeInclusive<i64> = 50..=LONGEST_MS as i64;

fn longest_ms() -> i32 {
    LONGEST_MS
}

pub(super) fn in_schema(routes: &mut Schema) {
    // It depends on the functions.
    without_default(routes);
    routes.insert("minItems".to_owned(), 1.into());
}

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"];

const INTEGRATIONS: [(&str, IntegrationKind); 2] =
    [("aws", IntegrationKind::Aws), ("aws-proxy", IntegrationKind::AwsProxy)];

const AUTHS: [(&str, Auth); 3] = [("none", Auth::None), ("iam", Auth::Iam), ("api-key", Auth::ApiKey)];

/// All routes, as far as they can be read. `shared` are the error responses of those that declare none.
pub(super) fn read(list: &Item<'_>, functions: &Callable<'_>, shared: Option<&ErrorResponses>) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut taken = Taken::default();
    let Some(items) = list.list("a list of tables like [[api.routes]]") else {
        return Vec::new();
    };
    for item in &items {
        let read = item.section("a table like [[api.routes]]", |keys| Route::of(keys, functions, shared));
        let Some((route, places)) = read.flatten() else {
            continue;
        };
        if let Some(problem) = taken.clash(&route, &places) {
            item.report(problem);
        }
        routes.push(route);
    }
    if items.is_empty() {
        list.report(
            list.wrong("must hold a route, because an API without one cannot be deployed")
                .help("without this key, a stack with one function has the route POST /DynamoDBManager"),
        );
    }
    routes
}

/// The route that a request gets to: the closest one, and one for its method before one for any.
pub(crate) fn for_request<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    let path = path.split('?').next().unwrap_or_default();
    let fit = routes.iter().filter(|route| route.takes(method) && path::is_for(path, &route.path));
    fit.min_by_key(|route| (path::precedence(&route.path), route.method == "ANY"))
}

/// `GET /items, POST /items`, for messages.
pub(crate) fn listed<'a>(routes: impl IntoIterator<Item = &'a Route>) -> String {
    let all = routes.into_iter().map(|route| format!("{} {}", route.method, route.path));
    all.collect::<Vec<_>>().join(", ")
}

/// What the routes so far have taken.
#[derive(Default)]
struct Taken {
    /// By method and path.
    routes: BTreeMap<(String, String), Range<usize>>,
    /// The parameter that stands behind the beginning of a path, with the path that it is from: API Gateway keeps paths as a
    /// tree, with one parameter to a branch.
    parameters: BTreeMap<String, (String, Range<usize>)>,
}

impl Taken {
    /// Adds a route, and says what it clashes with.
    fn clash(&mut self, route: &Route, places: &Places) -> Option<Problem> {
        match self.routes.entry((route.method.clone(), route.path.clone())) {
            Entry::Occupied(first) => {
                let message = format!("the route {} {} is declared twice", route.method, route.path);
                return Some(
                    Problem::new(places.route.clone(), message).earlier(first.get().clone(), "first here"),
                );
            }
            Entry::Vacant(entry) => entry.insert(places.route.clone()),
        };
        let mut problem = None;
        for (beginning, ours) in path::parameters(&route.path) {
            let (theirs, at) = self
                .parameters
                .entry(beginning.to_owned())
                .or_insert_with(|| (ours.to_owned(), places.path.clone()));
            if theirs != ours && problem.is_none() {
                let message = format!(
                    "{ours} and {theirs} stand in the same place of two paths, where API Gateway takes one name only"
                );
                let place = Problem::new(places.path.clone(), message);
                problem = Some(place.earlier(at.clone(), "the other path"));
            }
        }
        problem
    }
}

impl Route {
    fn of(
        keys: &mut Section<'_>,
        functions: &Callable<'_>,
        shared: Option<&ErrorResponses>,
    ) -> Option<(Self, Places)> {
        let names = functions.names();
        let route = keys.span();
        let methods = METHODS.map(|method| (method, method));
        let method = keys.require("method", r#"method = "POST""#).and_then(|method| method.choice(&methods));
        let path = keys.require("path", r#"path = "/items/{id}""#);
        let places = Places { path: path.as_ref().map_or(route.clone(), |path| path.span.clone()), route };
        let path = path.and_then(|path| path::read(&path));
        let like = format!("function = \"{}\"", names.first().unwrap_or(&"NAME"));
        let function = keys.require("function", &like).and_then(|name| name.declared("function", &names));
        let kind = keys.get("integration");
        let integration = kind.as_ref().and_then(|kind| kind.choice(&INTEGRATIONS));
        let auth = keys.get("auth").and_then(|auth| auth.choice(&AUTHS));
        let timeout_ms = keys.get("timeout-ms").and_then(|ms| ms.whole(TIMEOUT_MS, "milliseconds"));
        let responses = keys.get("error-responses");
        if let (Some(responses), Some(kind), Some(IntegrationKind::AwsProxy)) =
            (&responses, &kind, integration)
        {
            let problem = responses
                .wrong(r#"goes with integration = "aws" only: otherwise the function says the status"#);
            responses.report(problem.earlier(kind.span.clone(), "the integration"));
        }
        let responses = responses.as_ref().map(ErrorResponses::read);
        let function = function?;
        let route = Self {
            method: method?.to_owned(),
            path: path?,
            error_responses: responses.unwrap_or_else(|| functions.error_responses(&function, shared)),
            function,
            integration: integration.unwrap_or_default(),
            auth: auth.unwrap_or_default(),
            timeout_ms: timeout_ms.unwrap_or(LONGEST_MS),
        };
        Some((route, places))
    }

    /// Whether its path has parts that a request fills in.
    pub(crate) fn has_parameters(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether it is asked by requests with this method.
    pub(crate) fn takes(&self, method: &str) -> bool {
        self.method == "ANY" || self.method == method
    }

    /// What the lab has, for the only function of a stack that declares no routes.
    pub(super) fn of_the_only(function: &str, error_responses: ErrorResponses) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/DynamoDBManager".to_owned(),
            function: function.to_owned(),
            integration: IntegrationKind::Aws,
            auth: Auth::None,
            timeout_ms: LONGEST_MS,
            error_responses,
        }
    }
}
