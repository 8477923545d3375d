//! What a change will mean for those who use the stack: said in a plan, before anybody agrees to it.

use crate::resource::{Change, Kind};

/// What people should know about this change of this kind of resource; `None` when nobody notices it.
pub(crate) fn of(kind: Kind, change: &Change) -> Option<&'static str> {
    match change {
        Change::Create => on_create(kind),
        Change::Delete => on_delete(kind),
        Change::Update { field, .. } => on_update(kind, field),
        // These carry their own reason.
        Change::Replace { .. } | Change::Refused { .. } => None,
    }
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

fn on_update(kind: Kind, field: &str) -> Option<&'static str> {
    match (kind, field) {
        (Kind::Function, "runtime" | "handler") => Some("requests go on: code for both runs in between"),
        (Kind::Function, "code" | "memory" | "timeout" | "environment") => Some("requests go on meanwhile"),
        (Kind::Function, "architecture") => Some("requests go on meanwhile; every instance starts anew"),
        (Kind::Function, "state") => Some("waited for"),
        (Kind::Table, "status") => Some("waited for"),
        (Kind::Table, "billing") => Some("takes minutes; the table is used meanwhile"),
        (Kind::Table, "ttl") => Some("items past their time are deleted"),
        (Kind::RestApi, "endpoint") => Some("in place: id and URL stay; takes up to a minute"),
        (Kind::RestApi, "deployed-definition") => Some("one new deployment; the URL stays"),
        (Kind::RestApi, "duplicate-api") => Some("left by a run whose answer was lost; nobody was given its URL"),
        (Kind::RestApi, "stage") => Some("the URL answers from then on"),
        (Kind::LogGroup, "retention-days") => Some("older logs are deleted"),
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
}
