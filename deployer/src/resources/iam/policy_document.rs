//! IAM policy documents: fills in placeholders, decodes what AWS returns, and compares by meaning.

mod grammar;

pub(crate) use grammar::mistakes;

use crate::engine::Difference;
use crate::error::{Error, Result};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The values of each placeholder.
pub(crate) type Placeholders = BTreeMap<&'static str, Vec<String>>;

/// Parses a document and replaces each list entry or value `"${name}"` by the values of that name. A statement without
/// any resource left is dropped, because IAM refuses it. `more` statements are appended.
///
/// # Errors
/// Fails for text that is not a JSON object, for an unknown placeholder, and when no statement is left.
pub(crate) fn fill(text: &str, values: &Placeholders, more: Vec<Value>) -> Result<Value> {
    let document: Value =
        serde_json::from_str(text).map_err(|e| Error::usage(format!("it is not JSON: {e}")))?;
    if !document.is_object() {
        return Err(Error::usage("it is not a JSON object"));
    }
    let mut document = filled(document, values)?;
    let mut statements = match document["Statement"].take() {
        Value::Array(all) => all,
        // A single statement may stand without a list.
        one @ Value::Object(_) => vec![one],
        _ => Vec::new(),
    };
    statements.retain(|statement| statement.get("Resource") != Some(&Value::Array(Vec::new())));
    statements.extend(more);
    if statements.is_empty() {
        return Err(Error::usage("no statement of it has a resource, and IAM takes no policy without any"));
    }
    document["Statement"] = Value::Array(statements);
    Ok(document)
}

fn filled(value: Value, values: &Placeholders) -> Result<Value> {
    Ok(match value {
        Value::String(text) => match placeholder(&text, values)? {
            Some(many) => Value::from(many.clone()),
            None => Value::String(text),
        },
        Value::Array(items) => {
            let mut all = Vec::with_capacity(items.len());
            for item in items {
                match filled(item, values)? {
                    // A placeholder inside a list adds to that list.
                    Value::Array(many) => all.extend(many),
                    one => all.push(one),
                }
            }
            Value::Array(all)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| {
                if let Some(name) = names_in(&key).next() {
                    let message =
                        format!("the placeholder ${{{name}}} stands in the name of a field, and is a value");
                    return Err(Error::usage(message));
                }
                Ok((key, filled(value, values)?))
            });
            Value::Object(fields.collect::<Result<Map<_, _>>>()?)
        }
        other => other,
    })
}

/// Returns the values of a text that is a placeholder, and `None` for any other text.
fn placeholder<'a>(text: &str, values: &'a Placeholders) -> Result<Option<&'a Vec<String>>> {
    let Some(name) = names_in(text).next() else {
        return Ok(None);
    };
    let Some(many) = values.get(name) else {
        return Err(Error::usage(format!(
            "nothing is known by the placeholder ${{{name}}}; there are {}",
            values.keys().map(|name| format!("${{{name}}}")).collect::<Vec<_>>().join(", ")
        )));
    };
    if text == format!("${{{name}}}") {
        return Ok(Some(many));
    }
    Err(Error::usage(format!(
        "the placeholder ${{{name}}} must be a text of its own, because it stands for a list, and this one is {text:?}"
    )))
}

/// The names between `${` and `}`. IAM's policy variables look the same but always have a colon, like
/// `${aws:username}`. Its escapes for `*`, `?` and `$` are no variables.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    names.filter(|name| !name.contains(':') && !matches!(*name, "*" | "?" | "$"))
}

