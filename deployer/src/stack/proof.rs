//! How a stack is seen to answer: by the request that the manifest declares, or by the lab's own, or not at all.

use crate::lab;
use crate::manifest::{Auth, IntegrationKind, Manifest, Route, filled_path, route_for_request};
use crate::proof::Proof;

/// Why nothing would answer.
const NOT_RUNNING: &str = "reserved-concurrency = 0 keeps its function from running";

/// The URL that is shown, and the request to it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// The path of the route as it is declared, and the path of the URL. A stack whose every path has parameters, and that
    /// declares no proof, shows the URL of its stage.
    path: Option<(String, String)>,
    /// Or why nothing is sent.
    pub(super) proof: Result<Proof, String>,
}

impl Shown {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let routes = &manifest.api.routes;
        let runs = |route: &Route| {
            let function = manifest.functions.get(&route.function);
            function.is_none_or(|function| function.reserved_concurrency != Some(0))
        };
        if let Some(proof) = &manifest.api.proof {
            let route = route_for_request(routes, &proof.method, &proof.path);
            return Self {
                path: route.map(|route| (route.path.clone(), proof.path.clone())),
                proof: match route {
                    Some(route) if !runs(route) => Err(NOT_RUNNING.to_owned()),
                    _ => Ok(proof.clone()),
                },
            };
        }
        let whole = |route: &Route| Some((route.path.clone(), route.path.clone()));
        let takes_ping = || routes.iter().filter(|route| takes_ping(manifest, route));
        if let Some(route) = takes_ping().find(|route| runs(route)) {
            return Self { path: whole(route), proof: Ok(lab::ping(&route.path)) };
        }
        if let Some(route) = takes_ping().next() {
            return Self { path: whole(route), proof: Err(NOT_RUNNING.to_owned()) };
        }
        let route = routes.iter().find(|route| !route.has_parameters());
        Self { path: route.and_then(whole), proof: Err(no_proof(routes)) }
    }

    /// The path of the URL, where the routes' paths may be spelled otherwise.
    pub(super) fn path<'a>(&'a self, spelled: impl Fn(&'a str) -> &'a str) -> String {
        self.path.as_ref().map(|(route, path)| filled_path(spelled(route), path)).unwrap_or_default()
    }
}

fn takes_ping(manifest: &Manifest, route: &Route) -> bool {
    manifest.functions.get(&route.function).is_some_and(|function| function.lab)
        && route.method == "POST"
        && route.integration == IntegrationKind::Aws
        && route.auth == Auth::None
        && !route.has_parameters()
}

/// Why nothing is sent, with what to write into the manifest.
fn no_proof(routes: &[Route]) -> String {
    let open = || routes.iter().filter(|route| route.auth == Auth::None && route.method != "HEAD");
    let reads = open().find(|route| route.takes("GET"));
    let Some(route) = reads.or_else(|| open().next()) else {
        return "every route asks for credentials, and deployer sends none".to_owned();
    };
    let method = if reads.is_some() { String::new() } else { format!("method = \"{}\", ", route.method) };
    let part = |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
    let path = route.path.split('/').map(part).collect::<Vec<_>>().join("/");
    format!("[api] declares no proof, like proof = {{ {method}path = \"{path}\" }}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The URL's path, and what is sent or why nothing is.
    fn shown(text: &str) -> (String, Result<String, String>) {
        let shown = Shown::of(&Manifest::parse(text, Path::new("stack.toml"), "").unwrap());
        (shown.path(|declared| declared), shown.proof.map(|proof| format!("{} {}", proof.name, proof.body)))
    }

    fn route(method: &str, path: &str, more: &str) -> String {
        format!("[[api.routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nfunction = \"f\"\n{more}\n")
    }

    const OTHER: &str = "[functions.f]\nlab = false\n";

    #[test]
    fn the_lab_is_asked_by_its_own_request() {
        let ping = || Ok(r#"ping {"operation":"ping"}"#.to_owned());
        assert_eq!(shown(""), ("/DynamoDBManager".to_owned(), ping()));
        let stopped = "[functions.a]\nreserved-concurrency = 0\n";
        assert_eq!(shown(stopped), ("/DynamoDBManager".to_owned(), Err(NOT_RUNNING.to_owned())));
        let function = "function = \"f\"";
        let two =
            route("POST", "/stopped", "").replace(function, "function = \"a\"") + &route("POST", "/b", "");
        assert_eq!(shown(&format!("{stopped}[functions.f]\n{two}")), ("/b".to_owned(), ping()));
    }

    #[test]
    fn a_declared_proof_comes_before_the_labs() {
        let declared = format!(
            "[functions.f]\n[api]\nproof = {{ path = \"/items/7?a=b\" }}\n{}{}",
            route("POST", "/", ""),
            route("GET", "/items/{id}", "")
        );
        assert_eq!(shown(&declared), ("/items/7?a=b".to_owned(), Ok("GET /items/7?a=b ".to_owned())));
        let stopped = declared.replace("[functions.f]", "[functions.f]\nreserved-concurrency = 0");
        assert_eq!(shown(&stopped), ("/items/7?a=b".to_owned(), Err(NOT_RUNNING.to_owned())));
    }

    #[test]
    fn the_path_of_a_proof_is_spelled_as_the_api_spells_it() {
        let declared =
            format!("{OTHER}[api]\nproof = {{ path = \"/Items/A\" }}\n{}", route("GET", "/Items/{id}", ""));
        let shown = Shown::of(&Manifest::parse(&declared, Path::new("stack.toml"), "").unwrap());
        assert_eq!(shown.path(|_| "/items/{id}"), "/items/A");
    }

    /// Each with the proof that it names, which the manifest then takes.
    #[test]
    fn another_function_is_not_asked_and_the_reason_says_what_to_write() {
        let cases = [
            (route("POST", "/orders", ""), "/orders", "{ method = \"POST\", path = \"/orders\" }"),
            (route("PUT", "/a/{b}/{c+}", ""), "", "{ method = \"PUT\", path = \"/a/1/1\" }"),
            (route("POST", "/a", "") + &route("GET", "/b/{id}", ""), "/a", "{ path = \"/b/1\" }"),
            (route("ANY", "/", ""), "/", "{ path = \"/\" }"),
        ];
        for (routes, path, proof) in cases {
            let why = format!("[api] declares no proof, like proof = {proof}");
            assert_eq!(shown(&format!("{OTHER}{routes}")), (path.to_owned(), Err(why)));
            let (_, sent) = shown(&format!("{OTHER}[api]\nproof = {proof}\n{routes}"));
            assert!(sent.is_ok(), "{routes}");
        }
        let closed = format!("{OTHER}{}", route("POST", "/a", "auth = \"iam\""));
        let why = "every route asks for credentials, and deployer sends none".to_owned();
        assert_eq!(shown(&closed), ("/a".to_owned(), Err(why)));
        let proxy = format!("[functions.f]\n{}", route("POST", "/a", "integration = \"aws-proxy\""));
        assert!(shown(&proxy).1.is_err(), "the lab's request is the event");
    }
}
