//! `stack.toml`: what a person declares. Every key has the lab's value as its default, so an empty file is a stack.
//!
//! `read` goes through the document key by key, and one file for each section gives the keys their meaning, limits and
//! defaults. What is wrong does not stop it: `problem` shows all mistakes together. `check` compares the sections.

mod account;
mod api;
mod check;
mod code;
mod environment;
mod error_responses;
mod function;
mod names;
mod path;
mod problem;
mod proof;
mod read;
mod route;
mod schema;
mod section;
mod table;
mod tags;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use api::{Api, Throttle};
pub(crate) use error_responses::ErrorResponses;
pub use function::Architecture;
pub(crate) use function::{DEFAULT_POLICY, Function};
pub(crate) use path::{filled as filled_path, is_for as is_path_for, precedence as path_precedence};
pub(crate) use route::{
    Auth, IntegrationKind, Route, for_request as route_for_request, listed as listed_routes,
};
pub(crate) use schema::schema;
#[cfg(test)]
pub(crate) use table::Provisioned;
pub(crate) use table::{Billing, Key, KeyType, Table};
pub(crate) use words::nearest;

use crate::error::Result;
use crate::nesting;
use api::Callable;
use problem::{MOST_SHOWN, Problem, Problems};
use read::Item;
use schema::{of_keys, of_text};
use schemars::JsonSchema;
use section::Section;
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::DeTable;

/// The stack and where it is. Every key has a default, so an empty file declares the lab.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(title = "stack.toml", rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The stack's name, which becomes the value of its ownership tag. There is one stack for each account, region and
    /// name. The length counts with the suffix of `--env`.
    #[schemars(transform = names::STACK.in_schema())]
    pub name: String,
    /// The AWS region. Without it, `--region`, `AWS_REGION`, the profile or the instance decides.
    #[schemars(transform = of_text(account::REGION))]
    pub region: Option<String>,
    /// The 12 digits of each account that the stack may be in. Every other account is refused. Without this key, every account
    /// is allowed.
    #[schemars(transform = account::allowed_in_schema)]
    pub allowed_accounts: Vec<String>,
    /// The DynamoDB tables, by name. The length of a name counts with the suffix of `--env`.
    #[schemars(extend("default" = { TABLE: {} }), transform = of_keys(names::TABLE.in_schema()))]
    pub tables: BTreeMap<String, Table>,
    /// The Lambda functions, by name: at least one. The length of a name counts with the suffix of `--env`.
    #[schemars(
        extend("default" = { FUNCTION: {} }, "minProperties" = 1),
        transform = of_keys(names::FUNCTION.in_schema())
    )]
    pub functions: BTreeMap<String, Function>,
    /// The REST API and its stage.
    #[schemars(extend("default" = {}))]
    pub api: Api,
    /// Tags of every resource, besides the ownership tags. No two keys may differ in their case only, because IAM takes them for
    /// one.
    #[schemars(transform = tags::in_schema)]
    pub tags: BTreeMap<String, String>,
}

/// Names of the lab.
const STACK: &str = "lambda-apigateway";
const TABLE: &str = "lambda-apigateway";
const FUNCTION: &str = "LambdaFunctionOverHttps";

impl Manifest {
    /// Whether a table that the function may use is paid by request; otherwise it pays by the hour only, whatever it reads
    /// and writes.
    pub(crate) fn pays_by_request(&self, function: &Function) -> bool {
        let mut touched = self.tables.iter().filter(|(name, _)| function.touches(name));
        touched.any(|(_, table)| table.billing == Billing::OnDemand)
    }

    /// Reads a manifest. `path` is for messages; `suffix` is what `--env` adds to names.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub(crate) fn parse(text: &str, path: &Path, suffix: &str) -> Result<Self> {
        let problems = Problems::default();
        if let Some(bracket) = nesting::too_deep(text) {
            problems
                .add(Problem::new(bracket, "this is not TOML: too many brackets are open here").unquoted());
            problems.into_result(&path.display().to_string(), text)?;
            return Ok(Self::default());
        }
        let (document, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(|error| error.span().map_or(text.len(), |span| span.start));
        // Each takes a look through the text, and only the first are shown.
        let (shown, counted) = errors.split_at(errors.len().min(MOST_SHOWN));
        for error in shown {
            problems.add(not_toml(error, text));
        }
        for error in counted {
            problems.add(Problem::new(error.span().unwrap_or(text.len()..text.len()), error.message()));
        }
        // Of text that is no TOML, what was meant can only be guessed, and so could the mistakes in it.
        let manifest = if errors.is_empty() {
            Section::new("", 0..0, document.get_ref(), &problems).read_by(|keys| Self::of(keys, suffix))
        } else {
            Self::default()
        };
        problems.into_result(&path.display().to_string(), text)?;
        Ok(manifest)
    }

