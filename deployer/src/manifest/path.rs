//! Paths of routes, by API Gateway's rules.

use super::read::{Item, Text};
use std::ops::Range;

/// Where a route and its path stand.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) route: Range<usize>,
    pub(super) path: Range<usize>,
}

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
    let mut names = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if part.is_empty() {
            return Some("must have a name between two slashes, and none at its end".to_owned());
        }
        let (name, is_variable) = match part.strip_prefix('{') {
            Some(inner) => match inner.strip_suffix('}') {
                Some(name) => (name, true),
                None => {
                    return Some(format!(
                        "must close the brace of {part}, and have nothing after it"
                    ));
                }
            },
            None => (*part, false),
        };
        let plain = if is_variable { name.strip_suffix('+') } else { None };
        if plain.is_some() && index + 1 < parts.len() {
            return Some(format!(
                "must end with {part}, because that takes the rest of the path"
            ));
        }
        let plain = plain.unwrap_or(name);
        if plain.is_empty() {
            return Some(format!("must name the parameter {part}, like {{id}}"));
        }
        if let Some(stranger) = plain
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !"._-:".contains(*c))
        {
            let hint = if "{}".contains(stranger) {
                ", and a parameter takes a whole part, like /{id}/"
            } else {
                ""
            };
            return Some(format!(
                "must have a-z A-Z 0-9 . _ - : only, and not {stranger:?}{hint}"
            ));
        }
        if is_variable {
            if names.contains(&plain) {
                return Some(format!("must give each parameter another name than {{{plain}}}"));
            }
            names.push(plain);
        }
    }
    None
}

/// Two parameters in the same place of two paths: API Gateway keeps paths as a tree, with one parameter to a branch.
pub(super) fn clash<'p>(a: &'p str, b: &'p str) -> Option<(&'p str, &'p str)> {
    let (ours, theirs) = a
        .split('/')
        .zip(b.split('/'))
        .find(|(ours, theirs)| ours != theirs)?;
    (ours.starts_with('{') && theirs.starts_with('{')).then_some((ours, theirs))
}
