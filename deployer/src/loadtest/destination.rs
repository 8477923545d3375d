//! Where the requests of a load test go: the target, the routes and the mix that fits them.

use super::mix::{self, item_table};
use crate::app::session::{Connected, Session};
use crate::app::survey::Survey;
use crate::cli::Traffic;
use crate::engine::Kind;
use crate::error::{Error, Flag, Hint, Result, Verb};
use crate::http::Certificates;
use crate::lab::{self, BuiltInMix};
use crate::manifest::{
    Auth, IntegrationKind, Manifest, Route, Table, is_path_for, listed_routes, path_precedence,
};
use crate::names::Owner;
use crate::proof::Proof;
use crate::resources::api_gateway::rest_api;
use crate::smoke::{self, Instead};
use loadgen::{HeaderValue, LoadPlan, RequestMix, RunId, Schedule, Target};
use std::path::Path;
use std::time::Duration;

/// The `User-Agent` of all requests.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("deployer/", env!("CARGO_PKG_VERSION")));

/// Longer than API Gateway waits for a function.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The stack's API with the requests that fit it.
pub(crate) struct Destination {
    target: Target,
    mix: RequestMix,
    /// The URL of the route that requests go to unless they name another; the stage's, where there is none.
    pub(crate) url: String,
    /// The request that this route has to answer, if that is known.
    pub(crate) proof: Option<Proof>,
    /// The command that sends the requests.
    verb: Verb,
}

impl Destination {
    /// Finds the routes that the flags choose, and the mix that fits them.
    ///
    /// # Errors
    /// A stack that is not up, or whose API is not its own; no route for the built-in requests; a mix that does not fit.
    pub(crate) fn new(
        session: &Session<'_>,
        connected: &Connected<'_>,
        survey: &Survey,
        traffic: &Traffic,
        verb: Verb,
    ) -> Result<Self> {
        let config = session.config;
        let manifest = &config.manifest;
        let api = own_api(connected, survey)?;
        let stage = &manifest.api.stage;
        let base = connected.aws.invoke_url(&api.id, stage, "");
        let routes = chosen_routes(session, traffic)?;
        let built_in_mix = BuiltInMix::parse(&traffic.mix).transpose()?;
        let (mix, path) = match built_in_mix {
            Some(shares) => {
                let route = labs_route(manifest, &routes).map_err(|error| error.hint(own_requests(verb)))?;
                let path = api.path(&route.path);
                let table = first_table(manifest, route);
                let table = table.map(|(name, table)| item_table(config.named(name), table));
                (shares.mix(&route.function, path, table.as_ref())?, Some(path))
            }
            None => {
                // A file may have methods and headers that other routes take.
                let named = || routes.iter().find(|route| traffic.route.is_some() && !route.has_parameters());
                let route = open_route(&routes).or_else(|| named().copied());
                let path = route.map(|route| api.path(&route.path));
                let function_of = |method: &str, path: &str| function_of(manifest, api, method, path);
                (mix::read(Path::new(&traffic.mix), path, function_of)?, path)
            }
        };
        if traffic.cleanup
            && let Some(request) = mix.without_undo().next()
        {
            return Err(Error::usage(format!(
                "--cleanup cannot take back what the request {} makes: it says no undo",
                request.name()
            ))
            .hint(format!("Add undo = {{ body = … }} to it in {}, or drop --cleanup.", traffic.mix)));
        }
        let certificates = config.target.network.certificates.as_ref();
        let trusted = certificates.map(Certificates::roots).unwrap_or_default();
        Ok(Self {
            target: Target::new(&base, trusted)?,
            mix,
            url: connected.aws.invoke_url(&api.id, stage, path.unwrap_or_default()),
            proof: built_in_mix.and(path).map(lab::ping),
            verb,
        })
    }

    /// The plan of a new run, whose items have ids of their own.
    pub(crate) fn plan(&self, traffic: &Traffic) -> LoadPlan {
        LoadPlan {
            target: self.target.clone(),
            mix: self.mix.clone(),
            schedule: Schedule { rate: traffic.rate, warmup: traffic.warmup, duration: traffic.duration },
            concurrency: traffic.concurrency,
            timeout: ANSWER_WITHIN,
            user_agent: USER_AGENT,
            run: RunId::random(),
        }
    }

    /// Checks that the route answers, where its answer is known. 429 is an answer too: how often it comes is what a load
    /// test finds out.
    ///
    /// # Errors
    /// What the route answers instead.
    pub(crate) async fn check_answer(&self, connected: &Connected<'_>) -> Result<()> {
        let Some(proof) = &self.proof else { return Ok(()) };
        match smoke::look(&connected.aws.http, &self.url, proof).await {
            Some(instead) => judge(&self.url, &instead, self.verb),
            None => Ok(()),
        }
    }
}

fn judge(url: &str, instead: &Instead, verb: Verb) -> Result<()> {
    let error = Error::new(format!("{url} does not answer as it should; it says: {}", instead.said));
    match instead.status {
        Some(429) => Ok(()),
        Some(..500) => Err(error.hint(own_requests(verb))),
        _ => Err(error),
    }
}

/// Returns the stack's API.
///
/// # Errors
/// There is none, or it is not this stack's.
fn own_api<'a>(connected: &Connected<'_>, survey: &'a Survey) -> Result<&'a rest_api::Output> {
    let record = survey.records.iter().find(|record| record.id.kind == Kind::RestApi);
    let found = record.and_then(|record| record.found.as_ref());
    match (found, &survey.api) {
        (Some(found), Some(api)) if found.owner == Owner::Ours => Ok(api),
        (Some(found), _) if found.owner != Owner::Ours => Err(Error::new(format!(
            "the REST API is not of this stack: it {}",
            found.owner.objection().unwrap_or_default()
        ))
        .hint("Load goes to the stack's own URL only.")),
        _ => Err(Error::new(format!("{} is not up, so that there is no URL to load", connected.place()))
            .hint(Hint::from("Run ").command(Verb::Up).text(" first."))),
    }
}

