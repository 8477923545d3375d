//! The JSON Schema of `stack.toml`, from the types of the manifest and the constants that reading uses.
//!
//! A schema cannot say everything: what one part demands of another stands in descriptions, and `--env` makes names longer.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use serde_json::Value;
use std::ops::RangeInclusive;

/// The schema, as draft 7, which editors understand.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<super::Manifest>();
    RecursiveTransform(in_terms_of_toml).transform(&mut schema);
    schema.into()
}

/// TOML has neither null nor numbers of 32 bits. Documentation wraps its lines.
fn in_terms_of_toml(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// Where the default depends on something else.
pub(super) fn without_default(schema: &mut Schema) {
    schema.remove("default");
}

/// A number of a range. The largest of 32 bits is no limit that people know.
pub(super) fn within(range: &'static RangeInclusive<i64>) -> impl Fn(&mut Schema) {
    |schema| {
        schema.insert("minimum".to_owned(), (*range.start()).into());
        schema.insert("maximum".to_owned(), (*range.end()).into());
    }
}

/// Text of this form.
pub(super) fn of_text(pattern: &'static str) -> impl Fn(&mut Schema) {
    move |schema| {
        schema.insert("pattern".to_owned(), pattern.into());
    }
}

/// One of these values.
pub(super) fn one_of<T: Into<Value> + Copy>(values: &[T]) -> impl Fn(&mut Schema) {
    |schema| {
        schema.insert("enum".to_owned(), values.iter().map(|value| (*value).into()).collect());
    }
}

/// A table whose keys are such names.
pub(super) fn of_keys(name: impl Fn(&mut Schema)) -> impl Fn(&mut Schema) {
    move |schema| {
        let mut names = Schema::default();
        name(&mut names);
        schema.insert("propertyNames".to_owned(), names.into());
    }
}
