//! `[tags]` and `variables` of the stage: names and values that people choose, and AWS limits.

use super::names::class;
use super::problem::Problem;
use super::read::{Item, Text};
use super::schema::of_keys;
use schemars::Schema;
use serde_json::json;
use std::collections::BTreeMap;

/// AWS takes 50, and some are ours.
const MOST_TAGS: usize = 40;

/// How tags are written.
const LIKE: &str = r#"a table like { team = "shop" }"#;

/// API Gateway's.
const MOST_VARIABLES: usize = 100;

/// The characters of a tag: what every service takes. (API Gateway's API reference has neither the space nor `@`; its
/// developer guide, "Tag restrictions", has both.)
const TAG_SET: &str = "a-z A-Z 0-9 space _ . : / = + @ -";

/// The characters of a stage variable's value.
const VARIABLE_SET: &str = "a-z A-Z 0-9 - . _ ~ : / ? # & = ,";

/// What AWS keeps for itself, as a regular expression.
pub(super) const RESERVED: &str = "^[aA][wW][sS]:";

pub(super) fn in_schema(schema: &mut Schema) {
    let reserved = format!("{RESERVED}|^[dD][eE][pP][lL][oO][yY][eE][rR]:");
    let text = format!("^{}*$", class(TAG_SET));
    schema.insert("maxProperties".to_owned(), MOST_TAGS.into());
    let value =
        json!({ "type": "string", "maxLength": 256, "pattern": text, "not": { "pattern": RESERVED } });
    schema.insert("additionalProperties".to_owned(), value);
    of_keys(|keys| {
        keys.insert("minLength".to_owned(), 1.into());
        keys.insert("maxLength".to_owned(), 128.into());
        keys.insert("pattern".to_owned(), text.clone().into());
        keys.insert("not".to_owned(), json!({ "pattern": reserved }));
    })(schema);
}

pub(super) fn variables_in_schema(schema: &mut Schema) {
    schema.insert("maxProperties".to_owned(), MOST_VARIABLES.into());
    let text = format!("^{}*$", class(VARIABLE_SET));
    let value = json!({ "type": "string", "minLength": 1, "maxLength": 512, "pattern": text });
    schema.insert("additionalProperties".to_owned(), value);
    of_keys(|keys| {
        keys.insert("minLength".to_owned(), 1.into());
        keys.insert("maxLength".to_owned(), 64.into());
        keys.insert("pattern".to_owned(), "^[a-zA-Z0-9_]*$".into());
    })(schema);
}

/// Tags for every resource of the stack.
pub(super) fn read(tags: &Item<'_>) -> BTreeMap<String, String> {
    let all = pairs(
        tags,
        LIKE,
        |key| {
            if is_reserved(key) || key.to_lowercase().starts_with("deployer:") {
                return Some(format!("a tag's key must not begin with aws: or deployer:, as {key} does"));
            }
            let fits = (1..=128).contains(&key.len()) && key.chars().all(is_taggable);
            (!fits).then(|| format!("a tag's key must be 1 to 128 characters of {TAG_SET}"))
        },
        &format!("text of at most 256 characters of {TAG_SET}, not beginning with aws:"),
        |value| value.len() <= 256 && value.chars().all(is_taggable) && !is_reserved(value),
    );
    at_most(tags, all.len(), MOST_TAGS, "tags");
    if tags.is_table() {
        refuse_same_key(tags);
    }
    all
}

/// What AWS keeps for itself, in capitals or not, in keys and in values.
pub(super) fn is_reserved(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// IAM takes two keys for one that differ in their case only, and refuses both.
fn refuse_same_key(tags: &Item<'_>) {
    let mut keys: BTreeMap<String, Text<'_>> = BTreeMap::new();
    for (key, value) in tags.named(LIKE).unwrap_or_default() {
        if let Some(earlier) = keys.get(&key.text.to_lowercase()) {
            let message = format!(
                "the tags {} and {} differ in their case only, and IAM takes them for one",
                earlier.text, key.text
            );
            value.report(
                Problem::new(key.span.clone(), message).earlier(earlier.span.clone(), "the other tag"),
            );
        } else {
            keys.insert(key.text.to_lowercase(), key);
        }
    }
}

/// What API Gateway keeps with the stage.
pub(super) fn read_variables(variables: &Item<'_>) -> BTreeMap<String, String> {
    let all = pairs(
        variables,
        r#"a table like { level = "debug" }"#,
        |name| {
            let fits =
                (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (!fits).then(|| "a stage variable's name must be 1 to 64 characters of a-z A-Z 0-9 _".to_owned())
        },
        &format!("text of 1 to 512 characters of {VARIABLE_SET}"),
        |value| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
            (1..=512).contains(&value.len()) && value.chars().all(fits)
        },
    );
    at_most(variables, all.len(), MOST_VARIABLES, "stage variables");
    all
}

fn pairs(
    table: &Item<'_>,
    like: &str,
    refusal: impl Fn(&str) -> Option<String>,
    expected: &str,
    fits: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let entries =
        table.named(like).unwrap_or_default().into_iter().filter_map(|(Text { text, span }, value)| {
            if let Some(message) = refusal(text) {
                value.report(Problem::new(span, message));
            }
            Some((text.to_owned(), value.text_where(expected, &fits)?))
        });
    entries.collect()
}

fn at_most(table: &Item<'_>, number: usize, most: usize, what: &str) {
    if number > most {
        table.report(table.wrong(&format!("must be at most {most} {what}, and has {number}")));
    }
}

fn is_taggable(c: char) -> bool {
    c.is_ascii_alphanumeric() || " _.:/=+@-".contains(c)
}
