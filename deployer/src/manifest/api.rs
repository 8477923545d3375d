//! `[api]`: the one REST API of a stack.

use super::error_responses::{self, ErrorResponses};
use super::names;
use super::problem::{Problem, Problems};
use super::proof;
use super::read::Item;
use super::route::{self, IntegrationKind, Route};
use super::schema::within;
use super::section::Section;
use super::tags;
use crate::proof::Proof;
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

/// The REST API and its stage.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", default, deny_unknown_fields)]
#[schemars(transform = error_responses::of_api_in_schema)]
pub(crate) struct Api {
    /// The API's name. The length counts with the suffix of `--env`.
    #[schemars(transform = names::API.in_schema())]
    pub name: String,
    /// The stage, which is the part of the URL before the path.
    #[schemars(transform = names::STAGE.in_schema())]
    pub stage: String,
    /// How many requests the stage takes. Without this key, the account's limits hold.
    pub throttle: Option<Throttle>,
    /// Variables of the stage.
    #[schemars(transform = tags::variables_in_schema)]
    pub variables: BTreeMap<String, String>,
    /// The request by which `up` and `status` see that the stack answers. Without this key, a route of the lab's function that takes
    /// `POST` with `integration = "aws"` and `auth = "none"` gets a `ping`. If there is none, the URL is not asked.
    #[schemars(with = "Option<proof::Declared>")]
    pub proof: Option<Proof>,
    /// The methods and paths of the API. Without this key, `POST /DynamoDBManager` calls the stack's only function. A stack with
    /// several functions needs it.
    #[schemars(transform = route::in_schema)]
    pub routes: Vec<Route>,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            name: "DynamoDBOperations".to_owned(),
            stage: "Prod".to_owned(),
            throttle: None,
            variables: BTreeMap::new(),
            proof: None,
            routes: Vec::new(),
        }
    }
}

/// Limits of the stage.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Throttle {
    /// Requests per second.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rate: f64,
    /// Requests at once.
    #[schemars(transform = within(&BURST))]
    pub burst: i32,
}

/// API Gateway counts in 32 bits.
const BURST: RangeInclusive<i64> = 1..=i32::MAX as i64;

impl Api {
    pub(super) fn read(api: Option<&Item<'_>>, suffix: &str, functions: &Callable<'_>) -> Self {
        match api {
            Some(api) => api
                .section("a table like [api]", |keys| Self::of(keys, suffix, functions))
                .unwrap_or_default(),
            None => Self { routes: functions.route_of_the_only(None), ..Self::default() },
        }
    }

    fn of(keys: &mut Section<'_>, suffix: &str, functions: &Callable<'_>) -> Self {
        let default = Self::default();
        let problems = keys.problems();
        let mut named = |key, rule: &names::Rule| {
            let name = keys.get(key)?.text("text")?;
            rule.check(&name, suffix, problems);
            Some(name.text.to_owned())
        };
        let name = named("name", &names::API);
        let stage = named("stage", &names::STAGE);
        let responses = keys.get("error-responses");
        let shared = responses.as_ref().map(ErrorResponses::read);
        let routes = match keys.get("routes") {
            Some(routes) => route::read(&routes, functions, shared.as_ref()),
            None => functions.route_of_the_only(shared.as_ref()),
        };
        if let Some(responses) = responses
            && !routes.is_empty()
            && !routes.iter().any(|route| route.integration == IntegrationKind::Aws)
        {
            let why = r#"goes with integration = "aws" only, and no route of the API has it"#;
            responses.report(responses.wrong(why));
        }
        Self {
            name: name.unwrap_or(default.name),
            stage: stage.unwrap_or(default.stage),
            throttle: keys.get("throttle").and_then(|throttle| Throttle::read(&throttle)),
            variables: keys.get("variables").map(|all| tags::read_variables(&all)).unwrap_or_default(),
            proof: keys.get("proof").and_then(|proof| proof::read(&proof, &routes)),
            routes,
        }
    }
}

/// The functions that a route may call.
#[derive(Debug)]
pub(super) struct Callable<'a> {
    /// Each with whether it is the lab's.
    pub(super) functions: Vec<(&'a str, bool)>,
    /// Where they are declared.
    pub(super) span: Range<usize>,
    pub(super) problems: &'a Problems,
}

impl Callable<'_> {
    pub(super) fn names(&self) -> Vec<&str> {
        self.functions.iter().map(|(name, _)| *name).collect()
    }

    /// What the routes of a function have that declare no error responses, where the API declares these.
    pub(super) fn error_responses(&self, function: &str, shared: Option<&ErrorResponses>) -> ErrorResponses {
        let is_labs = self.functions.contains(&(function, true));
        shared.cloned().unwrap_or_else(|| ErrorResponses::default_of(is_labs))
    }

    /// What a stack has that declares no routes.
    fn route_of_the_only(&self, shared: Option<&ErrorResponses>) -> Vec<Route> {
        match self.functions[..] {
            [(only, _)] => vec![Route::of_the_only(only, self.error_responses(only, shared))],
            // That is reported already.
            [] => Vec::new(),
            _ => {
                let message =
                    "the stack has several functions, and no route says which of them the API calls";
                let help = "add [[api.routes]] with method, path and function, once for each";
                self.problems.add(Problem::new(self.span.clone(), message).help(help));
                Vec::new()
            }
        }
    }
}

impl Throttle {
    fn read(throttle: &Item<'_>) -> Option<Self> {
        let read = throttle.section("a table like { rate = 100, burst = 200 }", |keys| {
            let rate = keys.require("rate", "rate = 100").and_then(|rate| rate.above_zero());
            let burst = keys.require("burst", "burst = 200");
            let burst = burst.and_then(|burst| burst.whole(BURST, "requests"));
            Some(Self { rate: rate?, burst: burst? })
        });
        read.flatten()
    }
}
