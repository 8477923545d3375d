//! `invoke`: one event to a function, and its answer.

use crate::app::session::{Connected, Session};
use crate::aws::Access;
use crate::cli::{Invoke, Via};
use crate::engine::{Declared as _, Existing as _, Mode};
use crate::error::{Error, ExitStatus, Result};
use crate::invocation::call::{self, Answer, Failure};
use crate::invocation::event;
use crate::invocation::report::Report;
use crate::manifest::{Auth, IntegrationKind, Route, is_path_for, listed_routes, path_precedence};
use crate::output::console::Console;
use crate::output::json::Document;
use crate::output::log_line::took;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// What the document has of it.
#[derive(Debug, Serialize)]
struct Invocation<'a> {
    function: &'a str,
    via: Via,
    /// Of HTTP.
    status: u16,
    failed: bool,
    error_type: Option<&'a str>,
    error_message: Option<&'a str>,
    /// JSON where it is JSON, otherwise text.
    answer: Value,
    report: Option<&'a Report>,
    /// The end of the log, line by line.
    log: Vec<&'a str>,
}

pub(crate) async fn run(session: &Session<'_>, args: &Invoke, document: &mut Document) -> Result<ExitStatus> {
    let (declared, route) = aim(session, args)?;
    let name = session.config.named(declared);
    let tables: Vec<&String> = session.config.manifest.tables.keys().collect();
    let table = match tables[..] {
        [only] => Some(session.config.named(only)),
        _ => None,
    };
    let event = event::read(&args.event, args.payload.as_deref(), table.as_deref(), session.stop).await?;
    let at = session.connect(Access::ReadWrite, document).await?;
    let answer = match route {
        None => through_lambda(session, &at, &name, event).await?,
        Some(route) => through_url(session, &at, route, args.route.as_deref(), &event, document).await?,
    };
    document.own(&Invocation {
        function: &name,
        via: args.via,
        status: answer.status,
        failed: answer.failure.is_some(),
        error_type: answer.failure.as_ref().and_then(|failure| failure.error_type.as_deref()),
        error_message: answer.failure.as_ref().and_then(|failure| failure.message.as_deref()),
        answer: serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into()),
        report: answer.report.as_ref(),
        log: answer.log.lines().collect(),
    });
    session.console.answer(&answer.body);
    match &answer.failure {
        None => Ok(ExitStatus::Success),
        Some(failure) => Err(explain(failure, &answer, route)),
    }
}

/// The function, by its name in the manifest, and the route that leads to it where it is not asked itself.
fn aim<'a>(session: &'a Session<'_>, args: &Invoke) -> Result<(&'a str, Option<&'a Route>)> {
    let function = args.function.as_deref().map(|name| session.function(Some(name))).transpose()?;
    match (args.via, &args.route) {
        (Via::Lambda, Some(_)) => Err(Error::usage("--route is a way through the API: add --via api")),
        (Via::Lambda, None) => Ok((session.function(function)?, None)),
        (Via::Api, path) => {
            let function = if path.is_some() { function } else { Some(session.function(function)?) };
            let route = route_to(function, &session.config.manifest.api.routes, path.as_deref())?;
            Ok((&route.function, Some(route)))
        }
    }
}

async fn through_lambda(
    session: &Session<'_>,
    at: &Connected<'_>,
    name: &str,
    event: String,
) -> Result<Answer> {
    let Some(function) = at.stack.function(name) else {
        return Err(Error::new(format!("the stack has no function {name}")));
    };
    let seen = at.standing(function).await?;
    let timeout = Duration::from_secs(seen.timeout.try_into().unwrap_or_default());
    let go = at.engine(Mode::Apply);
    let answer =
        go.read(function.existing.id(), async |step| call::invoke(step, name, timeout, event).await).await?;
    tell(session.console, &answer);
    Ok(answer)
}

/// What was logged, then what it took: the last report is Lambda's, any other is the function's own line.
fn tell(console: &Console, answer: &Answer) {
    let lines: Vec<&str> = answer.log.lines().collect();
    let is_report = |line: &&str| Report::parse(line).is_some();
    let lambdas = lines.iter().rposition(is_report);
    let cut = answer.log_is_cut();
    if cut {
        let which = answer.report.as_ref().map(|report| format!(" --request-id {}", report.request_id));
        let which = which.unwrap_or_default();
        let cut = format!("This is the end of the log; deployer logs{which} shows all of it:");
        console.talk(&console.advice(&cut));
    }
    for (at, line) in lines.iter().enumerate() {
        if at == 0 && cut {
            console.talk(&format!("…{line}"));
        } else if !is_report(line) {
            console.talk_of_log(line);
        } else if Some(at) != lambdas {
            console.talk(*line);
        }
    }
    if let Some(report) = &answer.report {
        console.talk(&took(report));
    }
}

async fn through_url(
    session: &Session<'_>,
    at: &Connected<'_>,
    route: &Route,
    path: Option<&str>,
    event: &str,
    document: &mut Document,
) -> Result<Answer> {
    let Some(api) = at.stack.api() else {
        return Err(Error::new("the stack has no API"));
    };
    let seen = at.standing(api).await?;
    let output = api.output(&seen);
    // An adopted API may spell a path otherwise than it is declared.
    let path = path.filter(|_| route.has_parameters()).unwrap_or_else(|| output.path(&route.path));
    let url = at.aws.invoke_url(&output.id, &api.existing.stage, path);
    document.url = Some(url.clone());
    let method = if route.method == "ANY" { "POST" } else { &route.method };
    let sent = Instant::now();
    let go = at.engine(Mode::Apply);
    let answer =
        go.read(api.existing.id(), async |step| call::request(step, method, &url, event).await).await?;
    let took = sent.elapsed().as_millis();
    session.console.talk(&format!("{method} {url}: HTTP {} after {took} ms", answer.status));
    Ok(answer)
}

