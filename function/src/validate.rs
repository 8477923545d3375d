//! Checks a request's parameters against an operation's table, so that a wrong one is refused by its name and
//! path before anything is sent.
//!
//! What only DynamoDB knows (expressions, sizes, the table's keys, which values a text may have) is left to it.

use std::fmt::Display;

use crate::{
    action::{Action, Field, Shape},
    json::Json,
};

/// Everything wrong with the parameters, or nothing. Each problem is a sentence without a full stop.
///
/// `table` is the event's own table name, for a payload without `TableName`.
pub(crate) fn problems(action: Action, table: Option<&Json<'_>>, payload: &Json<'_>) -> Vec<String> {
    let mut checker = Checker::default();
    let name = payload.get("TableName").or(table);
    checker.structure("", action.parameters(), payload, name);
    checker.problems
}

/// More problems than this are not reported: nobody reads them, and the answer has to stay small.
const ENOUGH: usize = 20;

#[derive(Default)]
struct Checker {
    problems: Vec<String>,
}

impl Checker {
    fn report(&mut self, problem: String) {
        if self.problems.len() < ENOUGH {
            self.problems.push(problem);
        }
    }

    /// `table` is the value of `TableName`, wherever it comes from; nested structures have none.
    fn structure(&mut self, path: &str, fields: &[Field], value: &Json<'_>, table: Option<&Json<'_>>) {
        let Some(members) = value.members() else {
            return self.wrong_type(path, "an object", value);
        };
        let place = if path.is_empty() { "input" } else { path };
        for field in fields {
            let given = value.get(field.name).or(table.filter(|_| field.name == "TableName"));
            if field.required && given.is_none() {
                self.report(format!("Missing required parameter in {place}: \"{}\"", field.name));
            }
        }
        for (key, _) in members {
            if fields.iter().all(|field| field.name != key) {
                let names: Vec<_> = fields.iter().map(|field| field.name).collect();
                self.report(format!(
                    "Unknown parameter in {place}: \"{key}\", must be one of: {}",
                    names.join(", ")
                ));
            }
        }
        if let (Some(name), None) = (table, value.get("TableName")) {
            self.check("TableName", &Shape::Text { min: 1 }, name);
        }
        for (key, value) in members {
            if let Some(field) = fields.iter().find(|field| field.name == key) {
                self.check(&join(path, key), &field.shape, value);
            }
        }
    }

    fn check(&mut self, path: &str, shape: &Shape, value: &Json<'_>) {
        match (shape, value) {
            // Nothing can be wrong with attribute values, so a map of them is not walked through.
            (Shape::Attribute | Shape::Verbatim, _)
            | (Shape::Map(Shape::Attribute), Json::Object(_))
            | (Shape::Flag, Json::Bool(_)) => {}
            (Shape::Text { min }, Json::String(text)) => self.length(path, text.chars().count(), *min),
            (Shape::Integer { min }, Json::Number(text)) if !text.contains(['.', 'e', 'E']) => {
                self.range(path, text, *min);
            }
            (Shape::List { min, of }, Json::Array(values)) => {
                self.length(path, values.len(), *min);
                for (at, value) in values.iter().enumerate() {
                    self.check(&format!("{path}[{at}]"), of, value);
                }
            }
            (Shape::Map(of), Json::Object(members)) => {
                for (key, value) in members {
                    self.check(&join(path, key), of, value);
                }
            }
            (Shape::Structure(fields), value) => self.structure(path, fields, value, None),
            (Shape::Text { .. }, value) => self.wrong_type(path, "a string", value),
            (Shape::Flag, value) => self.wrong_type(path, "true or false", value),
            (Shape::Integer { .. }, value) => self.wrong_type(path, "a whole number", value),
            (Shape::List { .. }, value) => self.wrong_type(path, "an array", value),
            (Shape::Map(_), value) => self.wrong_type(path, "an object", value),
        }
    }