/// Writes the document for IAM. Characters beyond Latin-1 are escaped, because IAM refuses them (the pattern of
/// `policyDocument` in its API reference).
pub(crate) fn text(document: &Value) -> String {
    let mut text = String::new();
    for c in document.to_string().chars() {
        if c <= '\u{ff}' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Decodes a document that IAM returns: percent-encoded JSON (RFC 3986, so a plus sign is a plus sign).
pub(crate) fn decode(encoded: &str) -> Option<Value> {
    let decoded: Vec<u8> = percent_decode_str(encoded).collect();
    serde_json::from_slice(&decoded).ok()
}

/// Whether two documents mean the same. AWS reorders lists and statements, writes a list of one as a scalar, and
/// ignores the case of action names.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    canonical(a, "") == canonical(b, "")
}

/// Compares two documents; `None` when they mean the same. The difference is text for people: the statements that only
/// one of them has, or both documents when the difference is outside their statements.
pub(crate) fn diff(observed: &Value, declared: &Value) -> Option<Difference<String>> {
    if same(observed, declared) {
        return None;
    }
    if !same(&without_statements(observed), &without_statements(declared)) {
        return Some(Difference { observed: observed.to_string(), declared: declared.to_string() });
    }
    let shown = |statements: Vec<&Value>| match &statements[..] {
        [] => "(none)".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    Some(Difference {
        observed: shown(only_in(observed, declared)),
        declared: shown(only_in(declared, observed)),
    })
}

fn without_statements(document: &Value) -> Value {
    let mut rest = document.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.remove("Statement");
    }
    rest
}

fn only_in<'a>(one: &'a Value, other: &Value) -> Vec<&'a Value> {
    let (one, other) = (statements(one), statements(other));
    one.into_iter().filter(|statement| !other.iter().any(|o| same(statement, o))).collect()
}

