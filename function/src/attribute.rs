//! Converts attribute values from plain JSON to DynamoDB's typed JSON (`{"S": "x"}`), and back.
//!
//! Types are never inferred: a plain `{"S": "x"}` is a map with the key `S`. Numbers are converted as text, so they
//! keep all their digits.
//!
//! Plain JSON has neither sets nor binary values. A request that needs them uses typed JSON for all its attribute values
//! (`Notation`).
//!
//! Typed JSON: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>.

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use crate::json::{Json, Member, Number, is_number};

/// The notation of the attribute values in a request and in its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Plain JSON, such as `"x"`.
    Plain,
    /// DynamoDB's typed JSON, such as `{"S": "x"}`.
    Typed,
}

/// Serializes plain JSON as typed JSON.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'j>(pub &'j Json<'j>);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            Json::Null => map.serialize_entry("NULL", &true),
            Json::Bool(value) => map.serialize_entry("BOOL", value),
            Json::Number(text) => map.serialize_entry("N", text),
            Json::String(text) => map.serialize_entry("S", text),
            Json::Array(values) => map.serialize_entry("L", &Elements(values, Typed)),
            Json::Object(members) => map.serialize_entry("M", &Members(members, Typed)),
        }?;
        map.end()
    }
}

/// Serializes typed JSON as plain JSON: a set becomes an array, a binary value its Base64 text.
///
/// Fails if the value is not typed JSON.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'j>(pub &'j Json<'j>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some([(tag, value)]) = self.0.members() else {
            return Err(S::Error::custom("an attribute value that is not an object with one member"));
        };
        match (tag.as_ref(), value) {
            ("NULL", _) => serializer.serialize_unit(),
            ("BOOL", Json::Bool(value)) => serializer.serialize_bool(*value),
            ("N", Json::String(text)) => StoredNumber(text).serialize(serializer),
            ("S" | "B", Json::String(text)) => serializer.serialize_str(text),
            ("L", Json::Array(values)) => Elements(values, Plain).serialize(serializer),
            ("M", Json::Object(members)) => Members(members, Plain).serialize(serializer),
            ("SS" | "BS", Json::Array(_)) => value.serialize(serializer),
            ("NS", Json::Array(values)) => {
                let numbers: Option<Vec<_>> =
                    values.iter().map(|value| value.text().map(StoredNumber)).collect();
                numbers
                    .ok_or_else(|| S::Error::custom("a set of numbers with an element that is not a number"))?
                    .serialize(serializer)
            }
            _ => Err(S::Error::custom("an attribute value of an unknown type")),
        }
    }
}

/// Serializes the text of a stored number.
///
/// Numbers of DynamoDB are valid JSON numbers. Some emulators store any text, such as `+5`. This is serialized as a
/// string, because the answer has to be JSON.
struct StoredNumber<'j>(&'j str);

impl Serialize for StoredNumber<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_number(self.0) {
            Number(self.0).serialize(serializer)
        } else {
            serializer.serialize_str(self.0)
        }
    }
}

/// Serializes an array, with each value converted.
struct Elements<'j, W>(&'j [Json<'j>], fn(&'j Json<'j>) -> W);

impl<W: Serialize> Serialize for Elements<'_, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

/// Serializes an object, with each value converted.
struct Members<'j, W>(&'j [Member<'j>], fn(&'j Json<'j>) -> W);

impl<W: Serialize> Serialize for Members<'_, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, (self.1)(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn typed(plain: &str) -> String {
        serde_json::to_string(&Typed(&parse(plain.as_bytes()).unwrap())).unwrap()
    }

    fn plain(typed: &str) -> Result<String, String> {
        let typed = parse(typed.as_bytes()).unwrap();
        serde_json::to_string(&Plain(&typed)).map_err(|error| error.to_string())
    }

    #[test]
    fn converts_every_type_of_plain_json_both_ways() {
        for (json, attribute) in [
            ("null", r#"{"NULL":true}"#),
            ("false", r#"{"BOOL":false}"#),
            ("5", r#"{"N":"5"}"#),
            (r#""x\u0000é""#, r#"{"S":"x\u0000é"}"#),
            ("[]", r#"{"L":[]}"#),
            ("{}", r#"{"M":{}}"#),
            (
                r#"{"z":[1,{"":"a"}],"a":null}"#,
                r#"{"M":{"z":{"L":[{"N":"1"},{"M":{"":{"S":"a"}}}]},"a":{"NULL":true}}}"#,
            ),
        ] {
            assert_eq!(typed(json), attribute);
            assert_eq!(plain(attribute).as_deref(), Ok(json));
        }
    }

    #[test]
    fn does_not_infer_typed_json() {
        assert_eq!(typed(r#"{"S":"x"}"#), r#"{"M":{"S":{"S":"x"}}}"#);
    }

    #[test]
    fn numbers_keep_their_text() {
        for number in
            ["-0", "5.0", "1e3", "1E+2", "0.0000001", "99999999999999999999999999999999999999", "1e400"]
        {
            assert_eq!(typed(number), format!(r#"{{"N":"{number}"}}"#));
            assert_eq!(plain(&typed(number)).as_deref(), Ok(number));
        }
    }

    #[test]
    fn converts_sets_to_arrays_and_binary_values_to_base64() {
        assert_eq!(plain(r#"{"SS":["b","a"]}"#).as_deref(), Ok(r#"["b","a"]"#));
        assert_eq!(plain(r#"{"NS":["1","2.50"]}"#).as_deref(), Ok("[1,2.50]"));
        assert_eq!(plain(r#"{"BS":["AA=="]}"#).as_deref(), Ok(r#"["AA=="]"#));
        assert_eq!(plain(r#"{"L":[{"B":"AA=="}]}"#).as_deref(), Ok(r#"["AA=="]"#));
    }

    #[test]
    fn converts_an_invalid_json_number_to_a_string() {
        assert_eq!(plain(r#"{"N":"+5"}"#).as_deref(), Ok(r#""+5""#));
    }

    #[test]
    fn refuses_invalid_attribute_values() {
        for invalid in ["5", "{}", r#"{"S":"a","N":"1"}"#, r#"{"S":5}"#, r#"{"X":"a"}"#, r#"{"NS":[1]}"#] {
            assert!(plain(invalid).is_err(), "{invalid}");
        }
    }
}