/// The route that takes an event to this function, if one is named, and by this path, if one is given: the most exact one,
/// then one without credentials before others, `POST` before others.
fn route_to<'a>(function: Option<&str>, routes: &'a [Route], path: Option<&str>) -> Result<&'a Route> {
    let takes_it = |route: &&Route| {
        function.is_none_or(|function| route.function == function)
            && matches!(route.method.as_str(), "POST" | "PUT" | "PATCH" | "ANY")
            && path.map_or(!route.has_parameters(), |path| is_path_for(path, &route.path))
    };
    let worth = |route: &&Route| {
        (
            path.map(|_| path_precedence(&route.path)),
            route.auth != Auth::None,
            route.method != "POST",
            route.integration != IntegrationKind::Aws,
        )
    };
    routes.iter().filter(takes_it).min_by_key(worth).ok_or_else(|| {
        let to = function.map(|name| format!(" to {name}")).unwrap_or_default();
        let of =
            path.map_or("without parameters in its path".to_owned(), |path| format!("for the path {path}"));
        Error::usage(format!(
            "no route{to} takes a body (POST, PUT, PATCH or ANY), {of}; the stack has {}",
            listed_routes(routes)
        ))
        .hint("--route says a path, with its parameters filled in; --via lambda needs no route.")
    })
}

/// Why the command fails, although there is an answer.
fn explain(failure: &Failure, answer: &Answer, route: Option<&Route>) -> Error {
    let why = [&failure.error_type, &failure.message].into_iter().flatten();
    let why = why.map(String::as_str).collect::<Vec<_>>().join(": ");
    let what = match route {
        None => "the function failed".to_owned(),
        Some(_) => format!("the URL answers HTTP {}", answer.status),
    };
    let error = Error::new(if why.is_empty() { what } else { format!("{what}: {why}") });
    match (answer.status, route) {
        (401 | 403, Some(route)) if route.auth != Auth::None => error.hint(
            "The route asks for credentials, and deployer sends none: --via lambda takes those of your own.",
        ),
        (500.., Some(_)) => error.hint("deployer logs shows what the function wrote."),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str, auth: Auth) -> Route {
        Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: "f".to_owned(),
            integration: IntegrationKind::Aws,
            auth,
            timeout_ms: 29_000,
        }
    }

    #[test]
    fn an_event_takes_the_route_that_is_easiest_to_go() {
        let other = Route { function: "g".to_owned(), ..route("POST", "/other", Auth::None) };
        let cases: [(Vec<Route>, Option<&str>); 6] = [
            (vec![], None),
            (vec![other], None),
            (vec![route("GET", "/a", Auth::None), route("POST", "/a/{id}", Auth::None)], None),
            (vec![route("ANY", "/a", Auth::None), route("POST", "/b", Auth::None)], Some("/b")),
            (vec![route("POST", "/a", Auth::Iam), route("PUT", "/b", Auth::None)], Some("/b")),
            (vec![route("POST", "/a", Auth::Iam)], Some("/a")),
        ];
        for (routes, expected) in cases {
            let found = route_to(Some("f"), &routes, None).ok().map(|route| route.path.as_str());
            assert_eq!(found, expected, "{routes:?}");
        }
    }

    #[test]
    fn a_path_takes_the_most_exact_route() {
        let routes = [
            route("ANY", "/{proxy+}", Auth::None),
            route("PUT", "/items/{id}", Auth::Iam),
            route("GET", "/items/new", Auth::None),
            route("POST", "/items", Auth::None),
        ];
        let cases = [
            ("/items", "/items"),
            ("/items/7", "/items/{id}"),
            ("/items/new", "/items/{id}"),
            ("/else/where", "/{proxy+}"),
        ];
        for (path, expected) in cases {
            assert_eq!(route_to(None, &routes, Some(path)).unwrap().path, expected, "{path}");
        }
        let error = route_to(Some("g"), &routes[1..2], Some("/items/7")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no route to g takes a body (POST, PUT, PATCH or ANY), for the path /items/7; the stack has PUT /items/{id}"
        );
    }

    #[test]
    fn a_failure_says_what_there_is_to_say() {
        let failure = |error_type: Option<&str>, message: Option<&str>| Failure {
            error_type: error_type.map(str::to_owned),
            message: message.map(str::to_owned),
        };
        let answer =
            |status| Answer { body: Vec::new(), status, failure: None, log: String::new(), report: None };
        let (open, closed) = (route("POST", "/a", Auth::None), route("POST", "/a", Auth::Iam));
        let cases = [
            (failure(Some("ValueError"), Some("no")), 200, None, "the function failed: ValueError: no", 0),
            (failure(None, None), 200, None, "the function failed", 0),
            (failure(None, Some("Forbidden")), 403, Some(&closed), "the URL answers HTTP 403: Forbidden", 1),
            (failure(None, Some("Forbidden")), 403, Some(&open), "the URL answers HTTP 403: Forbidden", 0),
            (failure(None, None), 502, Some(&open), "the URL answers HTTP 502", 1),
        ];
        for (failure, status, route, message, hints) in cases {
            let error = explain(&failure, &answer(status), route);
            assert_eq!((error.to_string().as_str(), error.hints().len()), (message, hints));
        }
    }
}