/// Returns a document's statements. A single one may stand without a list.
pub(crate) fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Brings a value into one form for each meaning. `key` is the field that holds the value.
fn canonical(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                // AWS returns an empty Sid where none was given.
                .filter(|(name, value)| !(name.as_str() == "Sid" && value.as_str() == Some("")))
                .map(|(name, value)| (name.clone(), canonical(value, name)))
                .collect(),
        ),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| canonical(item, key)).collect();
            items.sort_by_key(ToString::to_string);
            items.dedup();
            match &items[..] {
                [one] => one.clone(),
                _ => Value::Array(items),
            }
        }
        Value::String(text) if key == "Action" || key == "NotAction" => Value::String(text.to_lowercase()),
        // AWS treats condition values as strings.
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The statements of a document that has these, filled in.
    fn filled_in(statements: &str, values: &Placeholders) -> Result<Value> {
        let document = fill(&format!(r#"{{"Statement":{statements}}}"#), values, Vec::new())?;
        Ok(document["Statement"].clone())
    }

    #[test]
    fn placeholders_become_all_their_values() {
        let values =
            [("tables", vec!["t1".to_owned(), "t2".to_owned()]), ("logs", vec!["l".to_owned()])].into();
        let statements = r#"[{"Resource":["${tables}","x"],"One":"${logs}","Own":"${aws:username}"}]"#;
        assert_eq!(
            filled_in(statements, &values).unwrap(),
            json!([{"Resource": ["t1", "t2", "x"], "One": ["l"], "Own": "${aws:username}"}])
        );
        let error = filled_in(r#"[{"Resource":"${table}"}]"#, &values).unwrap_err();
        assert!(error.to_string().contains("${table}; there are ${logs}, ${tables}"), "{error}");
    }

    #[test]
    fn a_placeholder_within_other_text_is_refused() {
        let values: Placeholders = [("tables", vec!["t1".to_owned()])].into();
        for (statement, named) in [
            (r#"{"Resource":"x${tables}y"}"#, "${tables} must be a text of its own"),
            (r#"{"Resource":["${tables}/index/*"]}"#, "${tables} must be a text of its own"),
            (r#"{"Resource":"a/${table}/b"}"#, "nothing is known by the placeholder ${table}"),
            (
                r#"{"Condition":{"StringEquals":{"${tables}":"x"}}}"#,
                "${tables} stands in the name of a field",
            ),
        ] {
            let error = filled_in(&format!("[{statement}]"), &values).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            assert_eq!(error.kind().exit_status().code(), 2);
        }
        let own = r#"[{"Resource":"arn:aws:s3:::b/${aws:username}/${*}${?}${$}x"}]"#;
        assert!(filled_in(own, &values).is_ok());
    }

    #[test]
    fn characters_beyond_latin_1_are_escaped_and_read_back() {
        let document = json!({"Sid": "ü ÿ Ā 🦀 \u{7f}"});
        let text = text(&document);
        assert_eq!(text, "{\"Sid\":\"ü ÿ \\u0100 \\ud83e\\udd80 \u{7f}\"}");
        assert_eq!(decode(&text), Some(document));
    }

    #[test]
    fn a_statement_without_resources_goes() {
        let values = [("tables", Vec::new()), ("logs", vec!["l".to_owned()])].into();
        let statements = r#"[{"Resource":["${tables}"]},{"Resource":"${tables}"},{"Resource":["${logs}"]}]"#;
        assert_eq!(filled_in(statements, &values).unwrap(), json!([{"Resource": ["l"]}]));
        for nothing in [r#"{"Resource":"${tables}"}"#, r#"[{"Resource":["${tables}"]}]"#, "[]", "null"] {
            let error = filled_in(nothing, &values).unwrap_err();
            assert!(error.to_string().contains("no statement of it has a resource"), "{nothing}: {error}");
            assert_eq!(error.kind().exit_status().code(), 2);
        }
    }

    #[test]
    fn one_statement_alone_is_a_list_of_one() {
        let values = [("logs", vec!["l".to_owned()]), ("tables", Vec::new())].into();
        let more = || vec![json!({"Action": "xray:PutTraceSegments", "Resource": "*"})];
        let one = fill(r#"{"Statement":{"Resource":"${logs}"}}"#, &values, more()).unwrap();
        assert_eq!(one, json!({"Statement": [{"Resource": ["l"]}, more()[0]]}));
        let none = fill(r#"{"Statement":{"Resource":"${tables}"}}"#, &values, more()).unwrap();
        assert_eq!(none, json!({"Statement": more()}));
    }

    #[test]
    fn aws_answers_are_percent_decoded() {
        assert_eq!(decode("%7B%22a%22%3A%22x+y%20z%22%7D"), Some(json!({"a": "x+y z"})));
        assert_eq!(decode(r#"{"a":1}"#), Some(json!({"a": 1})));
        assert_eq!(decode("%7"), None);
    }

    #[test]
    fn only_what_differs_is_shown() {
        let statement = |action: &str| json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        let document = |actions: &[&str]| {
            let statements: Vec<Value> = actions.iter().map(|action| statement(action)).collect();
            json!({"Version": "2012-10-17", "Statement": statements})
        };
        let shown = |observed: &Value, declared: &Value| {
            let Difference { observed, declared } = diff(observed, declared).unwrap();
            (observed, declared)
        };
        let removed = (statement("s3:Put").to_string(), "(none)".to_owned());
        assert_eq!(shown(&document(&["s3:Get", "s3:Put"]), &document(&["s3:Get"])), removed);
        let (old, new) = (json!({"Version": "2008-10-17"}), json!({"Version": "2012-10-17"}));
        assert_eq!(shown(&old, &new), (old.to_string(), new.to_string()));
    }

    #[test]
    fn documents_are_compared_by_meaning() {
        let ours = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "", "Effect": "Allow", "Action": ["s3:Get", "s3:Put"], "Resource": ["*"]},
            {"Sid": "b", "Effect": "Deny", "Action": "s3:Del", "Resource": ["x", "y"]},
        ]});
        let same_to_aws = [
            json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "b", "Effect": "Deny", "Action": ["s3:del"], "Resource": ["y", "x"]},
                {"Effect": "Allow", "Action": ["s3:Put", "s3:Get"], "Resource": "*"},
            ]}),
            ours.clone(),
        ];
        for other in same_to_aws {
            assert!(same(&ours, &other), "{other}");
        }
        let different = [
            json!({"Version": "2008-10-17", "Statement": ours["Statement"]}),
            json!({"Version": "2012-10-17", "Statement": [ours["Statement"][0]]}),
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:Get", "s3:Put"], "Resource": "X"}, ours["Statement"][1]
            ]}),
        ];
        for other in different {
            assert!(!same(&ours, &other), "{other}");
        }
    }
}
