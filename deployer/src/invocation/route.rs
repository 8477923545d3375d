//! Selects the route to send an event to.

use crate::error::{Error, Result};
use crate::manifest::{Auth, IntegrationKind, Route, is_path_for, listed_routes, path_precedence};

/// Selects a route that accepts a body, for a function and a path if they are given. The most specific path comes first, then
/// routes without credentials, then `POST`, then `aws` integrations.
///
/// # Errors
/// No route fits; the message lists the routes of the stack.
pub(crate) fn route_to<'a>(
    function: Option<&str>,
    routes: &'a [Route],
    path: Option<&str>,
) -> Result<&'a Route> {
    let fits = |route: &&Route| {
        function.is_none_or(|function| route.function == function)
            && matches!(route.method.as_str(), "POST" | "PUT" | "PATCH" | "ANY")
            && path.map_or(!route.has_parameters(), |path| is_path_for(path, &route.path))
    };
    let rank = |route: &&Route| {
        (
            path.map(|_| path_precedence(&route.path)),
            route.auth != Auth::None,
            route.method != "POST",
            route.integration != IntegrationKind::Aws,
        )
    };
    routes.iter().filter(fits).min_by_key(rank).ok_or_else(|| {
        let function_phrase = function.map(|name| format!(" to {name}")).unwrap_or_default();
        let path_phrase =
            path.map_or("without parameters in its path".to_owned(), |path| format!("for the path {path}"));
        Error::usage(format!(
            "no route{function_phrase} takes a body (POST, PUT, PATCH or ANY), {path_phrase}; the stack has {}",
            listed_routes(routes)
        ))
        .hint("--route says a path, with its parameters filled in; --via lambda needs no route.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::route;

    #[test]
    fn prefers_routes_without_parameters_and_credentials_and_with_post() {
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
    fn selects_the_most_specific_route_for_a_path() {
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
}