/// Returns the routes that `--route` and `--function` choose.
fn chosen_routes<'a>(session: &'a Session<'_>, traffic: &Traffic) -> Result<Vec<&'a Route>> {
    let routes = &session.config.manifest.api.routes;
    let function = traffic.function.as_deref().map(|name| session.function(Some(name))).transpose()?;
    if let Some(path) = &traffic.route
        && !routes.iter().any(|route| route.path == *path)
    {
        return Err(Error::usage(format!("the stack has no route {path}; it has {}", listed_routes(routes))));
    }
    let is_chosen = |route: &&Route| {
        traffic.route.as_ref().is_none_or(|path| route.path == *path)
            && function.is_none_or(|name| route.function == name)
    };
    Ok(routes.iter().filter(is_chosen).collect())
}

/// Returns the route that the lab's requests go to.
///
/// # Errors
/// None of these routes leads to the lab's function, or none of those takes a POST from anybody.
fn labs_route<'a>(manifest: &Manifest, routes: &[&'a Route]) -> Result<&'a Route> {
    let is_labs = |route: &&&Route| manifest.functions.get(&route.function).is_some_and(|f| f.lab);
    let labs: Vec<&Route> = routes.iter().filter(is_labs).copied().collect();
    open_route(&labs).ok_or_else(|| {
        let listed = listed_routes(routes.iter().copied());
        if labs.is_empty() {
            let why = "the built-in requests are those of the lab's function, and no route that is asked leads to it";
            return Error::usage(format!("{why}: {listed}"));
        }
        Error::usage(format!("no route that is asked takes a POST from anybody: {listed}"))
            .hint("Choose another one with --route or --function.")
    })
}

/// How to send requests that the lab does not know.
fn own_requests(verb: Verb) -> Hint {
    let mix = Flag::Mix("mix.toml".to_owned());
    Hint::from("Write requests of your own into a file, and run ").command(verb.flag(mix)).text(".")
}

/// Returns a route that takes a POST from anybody.
fn open_route<'a>(routes: &[&'a Route]) -> Option<&'a Route> {
    let fits = |route: &&&Route| route.takes("POST") && !route.has_parameters() && route.auth == Auth::None;
    let fit = routes.iter().filter(fits).copied();
    // The one that `up` proves the stack with, if it is among them.
    fit.clone().find(|route| route.integration == IntegrationKind::Aws).or_else(|| fit.clone().next())
}

/// Returns the table that the built-in requests use: the first that the function may access.
fn first_table<'a>(manifest: &'a Manifest, route: &Route) -> Option<(&'a str, &'a Table)> {
    let function = manifest.functions.get(&route.function)?;
    let table = manifest.tables.iter().find(|(name, _)| function.touches(name));
    table.map(|(name, table)| (name.as_str(), table))
}

/// Returns the function that a request gets to. Requests go to routes of the stack and nowhere else.
///
/// # Errors
/// No route takes the request, or the route takes signed requests only.
fn function_of(
    manifest: &Manifest,
    api: &rest_api::Output,
    method: &str,
    path: &str,
) -> Result<String, String> {
    let path = path.split('?').next().unwrap_or_default();
    let routes = &manifest.api.routes;
    let fit = routes.iter().filter(|route| route.takes(method) && is_path_for(path, api.path(&route.path)));
    // A method that is named comes before any.
    match fit.min_by_key(|route| (path_precedence(&route.path), route.method == "ANY")) {
        Some(route) if route.auth == Auth::Iam => {
            Err(format!("{method} {path} takes signed requests only, and load signs none"))
        }
        Some(route) => Ok(route.function.clone()),
        None => {
            let all: Vec<String> =
                routes.iter().map(|route| format!("{} {}", route.method, api.path(&route.path))).collect();
            Err(format!("the stack has no route {method} {path}; it has {}", all.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_turned_away_answers_and_another_language_is_told_from_a_fault() {
        let judged =
            |status: Option<u16>| judge("URL", &Instead { status, said: "…".to_owned() }, Verb::Load);
        assert!(judged(Some(429)).is_ok());
        for (status, about_files) in [(Some(200), true), (Some(400), true), (Some(502), false), (None, false)]
        {
            let error = judged(status).unwrap_err();
            assert_eq!(error.to_string(), "URL does not answer as it should; it says: …");
            assert_eq!(
                crate::testing::hints(&error).join("").contains("deployer load --mix mix.toml"),
                about_files,
                "{status:?}"
            );
        }
    }

    #[test]
    fn a_request_gets_to_the_function_of_the_closest_route() {
        let text = r#"
            [functions.a]
            [functions.b]
            [functions.c]
            [functions.d]
            [api]
            routes = [
                { method = "ANY", path = "/{proxy+}", function = "a" },
                { method = "ANY", path = "/items/{id}", function = "b" },
                { method = "GET", path = "/items/{id}", function = "c" },
                { method = "POST", path = "/items/new", function = "d" },
            ]
        "#;
        let manifest = Manifest::parse(text, Path::new("stack.toml"), "").unwrap();
        let api = rest_api::Output::default();
        let to = |method: &str, path: &str| function_of(&manifest, &api, method, path).unwrap();
        assert_eq!(to("POST", "/items/new?x=1"), "d");
        assert_eq!(to("GET", "/items/7"), "c");
        assert_eq!(to("PUT", "/items/7"), "b");
        assert_eq!(to("GET", "/items/7/notes"), "a");
        assert!(function_of(&manifest, &api, "GET", "/").is_err());
    }
}
