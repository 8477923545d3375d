//! Paths of routes, by API Gateway's rules.

use super::read::{Item, Text};
use std::ops::Range;

/// Where a route and its path stand.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) route: Range<usize>,
    pub(super) path: Range<usize>,
}

/// The form of a path, but for parameters that have the same name.
pub(super) const PATTERN: &str =
    r"^/(([a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\})/)*([a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\+?\})$|^/$";

pub(super) fn read(path: &Item<'_>) -> Option<String> {
    let Text { text, .. } = path.text(r#"a path like "/items/{id}""#)?;
    match refusal(text) {
        None => Some(text.to_owned()),
        Some(why) => {
            path.report(path.wrong(&why));
            None
        }
    }
}

/// What has to change in a path.
fn refusal(path: &str) -> Option<String> {
    let Some(parts) = path.strip_prefix('/') else {
        return Some("must begin with /".to_owned());
    };
    if parts.is_empty() {
        return None;
    }
    let parts: Vec<&str> = parts.split('/').collect();
    let last = parts.len() - 1;
    let mut names = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if part.is_empty() {
            let place = if index == last { "at its end" } else { "after another" };
            return Some(format!("must have no / {place}"));
        }
        let Some(inner) = part.strip_prefix('{') else {
            if let Some(why) = strange(part) {
                return Some(why);
            }
            continue;
        };
        let Some(name) = inner.strip_suffix('}') else {
            return Some(format!("must close the brace of {part}, and have nothing after it"));
        };
        if name.ends_with('+') && index != last {
            return Some(format!("must end with {part}, because that takes the rest of the path"));
        }
        let name = name.strip_suffix('+').unwrap_or(name);
        if name.is_empty() {
            return Some(format!("must name the parameter {part}, like {{id}}"));
        }
        if let Some(why) = strange(name) {
            return Some(why);
        }
        if names.contains(&name) {
            return Some(format!("must give each parameter another name than {{{name}}}"));
        }
        names.push(name);
    }
    None
}

/// A part that API Gateway does not take.
fn strange(part: &str) -> Option<String> {
    let stranger = part.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-:".contains(*c))?;
    let hint = if "{}".contains(stranger) { ", and a parameter takes a whole part, like /{id}/" } else { "" };
    Some(format!("must have a-z A-Z 0-9 . _ - : only between its slashes, and not {stranger:?}{hint}"))
}

/// Each parameter of a path, behind what stands before it: `/items` and `{id}`.
pub(super) fn parameters(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.filter_map(|at| {
        let part = path[at + 1..].split('/').next()?;
        part.starts_with('{').then_some((&path[..at], part))
    })
}

/// Whether a request for this path is for the route of that path: `/items/{id}` takes one part in place of `{id}`,
/// `{proxy+}` takes the rest.
pub(crate) fn is_for(path: &str, route: &str) -> bool {
    let mut path = path.split('/');
    for part in route.split('/') {
        let Some(other) = path.next() else { return false };
        if part.starts_with('{') && part.ends_with("+}") {
            return !other.is_empty();
        }
        let is_parameter = part.starts_with('{') && part.ends_with('}');
        if !(is_parameter && !other.is_empty() || part == other) {
            return false;
        }
    }
    path.next().is_none()
}

/// The path of a request to this route, where the route's own parts are spelled as here. The query stays.
pub(crate) fn filled(route: &str, request: &str) -> String {
    let (path, query) = request.split_at(request.find('?').unwrap_or(request.len()));
    let mut parts = path.split('/');
    let mut all = Vec::new();
    for part in route.split('/') {
        let given = parts.next().unwrap_or_default();
        all.push(if part.starts_with('{') { given } else { part });
    }
    // What `{proxy+}` takes goes on.
    all.extend(parts);
    format!("{}{query}", all.join("/"))
}

/// Of several routes for a path, API Gateway takes the one with the least: part by part, what is named comes before what a
/// request fills in, and that before the rest of a path.
pub(crate) fn precedence(route: &str) -> Vec<u8> {
    let part = |part: &str| match part {
        rest if rest.ends_with("+}") => 2,
        one if one.starts_with('{') => 1,
        _ => 0,
    };
    route.split('/').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_before_what_is_filled_in() {
        let in_order = ["/items/new", "/items/{id}", "/items/{rest+}", "/{kind}/new", "/{proxy+}"];
        assert!(in_order.is_sorted_by_key(|route| precedence(route)));
    }

    #[test]
    fn a_request_has_the_spelling_of_its_route() {
        let cases = [
            ("/items", "/Items", "/items"),
            ("/items/{id}/tags", "/Items/A/Tags?b=C", "/items/A/tags?b=C"),
            ("/all/{proxy+}", "/ALL/A/b/", "/all/A/b/"),
            ("/", "/", "/"),
            ("/", "/?a", "/?a"),
        ];
        for (route, request, expected) in cases {
            assert_eq!(filled(route, request), expected);
        }
    }

    #[test]
    fn paths_are_matched_as_api_gateway_does() {
        let matching = [
            ("/items", "/items"),
            ("/items/{id}", "/items/{{id}}"),
            ("/items/{id}/notes", "/items/1/notes"),
            ("/{proxy+}", "/a/b/c"),
            ("/", "/"),
        ];
        for (route, path) in matching {
            assert!(is_for(path, route), "{route} {path}");
        }
        let others = [
            ("/items", "/Items"),
            ("/items", "/items/1"),
            ("/items/{id}", "/items"),
            ("/items/{id}", "/items/"),
            ("/items/{id}", "/items/1/notes"),
            ("/{proxy+}", "/"),
        ];
        for (route, path) in others {
            assert!(!is_for(path, route), "{route} {path}");
        }
    }
}
