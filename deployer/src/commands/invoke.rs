//! `invoke`: sends one event to a function and shows the answer.

use crate::app::session::{Connected, Session};
use crate::aws::AccessMode;
use crate::cli::{Invoke, Via};
use crate::config::Config;
use crate::engine::{Declared as _, Existing as _, Mode};
use crate::error::{Error, ExitStatus, Result};
use crate::invocation::event::{self, Receiver};
use crate::invocation::invoke::{self, InvokeResponse};
use crate::invocation::route::route_to;
use crate::manifest::Route;
use crate::output::invocation::{Invocation, show_log};
use crate::output::json::Document;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) async fn run(session: &Session<'_>, args: &Invoke, document: &mut Document) -> Result<ExitStatus> {
    let (declared, route) = function_and_route(session, args)?;
    let name = session.config.named(declared);
    let table = only_table(session.config);
    let receiver = match session.config.manifest.functions.get(declared) {
        Some(function) if !function.lab => Receiver::Other { function: declared },
        _ => Receiver::Lab { table: table.as_deref() },
    };
    let event = event::read(&args.event, args.payload.as_deref(), receiver, session.stop).await?;
    let connected = session.connect(AccessMode::ReadWrite, document).await?;
    let response = match route {
        None => through_lambda(&connected, &name, event).await?,
        Some(route) => through_url(&connected, route, args.route.as_deref(), &event, document).await?,
    };
    document.own(&Invocation::new(&name, args.via, &response));
    session.console.answer(&response.body);
    match &response.function_error {
        None => Ok(ExitStatus::Success),
        Some(error) => Err(error.error(response.status, route, session.logs_of(declared))),
    }
}

/// The table of a stack that has one only, by its name in AWS.
fn only_table(config: &Config) -> Option<String> {
    let mut tables = config.manifest.tables.keys();
    tables.next().filter(|_| tables.next().is_none()).map(|only| config.named(only))
}

/// The function, by its name in the manifest, and with `--via api` the route that leads to it.
fn function_and_route<'a>(session: &'a Session<'_>, args: &Invoke) -> Result<(&'a str, Option<&'a Route>)> {
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

async fn through_lambda(connected: &Connected<'_>, name: &str, event: String) -> Result<InvokeResponse> {
    let Some(function) = connected.stack.function(name) else {
        return Err(Error::new(format!("the stack has no function {name}")));
    };
    let observed = connected.standing(function).await?;
    let timeout = Duration::from_secs(observed.timeout.try_into().unwrap_or_default());
    let id = function.existing.id();
    let engine = connected.engine(Mode::Apply);
    let response = engine.read(id, async |step| invoke::invoke(step, name, timeout, event).await).await?;
    show_log(connected.session.console, &response);
    Ok(response)
}

async fn through_url(
    connected: &Connected<'_>,
    route: &Route,
    path: Option<&str>,
    event: &str,
    document: &mut Document,
) -> Result<InvokeResponse> {
    let Some(api) = connected.stack.api() else {
        return Err(Error::new("the stack has no API"));
    };
    let output = api.output(&connected.standing(api).await?);
    // An adopted API may spell a path otherwise than it is declared.
    let path = path.filter(|_| route.has_parameters()).unwrap_or_else(|| output.path(&route.path));
    let url = connected.aws.invoke_url(&output.id, &api.existing.stage, path);
    document.url = Some(url.clone());
    let method = if route.method == "ANY" { "POST" } else { &route.method };
    let sent = Instant::now();
    let id = api.existing.id();
    let engine = connected.engine(Mode::Apply);
    let response = engine.read(id, async |step| invoke::send_to_url(step, method, &url, event).await).await?;
    let took = sent.elapsed().as_millis();
    connected.session.console.talk(&format!("{method} {url}: HTTP {} after {took} ms", response.status));
    Ok(response)
}
