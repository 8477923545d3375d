//! `environment`: the variables of a function. Their values may be secrets, so no message ever shows one.

use super::problem::Problem;
use super::read::Item;
use super::schema::of_keys;
use schemars::Schema;
use std::collections::BTreeMap;

/// Of all variables together, as Lambda measures them: in bytes of JSON.
const MOST_BYTES: usize = 4096;

/// What Lambda sets itself, by its documentation. Others that begin with `AWS_LAMBDA_`, like `AWS_LAMBDA_EXEC_WRAPPER`,
/// are there to be set.
const RESERVED: [&str; 21] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

pub(super) fn in_schema(schema: &mut Schema) {
    of_keys(|keys| {
        keys.insert("pattern".to_owned(), "^[a-zA-Z][a-zA-Z0-9_]+$".into());
        keys.insert("not".to_owned(), serde_json::json!({ "enum": RESERVED }));
    })(schema);
}

pub(super) fn read(environment: &Item<'_>) -> BTreeMap<String, String> {
    environment.hide();
    let mut variables = BTreeMap::new();
    let entries = environment.named(r#"a table like { LOG_LEVEL = "info" }"#).unwrap_or_default();
    for (name, value) in entries {
        if let Some(message) = refusal(name.text) {
            value.report(Problem::new(name.span.clone(), message));
        }
        if let Some(text) = value.text("text") {
            if text.text.contains('\0') {
                value.report(value.wrong("must not hold a NUL character, which no environment can"));
            }
            variables.insert(name.text.to_owned(), text.text.to_owned());
        }
    }
    let bytes = serde_json::to_string(&variables).map_or(0, |json| json.len());
    if bytes > MOST_BYTES {
        let limit = format!("must be at most {MOST_BYTES} bytes in all, as JSON, and has {bytes}");
        environment.report(environment.wrong(&limit));
    }
    variables
}

fn refusal(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!(
            "Lambda sets the environment variable {name} itself, and refuses another value"
        ));
    }
    let fits = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!fits).then(|| {
        "an environment variable's name must be at least 2 characters of a-z A-Z 0-9 _ and begin with a letter".to_owned()
    })
}
