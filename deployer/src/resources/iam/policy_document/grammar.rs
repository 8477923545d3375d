//! Finds what IAM would refuse in a role's policy before anything is changed. Sources: "Grammar of the IAM JSON policy
//! language" and "IAM and AWS STS quotas" in IAM's user guide.

use super::{statements, text};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The longest managed policy, in characters without white space.
const LONGEST: usize = 6144;

const FIELDS: [&str; 3] = ["Version", "Id", "Statement"];
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];
const STATEMENT_FIELDS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Returns everything that is wrong with a document after its placeholders are filled in. Each entry is a sentence
/// without its full stop.
pub(crate) fn mistakes(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in document.as_object().into_iter().flat_map(Map::keys).filter(|key| !FIELDS.contains(&&***key)) {
        found.push(format!("the document has the field {key}, and there are only {}", FIELDS.join(", ")));
    }
    let version = document.get("Version");
    if version.is_some_and(|version| !version.as_str().is_some_and(|text| VERSIONS.contains(&text))) {
        found.push(format!("Version must be \"{}\" or \"{}\"", VERSIONS[0], VERSIONS[1]));
    }
    if document.get("Id").is_some_and(|id| !id.is_string()) {
        found.push("Id must be text".to_owned());
    }
    let mut sids = BTreeSet::new();
    for (i, statement) in statements(document).into_iter().enumerate() {
        let place = format!("statement {}", i + 1);
        match statement.as_object() {
            None => found.push(format!("{place} must be an object like {{\"Effect\": \"Allow\", …}}")),
            Some(statement) => {
                found.extend(
                    of_statement(statement, &mut sids).into_iter().map(|what| format!("{place}: {what}")),
                );
            }
        }
    }
    let length = text(document).chars().filter(|c| !c.is_whitespace()).count();
    if length > LONGEST {
        found.push(format!(
            "it has {length} characters without white space, and IAM takes {LONGEST}: grant with patterns in place of \
             lists, or give functions roles and tables of their own"
        ));
    }
    found
}

fn of_statement<'a>(statement: &'a Map<String, Value>, sids: &mut BTreeSet<&'a str>) -> Vec<String> {
    let mut found = Vec::new();
    for key in statement.keys().filter(|key| !STATEMENT_FIELDS.contains(&key.as_str())) {
        found.push(match key.as_str() {
            "Principal" | "NotPrincipal" => {
                format!("{key} does not belong into a role's policy, which is about that role")
            }
            _ => format!("there is no field {key}, only {}", STATEMENT_FIELDS.join(", ")),
        });
    }
    if let Some(sid) = statement.get("Sid") {
        match sid.as_str() {
            Some(sid) if !sid.chars().all(|c| c.is_ascii_alphanumeric()) => {
                found.push(format!("Sid must be of letters and digits only, and {sid:?} is not"));
            }
            Some(sid) if !sid.is_empty() && !sids.insert(sid) => {
                found.push(format!("Sid must be another one for each statement, and {sid} is taken"));
            }
            Some(_) => {}
            None => found.push("Sid must be text".to_owned()),
        }
    }
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        found.push("Effect must be \"Allow\" or \"Deny\"".to_owned());
    }
    found.extend(one_of(statement, "Action", "NotAction", is_action, "an action like \"dynamodb:GetItem\""));
    found.extend(one_of(statement, "Resource", "NotResource", is_resource, "an ARN or \"*\""));
    if let Some(condition) = statement.get("Condition").filter(|condition| !is_condition(condition)) {
        found.push(format!(
            "Condition must be like {{\"StringEquals\": {{\"aws:RequestedRegion\": \"eu-west-1\"}}}}, and is {condition}"
        ));
    }
    found
}

/// Checks that exactly one of two fields is present, with a valid text or list of texts.
fn one_of(
    statement: &Map<String, Value>,
    field: &str,
    negated: &str,
    is_in_order: fn(&str) -> bool,
    what: &str,
) -> Vec<String> {
    let (name, value) = match (statement.get(field), statement.get(negated)) {
        (Some(_), Some(_)) => return vec![format!("{field} and {negated} exclude each other")],
        (None, None) => return vec![format!("{field} is missing")],
        (Some(value), None) => (field, value),
        (None, Some(value)) => (negated, value),
    };
    let values = match value {
        Value::Array(values) if values.is_empty() => return vec![format!("{name} must not be empty")],
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    };
    let wrong = values.into_iter().filter(|value| !value.as_str().is_some_and(is_in_order));
    wrong.map(|value| format!("{name} must be {what}, and {value} is not")).collect()
}

