//! Checks the parameters of a request against the definition of its operation before anything is sent. A problem names the
//! path of the parameter.
//!
//! DynamoDB checks the rest: expressions, sizes, the keys of the table, and the allowed values of strings.

use std::fmt;

use crate::{
    action::{ATTRIBUTE_TYPES, Field, Shape},
    attribute::Notation,
    event::Call,
    json::Json,
};

/// Returns all problems of a call's parameters. Each problem is a sentence without a full stop.
pub(crate) fn find_problems(call: &Call<'_>) -> Vec<String> {
    let mut checker = Checker { notation: call.notation, problems: Vec::new(), total_length: 0 };
    let name = call.payload.get("TableName").or(call.table);
    checker.check_structure(&Path::Payload, call.action.parameters(), call.payload, name);
    checker.problems
}

/// The maximum number of reported problems. It keeps the answer small.
const MAX_PROBLEMS: usize = 20;

/// The length of all problems, in bytes, after which no more are reported. Each problem can quote a key of some megabytes,
/// and a function may have only 128 MB of memory.
const MAX_PROBLEM_BYTES: usize = 10_000;

struct Checker {
    notation: Notation,
    problems: Vec<String>,
    /// The length of all problems together, in bytes.
    total_length: usize,
}

impl Checker {
    fn report(&mut self, problem: fmt::Arguments<'_>) {
        if self.problems.len() < MAX_PROBLEMS && self.total_length < MAX_PROBLEM_BYTES {
            let problem = problem.to_string();
            self.total_length += problem.len();
            self.problems.push(problem);
        }
    }

    /// `table` is the value of `TableName`, from the payload or from the event. Nested structures have none.
    fn check_structure(
        &mut self,
        path: &Path<'_>,
        fields: &[Field],
        value: &Json<'_>,
        table: Option<&Json<'_>>,
    ) {
        let Some(members) = value.members() else {
            return self.wrong_type(path, "an object", value);
        };
        for field in fields {
            let given = value.get(field.name).or(table.filter(|_| field.name == "TableName"));
            if field.required && given.is_none() {
                self.report(format_args!("Missing required parameter in {path}: \"{}\"", field.name));
            }
        }
        for (key, _) in members {
            if fields.iter().all(|field| field.name != key) {
                let names: Vec<_> = fields.iter().map(|field| field.name).collect();
                self.report(format_args!(
                    "Unknown parameter in {path}: \"{key}\", must be one of: {}",
                    names.join(", ")
                ));
            }
        }
        if let (Some(name), None) = (table, value.get("TableName")) {
            self.check(&Path::Key(path, "TableName"), &Shape::String { min: 1 }, name);
        }
        for (key, value) in members {
            if let Some(field) = fields.iter().find(|field| field.name == key) {
                self.check(&Path::Key(path, key), &field.shape, value);
            }
        }
    }

    fn check(&mut self, path: &Path<'_>, shape: &Shape, value: &Json<'_>) {
        match (shape, value) {
            (Shape::Attribute, value) if self.notation == Notation::Typed => {
                self.check_typed_value(path, value);
            }
            // Any plain JSON is a valid attribute value, so the members of such a map need no check.
            (Shape::Attribute | Shape::Verbatim, _) | (Shape::Boolean, Json::Bool(_)) => {}
            (Shape::Map(Shape::Attribute), Json::Object(_)) if self.notation == Notation::Plain => {}
            (Shape::String { min }, Json::String(text)) => {
                self.check_length(path, text.chars().count(), *min);
            }
            (Shape::Integer { min }, Json::Number(text)) if !text.contains(['.', 'e', 'E']) => {
                self.check_minimum(path, text, *min);
            }
            (Shape::List { min, element }, Json::Array(values)) => {
                self.check_length(path, values.len(), *min);
                for (index, value) in values.iter().enumerate() {
                    self.check(&Path::Index(path, index), element, value);
                }
            }
            (Shape::Map(element), Json::Object(members)) => {
                for (key, value) in members {
                    self.check(&Path::Key(path, key), element, value);
                }
            }
            (Shape::Structure(fields), value) => self.check_structure(path, fields, value, None),
            (Shape::String { .. }, value) => self.wrong_type(path, "a string", value),
            (Shape::Boolean, value) => self.wrong_type(path, "true or false", value),
            (Shape::Integer { .. }, value) => self.wrong_type(path, "a whole number", value),
            (Shape::List { .. }, value) => self.wrong_type(path, "an array", value),
            (Shape::Map(_), value) => self.wrong_type(path, "an object", value),
        }
    }

    /// Checks an attribute value in typed JSON: an object with one member, which is named after the type.
    fn check_typed_value(&mut self, path: &Path<'_>, value: &Json<'_>) {
        const EXPECTED: &str = "an object with one type and its value, such as {\"S\": \"text\"}";
        match value.members() {
            Some([_]) => self.check_structure(path, ATTRIBUTE_TYPES, value, None),
            Some(members) => self.unexpected(path, EXPECTED, &format_args!("{} members", members.len())),
            None => self.wrong_type(path, EXPECTED, value),
        }
    }

    fn wrong_type(&mut self, path: &Path<'_>, expected: &str, value: &Json<'_>) {
        let found: &dyn fmt::Display = match value {
            Json::Number(text) => text,
            other => &other.kind(),
        };
        self.unexpected(path, expected, found);
    }

    fn unexpected(&mut self, path: &Path<'_>, expected: &str, found: &dyn fmt::Display) {
        let payload = match self.notation {
            Notation::Plain => "payload",
            Notation::Typed => "typedPayload",
        };
        self.report(format_args!("{payload}.{path}: expected {expected}, got {found}"));
    }

