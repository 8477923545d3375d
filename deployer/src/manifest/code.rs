//! `package` and `binary`, or `zip` with `runtime` and `handler`: where a function's code comes from.

use super::names;
use super::section::Section;
use crate::lab;
use schemars::Schema;
use serde_json::json;
use std::ops::Range;
use std::path::PathBuf;

/// The form of a runtime's name.
pub(super) const RUNTIME: &str = "^[a-z0-9.-]+$";

/// The form of a handler's name.
pub(super) const HANDLER: &str = r"^\S+$";

/// Lambda's longest name of a handler, in characters.
pub(super) const LONGEST_HANDLER: usize = 128;

/// Which keys stand beside which.
pub(super) fn in_schema(function: &mut Schema) {
    let dependencies = json!({ "zip": ["runtime", "handler"], "runtime": ["zip"], "handler": ["zip"] });
    function.insert("dependencies".to_owned(), dependencies);
    let clashes =
        json!({ "required": ["zip"], "anyOf": [{ "required": ["package"] }, { "required": ["binary"] }] });
    function.insert("not".to_owned(), clashes);
}

/// As declared.
pub(super) struct Code {
    pub(super) package: Option<String>,
    pub(super) binary: Option<String>,
    pub(super) zip: Option<PathBuf>,
    pub(super) runtime: Option<String>,
    pub(super) handler: Option<String>,
}

impl Code {
    /// A package brings its own runtime and handler, and a zip does not.
    pub(super) fn read(keys: &mut Section<'_>, name: &Range<usize>) -> Self {
        let zip = keys.get("zip");
        let package = keys.get("package");
        let binary = keys.get("binary");
        let runtime = keys.get("runtime");
        let handler = keys.get("handler");
        if let (Some(zip), Some(binary)) = (&zip, &binary) {
            let problem =
                binary.wrong("goes with a Cargo package, and this function's code is a zip that is ready");
            binary.report(problem.earlier(zip.span.clone(), "the zip"));
        }
        match (&zip, &package) {
            (Some(zip), Some(package)) => package.report(
                package
                    .wrong("cannot stand beside zip: a function's code is built from a package or is a zip that is ready")
                    .earlier(zip.span.clone(), "the zip"),
            ),
            (Some(zip), None) => {
                for (key, value, like) in
                    [("runtime", &runtime, "nodejs24.x"), ("handler", &handler, "index.handler")]
                {
                    if value.is_none() {
                        zip.report(zip.wrong(&format!("needs the key {key} beside it")).help(format!("like {key} = \"{like}\"")));
                    }
                }
            }
            (None, _) => {
                for item in runtime.iter().chain(&handler) {
                    let problem = item.wrong("goes with zip only: a Cargo package is built for provided.al2023");
                    item.report(problem.earlier(name.clone(), "this function has no zip"));
                }
            }
        }
        Self {
            package: package.and_then(|package| {
                let name = package.text("a Cargo package's name")?;
                names::PACKAGE.check(&name, "", keys.problems());
                Some(name.text.to_owned())
            }),
            binary: binary.and_then(|binary| {
                let name = binary.text("the name of a binary of the package")?;
                names::BINARY.check(&name, "", keys.problems());
                Some(name.text.to_owned())
            }),
            zip: zip
                .and_then(|z| z.text_where("the path of a zip file", |p| !p.is_empty()))
                .map(PathBuf::from),
            runtime: runtime
                .and_then(|r| r.text_where("a runtime of Lambda, like \"nodejs24.x\"", is_runtime)),
            handler: handler.and_then(|h| {
                h.text_where("1 to 128 characters without spaces, like \"index.handler\"", is_handler)
            }),
        }
    }

    /// Whether it is built from the package of the lab's function, which is the one of a function that names none.
    pub(super) fn is_labs(&self) -> bool {
        self.zip.is_none() && self.package.as_deref().is_none_or(|package| package == lab::PACKAGE)
    }
}

fn is_runtime(runtime: &str) -> bool {
    !runtime.is_empty()
        && runtime.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-')
}

fn is_handler(handler: &str) -> bool {
    (1..=LONGEST_HANDLER).contains(&handler.chars().count()) && !handler.chars().any(char::is_whitespace)
}