    fn wrong_type(&mut self, path: &str, expected: &str, value: &Json<'_>) {
        let found: &dyn Display = match value {
            Json::Number(text) => text,
            other => &other.kind(),
        };
        self.report(format!("payload.{path}: expected {expected}, got {found}"));
    }

    fn length(&mut self, path: &str, length: usize, min: usize) {
        if length < min {
            self.report(format!(
                "Invalid length for parameter {path}, value: {length}, valid min length: {min}"
            ));
        }
    }

    fn range(&mut self, path: &str, text: &str, min: i64) {
        // A number too large to read is far from zero, on the side of its sign.
        let fits = text.parse().map_or(!text.starts_with('-'), |value: i64| value >= min);
        if !fits {
            self.report(format!("Invalid value for parameter {path}, value: {text}, valid min value: {min}"));
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn check(action: Action, payload: &str) -> Vec<String> {
        problems(action, Some(&Json::String("table".into())), &parse(payload.as_bytes()).unwrap())
    }

    fn one(action: Action, payload: &str) -> String {
        let found = check(action, payload);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn takes_every_parameter_of_every_operation() {
        for (action, payload) in [
            (
                Action::PutItem,
                r#"{"TableName":"t","Item":{"id":{"S":1}},"Expected":{"id":{"Value":1,"Exists":true,"ComparisonOperator":"EQ","AttributeValueList":[1,"a"]}},"ReturnValues":"NONE","ReturnConsumedCapacity":"NONE","ReturnItemCollectionMetrics":"SIZE","ConditionalOperator":"OR","ConditionExpression":"a","ExpressionAttributeNames":{"n":"b"},"ExpressionAttributeValues":{":a":null},"ReturnValuesOnConditionCheckFailure":"NONE"}"#,
            ),
            (
                Action::GetItem,
                r#"{"Key":{},"AttributesToGet":["a"],"ConsistentRead":false,"ReturnConsumedCapacity":"NONE","ProjectionExpression":"a","ExpressionAttributeNames":{}}"#,
            ),
            (
                Action::UpdateItem,
                r#"{"Key":{"id":1},"AttributeUpdates":{"a":{"Value":1,"Action":"ADD"}},"Expected":{},"ConditionalOperator":"AND","ReturnValues":"x","ReturnConsumedCapacity":"x","ReturnItemCollectionMetrics":"x","UpdateExpression":"","ConditionExpression":"","ExpressionAttributeNames":{},"ExpressionAttributeValues":{},"ReturnValuesOnConditionCheckFailure":""}"#,
            ),
            (
                Action::DeleteItem,
                r#"{"Key":{"id":1},"Expected":{},"ConditionalOperator":"AND","ReturnValues":"x","ReturnConsumedCapacity":"x","ReturnItemCollectionMetrics":"x","ConditionExpression":"","ExpressionAttributeNames":{},"ExpressionAttributeValues":{},"ReturnValuesOnConditionCheckFailure":""}"#,
            ),
            (
                Action::Scan,
                r#"{"IndexName":"abc","AttributesToGet":["a"],"Limit":1,"Select":"COUNT","ScanFilter":{"a":{"ComparisonOperator":"NULL","AttributeValueList":[]}},"ConditionalOperator":"OR","ExclusiveStartKey":{"id":1},"ReturnConsumedCapacity":"TOTAL","TotalSegments":1,"Segment":0,"ProjectionExpression":"a","FilterExpression":"a","ExpressionAttributeNames":{},"ExpressionAttributeValues":{},"ConsistentRead":true}"#,
            ),
        ] {
            assert_eq!(check(action, payload), Vec::<String>::new());
        }
    }

    #[test]
    fn names_missing_and_unknown_parameters() {
        assert_eq!(one(Action::PutItem, "{}"), r#"Missing required parameter in input: "Item""#);
        assert_eq!(
            one(Action::GetItem, r#"{"Key":{},"key":1}"#),
            r#"Unknown parameter in input: "key", must be one of: TableName, Key, AttributesToGet, ConsistentRead, ReturnConsumedCapacity, ProjectionExpression, ExpressionAttributeNames"#
        );
        assert_eq!(
            check(Action::Scan, r#"{"ScanFilter":{"a":{"Op":1}}}"#),
            [
                r#"Missing required parameter in ScanFilter.a: "ComparisonOperator""#,
                r#"Unknown parameter in ScanFilter.a: "Op", must be one of: AttributeValueList, ComparisonOperator"#,
            ]
        );
    }

    #[test]
    fn names_the_path_of_a_wrong_type() {
        for (payload, expected) in [
            (r#"{"Limit":"1"}"#, "payload.Limit: expected a whole number, got a string"),
            (r#"{"Limit":1.0}"#, "payload.Limit: expected a whole number, got 1.0"),
            (r#"{"Limit":1e1}"#, "payload.Limit: expected a whole number, got 1e1"),
            (r#"{"Limit":true}"#, "payload.Limit: expected a whole number, got a boolean"),
            (r#"{"Limit":null}"#, "payload.Limit: expected a whole number, got null"),
            (r#"{"ConsistentRead":1}"#, "payload.ConsistentRead: expected true or false, got 1"),
            (r#"{"Select":5}"#, "payload.Select: expected a string, got 5"),
            (r#"{"AttributesToGet":"a"}"#, "payload.AttributesToGet: expected an array, got a string"),
            (r#"{"AttributesToGet":["a",1]}"#, "payload.AttributesToGet[1]: expected a string, got 1"),
            (r#"{"ExclusiveStartKey":[]}"#, "payload.ExclusiveStartKey: expected an object, got an array"),
            (r#"{"ScanFilter":{"a":1}}"#, "payload.ScanFilter.a: expected an object, got 1"),
            (
                r##"{"ExpressionAttributeNames":{"#a":1}}"##,
                "payload.ExpressionAttributeNames.#a: expected a string, got 1",
            ),
            (r#"{"TableName":5}"#, "payload.TableName: expected a string, got 5"),
        ] {
            assert_eq!(one(Action::Scan, payload), expected);
        }
    }

    #[test]
    fn checks_lengths_and_ranges() {
        for (payload, expected) in [
            (r#"{"TableName":""}"#, "Invalid length for parameter TableName, value: 0, valid min length: 1"),
            (
                r#"{"IndexName":"é☃"}"#,
                "Invalid length for parameter IndexName, value: 2, valid min length: 3",
            ),
            (
                r#"{"AttributesToGet":[]}"#,
                "Invalid length for parameter AttributesToGet, value: 0, valid min length: 1",
            ),
            (r#"{"Limit":0}"#, "Invalid value for parameter Limit, value: 0, valid min value: 1"),
            (r#"{"Segment":-1}"#, "Invalid value for parameter Segment, value: -1, valid min value: 0"),
            (
                r#"{"Limit":-99999999999999999999}"#,
                "Invalid value for parameter Limit, value: -99999999999999999999, valid min value: 1",
            ),
        ] {
            assert_eq!(one(Action::Scan, payload), expected);
        }
        assert_eq!(
            check(Action::Scan, r#"{"Limit":99999999999999999999,"Segment":-0}"#),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_events_own_table_name_is_checked_too() {
        let payload = parse(b"{}").unwrap();
        let empty = Json::String("".into());
        assert_eq!(
            problems(Action::Scan, Some(&empty), &payload),
            ["Invalid length for parameter TableName, value: 0, valid min length: 1"]
        );
        assert_eq!(
            problems(Action::Scan, None, &payload),
            [r#"Missing required parameter in input: "TableName""#]
        );
    }

    #[test]
    fn stops_reporting_after_enough() {
        let many: Vec<String> = (0..1000).map(|n| format!(r#""p{n}":1"#)).collect();
        assert_eq!(check(Action::Scan, &format!("{{{}}}", many.join(","))).len(), ENOUGH);
    }
}
