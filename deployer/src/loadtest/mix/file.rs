//! A mix from a file, in TOML or JSON.

use crate::error::{Error, Result};
use crate::files::{self, LARGEST_MIX};
use crate::lab::DEFAULT_SHARES;
use crate::nesting;
use loadgen::{RequestKind, RequestMix, RequestTemplate};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requests: Vec<Declared>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    share: u16,
    #[serde(default = "post")]
    method: String,
    path: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    undo: Option<Undo>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    body: String,
}

fn post() -> String {
    "POST".to_owned()
}

/// Reads a mix from a file. `default_path` is the path of requests that name none. `function_of` returns which function
/// of the stack a method and a path lead to.
///
/// # Errors
/// A file that cannot be read or parsed, with the place; a request that no route of the stack takes. No message shows a
/// value of the file, because headers and bodies hold secrets.
pub(crate) fn read(
    file: &Path,
    default_path: Option<&str>,
    function_of: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<RequestMix> {
    let shown = file.display();
    let text = files::read_text(file, LARGEST_MIX).map_err(|e| {
        Error::usage(format!("cannot read the mix {shown}: {e}"))
            .hint(format!("--mix takes shares like {DEFAULT_SHARES}, or the name of a file."))
    })?;
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let declared: File = if is_json {
        serde_json::from_str(&text)
            .map_err(|e| Error::usage(format!("the mix {shown}: {}", without_values(&e.to_string()))))?
    } else if nesting::too_deep(&text).is_some() {
        return Err(Error::usage(format!("the mix {shown}: it is nested too deep")));
    } else {
        toml::from_str(&text)
            .map_err(|e| Error::usage(format!("the mix {shown}: {}", toml_problem(&e, &text))))?
    };
    RequestMix::check_count(declared.requests.len())
        .map_err(|why| Error::usage(format!("the mix {shown}: {why}")))?;
    let requests: Result<Vec<RequestKind>, String> = declared
        .requests
        .into_iter()
        .map(|declared| {
            let name = declared.name.clone();
            request(declared, default_path, &function_of).map_err(|why| format!("request {name}: {why}"))
        })
        .collect();
    requests.and_then(RequestMix::new).map_err(|why| Error::usage(format!("the mix {shown}: {why}")))
}

/// Says what is wrong, and where, without quoting the line.
fn toml_problem(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{} at line {line} column {column}", without_values(error.message()))
}

/// Removes the value that serde's message quotes, which may be a secret: `invalid type: string "…", expected a map`
/// becomes `invalid type: string, expected a map`.
fn without_values(message: &str) -> String {
    let Some((what, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    if !message.starts_with("invalid ") {
        return message.to_owned();
    }
    let what = what.split(['"', '`']).next().unwrap_or_default().trim_end();
    format!("{what}, expected {expected}")
}

fn request(
    declared: Declared,
    default_path: Option<&str>,
    function_of: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<RequestKind, String> {
    let Declared { name, share, method, path, body, headers, undo } = declared;
    let path = path.or_else(|| default_path.map(str::to_owned)).ok_or("it needs a path")?;
    let template = RequestTemplate::new(&method, &path, &body, &headers)?;
    let function = function_of(&method, &path)?;
    let undo = undo
        .map(|undo| {
            let (method, path) = (undo.method.unwrap_or(method), undo.path.unwrap_or(path));
            function_of(&method, &path)?;
            RequestTemplate::new(&method, &path, &undo.body, &headers)
        })
        .transpose()
        .map_err(|why| format!("undo: {why}"))?;
    let declared = template.canonical_text();
    RequestKind::new(&name, share, &function, template, undo, &declared)
}
