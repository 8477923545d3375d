//! What of the stack is asked, and with what.

use super::super::{Connected, Session, Survey};
use crate::cli::Traffic;
use crate::error::{Error, Result};
use crate::load::{BuiltIn, Mix, Plan, RunId, Schedule, Target};
use crate::manifest::{Auth, IntegrationKind, Manifest, Route, Table, is_path_for};
use crate::names::Owner;
use crate::resource::Kind;
use crate::resources::rest_api;
use std::path::Path;
use std::time::Duration;

/// Longer than API Gateway waits for a function.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where the load goes.
pub(in crate::commands) struct Aim {
    target: Target,
    mix: Mix,
    /// Of the route that requests go to unless they say another.
    pub(in crate::commands) url: String,
    /// Whether that route answers the lab's `ping`.
    pub(in crate::commands) answers_ping: bool,
    /// The route's function, as it is declared.
    pub(in crate::commands) function: String,
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

/// # Errors
/// A stack that is not up, or whose API is not its own; no route that anybody may call; a mix that does not fit.
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
    let route = chosen(session, traffic)?;
    let path = api.path(&route.path);
    let built_in = BuiltIn::parse(&traffic.mix).transpose()?;
    let mix = match built_in {
        Some(shares) => {
            let table = touched(manifest, route);
            let table = table.map(|(name, table)| (format!("{name}{}", config.suffix), table));
            shares.mix(path, table.as_ref().map(|(name, table)| (name.as_str(), *table)))?
        }
        None => Mix::read(Path::new(&traffic.mix), Some(path), |method, path| {
            is_route(manifest, api, method, path)
        })?,
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
        target: Target::new(&base, config.target.ca_bundle.as_deref())?,
        mix,
        url: at.aws.invoke_url(&api.id, stage, path),
        answers_ping: built_in.is_some(),
        function: route.function.clone(),
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

/// The route that the built-in requests go to.
fn chosen<'a>(session: &'a Session<'_>, traffic: &Traffic) -> Result<&'a Route> {
    let routes = &session.config.manifest.api.routes;
    let function = traffic.function.as_deref().map(|name| session.function(Some(name))).transpose()?;
    let shown = |routes: &mut dyn Iterator<Item = &Route>| {
        routes.map(|route| format!("{} {}", route.method, route.path)).collect::<Vec<_>>().join(", ")
    };
    if let Some(path) = &traffic.route
        && !routes.iter().any(|route| route.path == *path)
    {
        return Err(Error::usage(format!(
            "the stack has no route {path}; it has {}",
            shown(&mut routes.iter())
        )));
    }
    let asked = |route: &&Route| {
        traffic.route.as_ref().is_none_or(|path| route.path == *path)
            && function.is_none_or(|name| route.function == name)
    };
    let posts = |route: &&Route| route.takes("POST") && !route.has_parameters();
    let open = |route: &&Route| route.auth == Auth::None;
    let fit = routes.iter().filter(asked).filter(posts).filter(open);
    // The one that `up` asks, if it is among them.
    let best = fit.clone().find(|route| route.integration == IntegrationKind::Aws);
    best.or_else(|| fit.clone().next()).ok_or_else(|| {
        Error::usage(format!(
            "no route that is asked takes a POST from anybody: {}",
            shown(&mut routes.iter().filter(asked))
        ))
        .hint("Choose another one with --route or --function, or write requests of your own and say --mix FILE.")
    })
}

/// The table that the built-in requests are about: the first that the function may touch.
fn touched<'a>(manifest: &'a Manifest, route: &Route) -> Option<(&'a str, &'a Table)> {
    let function = manifest.functions.get(&route.function)?;
    let table = manifest.tables.iter().find(|(name, _)| function.touches(name));
    table.map(|(name, table)| (name.as_str(), table))
}

/// Whether the stack has a route for this: load goes nowhere else.
fn is_route(manifest: &Manifest, api: &rest_api::Output, method: &str, path: &str) -> Result<(), String> {
    let path = path.split('?').next().unwrap_or_default();
    let routes = &manifest.api.routes;
    let found = routes.iter().find(|route| route.takes(method) && is_path_for(path, api.path(&route.path)));
    match found {
        Some(route) if route.auth == Auth::Iam => {
            Err(format!("{method} {path} takes signed requests only, and load signs none"))
        }
        Some(_) => Ok(()),
        None => {
            let all: Vec<String> =
                routes.iter().map(|route| format!("{} {}", route.method, api.path(&route.path))).collect();
            Err(format!("the stack has no route {method} {path}; it has {}", all.join(", ")))
        }
    }
}