    fn of(keys: &mut Section<'_>, suffix: &str) -> Self {
        let problems = keys.problems();
        let name = keys.get("name").and_then(|name| {
            let name = name.text("text")?;
            names::STACK.check(&name, suffix, problems);
            Some(name.text.to_owned())
        });
        let region = keys.get("region").and_then(|region| account::read_region(&region));
        let allowed = keys.get("allowed-accounts").map(|accounts| account::read_allowed(&accounts));

        let default = Self::default();
        let tables = keys.get("tables").and_then(|tables| read_tables(&tables, suffix, problems));
        let tables = tables.unwrap_or(default.tables);
        let section = keys.get("functions");
        let declared =
            section.as_ref().and_then(|functions| read_functions(functions, suffix, &tables, problems));
        let callable = Callable {
            functions: match &declared {
                Some(functions) => {
                    functions.iter().map(|(name, function, _)| (*name, function.lab)).collect()
                }
                None => vec![(FUNCTION, true)],
            },
            span: section.map_or(0..0, |functions| functions.span),
            problems,
        };
        let api = keys.get("api");
        let api = Api::read(api.as_ref(), suffix, &callable);
        if let Some(functions) = &declared {
            check::timeouts(functions, &api.routes, problems);
            check::roles(functions, suffix, problems);
        }

        Self {
            name: name.unwrap_or(default.name),
            region,
            allowed_accounts: allowed.unwrap_or_default(),
            functions: declared.map_or(default.functions, |all| {
                all.into_iter().map(|(name, function, _)| (name.to_owned(), function)).collect()
            }),
            tables,
            api,
            tags: keys.get("tags").map(|tags| tags::read(&tags)).unwrap_or_default(),
        }
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            name: STACK.to_owned(),
            region: None,
            allowed_accounts: Vec::new(),
            tables: BTreeMap::from([(TABLE.to_owned(), Table::default())]),
            functions: BTreeMap::from([(FUNCTION.to_owned(), Function::default())]),
            api: Api {
                routes: vec![Route::of_the_only(FUNCTION, ErrorResponses::default_of(true))],
                ..Api::default()
            },
            tags: BTreeMap::new(),
        }
    }
}

fn read_tables(tables: &Item<'_>, suffix: &str, problems: &Problems) -> Option<BTreeMap<String, Table>> {
    let read = tables.named("tables like [tables.NAME]")?.into_iter().map(|(name, table)| {
        names::TABLE.check(&name, suffix, problems);
        (name.text.to_owned(), Table::read(&table))
    });
    Some(read.collect())
}

fn read_functions<'a>(
    functions: &Item<'a>,
    suffix: &str,
    tables: &BTreeMap<String, Table>,
    problems: &Problems,
) -> Option<Vec<check::Declared<'a>>> {
    let tables: Vec<&str> = tables.keys().map(String::as_str).collect();
    let read = functions.named("tables like [functions.NAME]")?.into_iter().map(|(name, function)| {
        names::FUNCTION.check(&name, suffix, problems);
        let (function, places) = Function::read(&function, &name, suffix, &tables);
        (name.text, function, places)
    });
    let read: Vec<_> = read.collect();
    if read.is_empty() {
        let problem = functions.wrong("must declare one at least, for the API to call");
        functions.report(problem.help("without this section, the stack has the function of the lab"));
    }
    Some(read)
}

fn not_toml(error: &toml::de::Error, text: &str) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    let rest = text.get(span.end..).unwrap_or_default();
    let line_end = text.len() - rest.find('\n').map_or(0, |newline| rest.len() - newline);
    let problem = Problem::new(span, format!("this is not TOML: {}", error.message()));
    // Environment variables hold secrets, and may go on over any number of lines. Their key may be what is broken.
    let so_far = text[..line_end].to_lowercase();
    if ["env", "iron", "ment"].iter().any(|part| so_far.contains(part)) {
        problem
            .unquoted()
            .help("the line is not shown here, because it may hold the value of an environment variable")
    } else {
        problem
    }
}