fn is_action(action: &str) -> bool {
    let name = |text: &str, also: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    action == "*"
        || action.split_once(':').is_some_and(|(service, action)| name(service, "-") && name(action, "*?"))
}

fn is_resource(resource: &str) -> bool {
    resource == "*" || resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6
}

/// Whether this is a valid condition block: operators, each with keys, each with a value or a list of values.
fn is_condition(condition: &Value) -> bool {
    let is_value = |value: &Value| value.is_string() || value.is_boolean() || value.is_number();
    let are_values = |value: &Value| match value {
        Value::Array(values) => values.iter().all(is_value),
        one => is_value(one),
    };
    condition.as_object().is_some_and(|operators| {
        operators.values().all(|keys| keys.as_object().is_some_and(|keys| keys.values().all(are_values)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let statement =
            json!({ "Sid": "a1", "Effect": "Allow", "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::b/*" });
        let mut document = json!({ "Version": "2012-10-17", "Statement": [statement] });
        change(&mut document);
        mistakes(&document)
    }

    #[test]
    fn accepts_what_iam_accepts() {
        let accepted: [fn(&mut Value); 8] = [
            |_| (),
            |document| drop(document.as_object_mut().unwrap().remove("Version")),
            |document| document["Id"] = json!("x-1"),
            |document| document["Statement"] = document["Statement"][0].clone(),
            |document| document["Statement"][0]["Sid"] = json!(""),
            |document| document["Statement"][0]["Action"] = json!("*"),
            |document| document["Statement"][0]["Resource"] = json!(["*", "arn:aws:sqs:*:*:${aws:username}"]),
            |document| {
                document["Statement"][0]["Condition"] =
                    json!({ "Bool": { "aws:SecureTransport": true }, "StringLike": { "aws:x": ["a", "b"] } });
            },
        ];
        for (i, change) in accepted.into_iter().enumerate() {
            assert_eq!(with(change), Vec::<String>::new(), "{i}");
        }
        for policy in [
            include_str!("../../../../../policies/lambda-apigateway-policy.json"),
            include_str!("../../../../../policies/deployer-policy.json"),
        ] {
            let document: Value = serde_json::from_str(policy).unwrap();
            let about_placeholders = |what: &String| what.contains("${") || what.contains("characters");
            let found: Vec<String> =
                mistakes(&document).into_iter().filter(|what| !about_placeholders(what)).collect();
            assert_eq!(found, Vec::<String>::new());
        }
    }

    #[test]
    fn refuses_what_iam_refuses() {
        let refused: [(fn(&mut Value), &str); 17] = [
            (|document| document["Statements"] = json!([]), "the document has the field Statements"),
            (|document| document["Version"] = json!("2026-01-01"), "Version must be"),
            (|document| document["Id"] = json!(1), "Id must be text"),
            (|document| document["Statement"][0] = json!("Allow"), "statement 1 must be an object"),
            (|document| document["Statement"][0]["Principal"] = json!("*"), "Principal does not belong"),
            (|document| document["Statement"][0]["effect"] = json!("Allow"), "there is no field effect"),
            (|document| document["Statement"][0]["Sid"] = json!("a b"), "Sid must be of letters and digits"),
            (|document| document["Statement"][0]["Sid"] = json!(7), "Sid must be text"),
            (
                |document| {
                    let again = document["Statement"][0].clone();
                    document["Statement"].as_array_mut().unwrap().push(again);
                },
                "statement 2: Sid must be another one",
            ),
            (|document| document["Statement"][0]["Effect"] = json!("allow"), "Effect must be"),
            (|document| document["Statement"][0]["Action"] = json!("GetItem"), "Action must be an action"),
            (|document| document["Statement"][0]["Action"] = json!([]), "Action must not be empty"),
            (|document| document["Statement"][0]["NotAction"] = json!("s3:*"), "exclude each other"),
            (
                |document| drop(document["Statement"][0].as_object_mut().unwrap().remove("Resource")),
                "Resource is missing",
            ),
            (|document| document["Statement"][0]["Resource"] = json!("my-table"), "Resource must be an ARN"),
            (
                |document| document["Statement"][0]["Condition"] = json!({ "Bool": true }),
                "Condition must be like",
            ),
            (
                |document| document["Statement"][0]["Resource"] = json!(vec!["arn:aws:s3:::bucket"; 400]),
                "characters without white space, and IAM takes 6144",
            ),
        ];
        for (change, expected) in refused {
            let found = with(change);
            assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
        }
    }
}
