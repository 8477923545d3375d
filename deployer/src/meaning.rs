//! What a change will mean for those who use the stack: said in a plan, before anybody agrees to it.

use crate::resource::{Change, Id, Kind, Shown};

/// What people should know about this change of this kind of resource; `None` when nobody notices it.
pub(crate) fn of(kind: Kind, change: &Change) -> Option<&'static str> {
    match change {
        Change::Create => on_create(kind),
        Change::Delete => on_delete(kind),
        Change::Update { field, to, .. } => on_update(kind, field, *to != Shown::Nothing),
        // These carry their own reason.
        Change::Replace { .. } | Change::Refused { .. } => None,
    }
}

/// What is gone after this change, if anything is: it is asked about first.
pub(crate) fn loss(id: &Id, change: &Change) -> Option<String> {
    match change {
        Change::Delete | Change::Replace { .. } => Some(id.to_string()),
        Change::Update { field, to: Shown::Nothing, .. } if id.kind == Kind::RestApi && is_route(field) => {
            Some(format!("route {field}"))
        }
        Change::Update { field, to: Shown::Nothing, .. } if id.kind == Kind::RestApi && field == "policy" => {
            Some(format!("the resource policy of {id}"))
        }
        Change::Update { field, from, to: Shown::Nothing }
            if id.kind == Kind::RestApi && field == "old-stage" =>
        {
            Some(format!("stage {from}"))
        }
        _ => None,
    }
}

/// `GET /items`, and not a property of it.
fn is_route(field: &str) -> bool {
    field.split_once(' ').is_some_and(|(_, path)| path.starts_with('/') && !path.contains(' '))
}

fn on_create(kind: Kind) -> Option<&'static str> {
    (kind == Kind::RestApi).then_some("a new URL")
}

fn on_delete(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Table => Some("its items are lost"),
        Kind::RestApi => Some("its URL is gone for good: a new API gets another"),
        Kind::LogGroup => Some("its logs are lost"),
        Kind::Function => Some("its requests fail from then on"),
        _ => None,
    }
}

/// `set` is false where the property is to be none.
fn on_update(kind: Kind, field: &str, set: bool) -> Option<&'static str> {
    match (kind, field) {
        (Kind::Function, "code-with-a-gap") => {
            Some("the old code cannot be had, so requests fail until the runtime is changed as well")
        }
        (Kind::Function, "code" | "code-in-between" | "memory" | "timeout") => {
            Some("requests go on meanwhile")
        }
        (Kind::Function, _) if field.starts_with("environment.") => Some("requests go on meanwhile"),
        (Kind::Function, "architecture") => Some("requests go on meanwhile; every instance starts anew"),
        (Kind::Function, "log-group") => Some("logs go there from then on; what the other group holds stays"),
        (Kind::Function, "state") => Some("waited for"),
        (Kind::Table, "status") => Some("waited for"),
        (Kind::Table, "billing") => Some("takes minutes; the table is used meanwhile"),
        (Kind::Table, "ttl") if set => Some("items past their time are deleted"),
        (Kind::RestApi, "endpoint") => Some("in place: id and URL stay; takes up to a minute"),
        (Kind::RestApi, "default-endpoint") => Some("the URL answers from then on"),
        (Kind::RestApi, "policy") => Some("whom it keeps out may call from then on"),
        (Kind::RestApi, "deployed-definition") => Some("one new deployment; the URL stays"),
        (Kind::RestApi, "duplicate-api") => {
            Some("left by a run whose answer was lost; nobody was given its URL")
        }
        (Kind::RestApi, _) if !set && is_route(field) => Some("its requests fail from then on"),
        (Kind::RestApi, "old-stage") => Some("not declared any more: its URL stops answering"),
        (Kind::RestApi, "stage") => Some("the URL answers from then on"),
        (Kind::LogGroup, "retention-days") => Some("logs older than that are deleted"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loses_something_says_so() {
        assert_eq!(of(Kind::Table, &Change::Delete), Some("its items are lost"));
        assert_eq!(of(Kind::Role, &Change::Create), None);
        let endpoint = Change::update("endpoint", Some("EDGE"), Some("REGIONAL")).unwrap();
        assert!(of(Kind::RestApi, &endpoint).is_some_and(|meaning| meaning.contains("URL stay")));
    }

    #[test]
    fn what_goes_is_a_loss_and_what_changes_is_none() {
        let api = Id::new(Kind::RestApi, "shop");
        let update = |field: &str, to: Option<&str>| Change::update(field, Some("present"), to).unwrap();
        assert_eq!(loss(&api, &Change::Delete).as_deref(), Some("REST API shop"));
        assert_eq!(loss(&api, &update("GET /items", None)).as_deref(), Some("route GET /items"));
        assert_eq!(loss(&api, &update("GET /items", Some("declared"))), None);
        assert_eq!(loss(&api, &update("GET /items integration.templates.text/x", None)), None);
        assert_eq!(loss(&api, &update("old-deployment", None)), None);
        assert_eq!(
            loss(&api, &update("policy", None)).as_deref(),
            Some("the resource policy of REST API shop")
        );
        let stage = Change::update("old-stage", Some("Prod"), None).unwrap();
        assert_eq!(loss(&api, &stage).as_deref(), Some("stage Prod"));
        let ttl = Change::update("ttl", Some("expires"), None).unwrap();
        assert_eq!(of(Kind::Table, &ttl), None, "items stay then");
    }
}