    fn check_length(&mut self, path: &Path<'_>, length: usize, min: usize) {
        if length < min {
            self.report(format_args!(
                "Invalid length for parameter {path}, value: {length}, valid min length: {min}"
            ));
        }
    }

    fn check_minimum(&mut self, path: &Path<'_>, text: &str, min: i64) {
        // A number beyond `i64` is far below or far above the minimum, depending on its sign.
        let is_valid = text.parse().map_or(!text.starts_with('-'), |value: i64| value >= min);
        if !is_valid {
            self.report(format_args!(
                "Invalid value for parameter {path}, value: {text}, valid min value: {min}"
            ));
        }
    }
}

/// The path of a value in the payload. It becomes text only for a problem, because the paths of deep values with long keys
/// can be much longer than the event.
enum Path<'p> {
    Payload,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload => write!(f, "input"),
            Self::Key(Self::Payload, key) => write!(f, "{key}"),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{action::Action, json::parse};

    fn check(action: Action, payload: &str) -> Vec<String> {
        check_in(Notation::Plain, action, payload)
    }

    fn check_in(notation: Notation, action: Action, payload: &str) -> Vec<String> {
        let table = Some(&Json::String("table".into()));
        find_problems(&Call { action, table, payload: &parse(payload.as_bytes()).unwrap(), notation })
    }

    fn only_problem(action: Action, payload: &str) -> String {
        let problems = check(action, payload);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn accepts_every_parameter_of_every_operation() {
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
        assert_eq!(only_problem(Action::PutItem, "{}"), r#"Missing required parameter in input: "Item""#);
        assert_eq!(
            only_problem(Action::GetItem, r#"{"Key":{},"key":1}"#),
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
            assert_eq!(only_problem(Action::Scan, payload), expected);
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
            assert_eq!(only_problem(Action::Scan, payload), expected);
        }
        assert_eq!(
            check(Action::Scan, r#"{"Limit":99999999999999999999,"Segment":-0}"#),
            Vec::<String>::new()
        );
    }

    #[test]
    fn checks_the_table_name_of_the_event() {
        let payload = &parse(b"{}").unwrap();
        let empty = Json::String("".into());
        for (table, problem) in [
            (Some(&empty), "Invalid length for parameter TableName, value: 0, valid min length: 1"),
            (None, r#"Missing required parameter in input: "TableName""#),
        ] {
            let call = Call { action: Action::Scan, table, payload, notation: Notation::Plain };
            assert_eq!(find_problems(&call), [problem]);
        }
    }

    #[test]
    fn accepts_every_type_of_typed_json() {
        let item = r#"{"Item":{"s":{"S":""},"n":{"N":"1"},"b":{"B":"AA=="},"ss":{"SS":["a"]},"ns":{"NS":["1"]},"bs":{"BS":["AA=="]},"m":{"M":{"l":{"L":[{"NULL":true},{"BOOL":false}]}}}},"Expected":{"a":{"Value":{"S":"x"},"AttributeValueList":[{"N":"1"}]}}}"#;
        assert_eq!(check_in(Notation::Typed, Action::PutItem, item), Vec::<String>::new());
    }

    #[test]
    fn names_the_path_of_invalid_typed_json() {
        for (value, expected) in [
            (
                "1",
                r#"typedPayload.Item.a: expected an object with one type and its value, such as {"S": "text"}, got 1"#,
            ),
            (
                r#"{"S":"x","N":"1"}"#,
                r#"typedPayload.Item.a: expected an object with one type and its value, such as {"S": "text"}, got 2 members"#,
            ),
            (
                r#"{"L":[{"N":"1"},null]}"#,
                r#"typedPayload.Item.a.L[1]: expected an object with one type and its value, such as {"S": "text"}, got null"#,
            ),
            (r#"{"N":1}"#, "typedPayload.Item.a.N: expected a string, got 1"),
            (r#"{"SS":"x"}"#, "typedPayload.Item.a.SS: expected an array, got a string"),
            (r#"{"BS":["AA==",1]}"#, "typedPayload.Item.a.BS[1]: expected a string, got 1"),
            (
                r#"{"M":{"b":{"BOOL":"x"}}}"#,
                "typedPayload.Item.a.M.b.BOOL: expected true or false, got a string",
            ),
            (
                r#"{"s":"x"}"#,
                r#"Unknown parameter in Item.a: "s", must be one of: S, N, B, SS, NS, BS, M, L, NULL, BOOL"#,
            ),
        ] {
            let payload = format!(r#"{{"Item":{{"a":{value}}}}}"#);
            assert_eq!(check_in(Notation::Typed, Action::PutItem, &payload), [expected]);
        }
    }

    #[test]
    fn reports_few_problems_that_quote_long_keys() {
        let wrong: Vec<String> = (0..MAX_PROBLEMS).map(|n| format!(r#""x{n}":0"#)).collect();
        let key = "k".repeat(1_000_000);
        let payload = format!(r#"{{"Expected":{{"{key}":{{{}}}}},"Item":{{}}}}"#, wrong.join(","));
        assert_eq!(check(Action::PutItem, &payload).len(), 1);
    }

    #[test]
    fn limits_the_number_of_problems() {
        let many: Vec<String> = (0..1000).map(|n| format!(r#""p{n}":1"#)).collect();
        assert_eq!(check(Action::Scan, &format!("{{{}}}", many.join(","))).len(), MAX_PROBLEMS);
    }
}
