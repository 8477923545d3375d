//! What of the stack is asked, and with what.

use crate::app::session::{Connected, Session};
use crate::app::survey::Survey;
use crate::cli::Traffic;
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::load::{BuiltIn, Mix, Plan, RunId, Schedule, Target};
use crate::manifest::{
    Auth, IntegrationKind, Manifest, Route, Table, is_path_for, listed_routes, path_precedence,
};
use crate::names::Owner;
use crate::resources::api_gateway::rest_api;
use crate::smoke::{self, Instead};
use std::path::Path;
use std::time::Duration;

/// Longer than API Gateway waits for a function.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where the load goes.
pub(in crate::commands) struct Aim {
    target: Target,
    mix: Mix,
    /// Of the route that requests go to unless they say another; of the stage, where there is none.
    pub(in crate::commands) url: String,
    /// Whether that route has to answer the lab's `ping`.
    pub(in crate::commands) answers_ping: bool,
}

impl Aim {
    /// A run of it, with ids of its own.
    pub(in crate::commands) fn plan(&self, traffic: &Traffic) -> Plan {
        Plan {
            target: self.target.clone(),
            mix: self.mix.clone(),
            schedule: Schedule { rate: traffic.rate, warmup: traffic.warmup, duration: traffic.duration },
            concurrency: traffic.concurrency,
            answer_within: ANSWER_WITHIN,
            run: RunId::new(),
        }
    }
}

/// Whether the route answers, where what it should answer is known. A limit that others have used up is an answer too: how
/// often it comes is what a load finds out.
///
/// # Errors
/// What it answers instead.
pub(in crate::commands) async fn look(at: &Connected<'_>, aim: &Aim) -> Result<()> {
    if !aim.answers_ping {
        return Ok(());
    }
    match smoke::look(&at.aws.http, &aim.url).await {
        Some(instead) => judge(&aim.url, &instead),
        None => Ok(()),
    }
}

fn judge(url: &str, instead: &Instead) -> Result<()> {
    let error = Error::new(format!("{url} does not answer as it should; it says: {}", instead.said));
    match instead.status {
        Some(429) => Ok(()),
        Some(..500) => Err(error.hint(
            "A function that does not speak the lab's language takes requests of your own: say --mix FILE.",
        )),
        _ => Err(error),
    }
}

/// # Errors
/// A stack that is not up, or whose API is not its own; no route for the built-in requests; a mix that does not fit.
pub(in crate::commands) fn at(
    session: &Session<'_>,
    at: &Connected<'_>,
    survey: &Survey,
    traffic: &Traffic,
) -> Result<Aim> {
    let config = session.config;
    let manifest = &config.manifest;
    let api = standing(at, survey)?;
    let stage = &manifest.api.stage;
    let base = at.aws.invoke_url(&api.id, stage, "");
    let asked = asked(session, traffic)?;
    let built_in = BuiltIn::parse(&traffic.mix).transpose()?;
    let (mix, path) = match built_in {
        Some(shares) => {
            let route = for_anybody(&asked).ok_or_else(|| nothing_to_ask(&asked))?;
            let path = api.path(&route.path);
            let table = touched(manifest, route);
            let table = table.map(|(name, table)| (format!("{name}{}", config.suffix), table));
            let table = table.as_ref().map(|(name, table)| (name.as_str(), *table));
            (shares.mix(&route.function, path, table)?, Some(path))
        }
        None => {
            // A file may say methods and headers that other routes take.
            let named = || asked.iter().find(|route| traffic.route.is_some() && !route.has_parameters());
            let route = for_anybody(&asked).or_else(|| named().copied());
            let path = route.map(|route| api.path(&route.path));
            let function_of = |method: &str, path: &str| function_of(manifest, api, method, path);
            (Mix::read(Path::new(&traffic.mix), path, function_of)?, path)
        }
    };
    if traffic.cleanup
        && let Some(request) = mix.without_undo().next()
    {
        return Err(Error::usage(format!(
            "--cleanup cannot take back what the request {} makes: it says no undo",
            request.name
        ))
        .hint(format!("Add undo = {{ body = … }} to it in {}, or drop --cleanup.", traffic.mix)));
    }
    Ok(Aim {
        target: Target::new(&base, config.target.network.certificates.as_ref())?,
        mix,
        url: at.aws.invoke_url(&api.id, stage, path.unwrap_or_default()),
        answers_ping: built_in.is_some(),
    })
}

/// The API, if it is there and the stack's.
fn standing<'a>(at: &Connected<'_>, survey: &'a Survey) -> Result<&'a rest_api::Output> {
    let record = survey.records.iter().find(|record| record.id.kind == Kind::RestApi);
    let found = record.and_then(|record| record.found.as_ref());
    match (found, &survey.api) {
        (Some(found), Some(api)) if found.owner == Owner::Ours => Ok(api),
        (Some(found), _) if found.owner != Owner::Ours => Err(Error::new(format!(
            "the REST API is not of this stack: it {}",
            found.owner.objection().unwrap_or_default()
        ))
        .hint("Load goes to the stack's own URL only.")),
        _ => Err(Error::new(format!("{} is not up, so that there is no URL to load", at.place()))
            .hint("Run deployer up first.")),
    }
}

/// The routes that `--route` and `--function` choose.
fn asked<'a>(session: &'a Session<'_>, traffic: &Traffic) -> Result<Vec<&'a Route>> {
    let routes = &session.config.manifest.api.routes;
    let function = traffic.function.as_deref().map(|name| session.function(Some(name))).transpose()?;
    if let Some(path) = &traffic.route
        && !routes.iter().any(|route| route.path == *path)
    {
        return Err(Error::usage(format!("the stack has no route {path}; it has {}", listed_routes(routes))));
    }
    let asked = |route: &&Route| {
        traffic.route.as_ref().is_none_or(|path| route.path == *path)
            && function.is_none_or(|name| route.function == name)
    };
    Ok(routes.iter().filter(asked).collect())
}

/// The one of these that the built-in requests go to.
fn for_anybody<'a>(routes: &[&'a Route]) -> Option<&'a Route> {
    let fits = |route: &&&Route| route.takes("POST") && !route.has_parameters() && route.auth == Auth::None;
    let fit = routes.iter().filter(fits).copied();
    // The one that `up` asks, if it is among them.
    fit.clone().find(|route| route.integration == IntegrationKind::Aws).or_else(|| fit.clone().next())
}

fn nothing_to_ask(routes: &[&Route]) -> Error {
    let routes = listed_routes(routes.iter().copied());
    Error::usage(format!("no route that is asked takes a POST from anybody: {routes}")).hint(
        "Choose another one with --route or --function, or write requests of your own and say --mix FILE.",
    )
}

/// The table that the built-in requests are about: the first that the function may touch.
fn touched<'a>(manifest: &'a Manifest, route: &Route) -> Option<(&'a str, &'a Table)> {
    let function = manifest.functions.get(&route.function)?;
    let table = manifest.tables.iter().find(|(name, _)| function.touches(name));
    table.map(|(name, table)| (name.as_str(), table))
}

/// The function that a request gets to. Load goes to routes of the stack and nowhere else.
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
        let judged = |status: Option<u16>| judge("URL", &Instead { status, said: "…".to_owned() });
        assert!(judged(Some(429)).is_ok());
        for (status, about_files) in [(Some(200), true), (Some(400), true), (Some(502), false), (None, false)]
        {
            let error = judged(status).unwrap_err();
            assert_eq!(error.to_string(), "URL does not answer as it should; it says: …");
            assert_eq!(error.hints().join("").contains("--mix FILE"), about_files, "{status:?}");
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
