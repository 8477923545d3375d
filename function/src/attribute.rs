//! Converts attribute values from plain JSON to DynamoDB's typed JSON (`{"S": "x"}`), and back.
//!
//! Types are never guessed: a plain `{"S": "x"}` is a map with the key `S`. Numbers keep their digits, because they
//! are converted as text.
//!
//! Plain JSON has no sets and no binaries. A request that needs them is written in typed JSON as a whole, and says
//! so (`Notation`).
//!
//! Typed JSON: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>.

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use crate::json::{Json, Member, Number, is_number};

/// How a request writes its attribute values, and how its answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// As the JSON that they are.
    Plain,
    /// As DynamoDB does, each with its type.
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
            Json::Array(values) => map.serialize_entry("L", &Each(values, Typed)),
            Json::Object(members) => map.serialize_entry("M", &Members(members, Typed)),
        }?;
        map.end()
    }
}

/// Serializes typed JSON as plain JSON: a set becomes an array, a binary its Base64 text.
///
/// Fails if the value is not typed JSON.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'j>(pub &'j Json<'j>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some([(tag, value)]) = self.0.members() else {
            return Err(S::Error::custom("an attribute value that is no object of one member"));
        };
        match (tag.as_ref(), value) {
            ("NULL", _) => serializer.serialize_unit(),
            ("BOOL", Json::Bool(value)) => serializer.serialize_bool(*value),
            ("N", Json::String(text)) => Digits(text).serialize(serializer),
            ("S" | "B", Json::String(text)) => serializer.serialize_str(text),
            ("L", Json::Array(values)) => Each(values, Plain).serialize(serializer),
            ("M", Json::Object(members)) => Members(members, Plain).serialize(serializer),
            ("SS" | "BS", Json::Array(_)) => value.serialize(serializer),
            ("NS", Json::Array(values)) => {
                let digits: Option<Vec<_>> = values.iter().map(|value| value.text().map(Digits)).collect();
                digits
                    .ok_or_else(|| S::Error::custom("a set of numbers that holds something else"))?
                    .serialize(serializer)
            }
            _ => Err(S::Error::custom("an attribute value of an unknown type")),
        }
    }
}

/// The text of a stored number.
///
/// DynamoDB's numbers are numbers in JSON too. Some emulators store what they were given, such as `+5`, which becomes a
/// string, because the answer has to be JSON.
struct Digits<'j>(&'j str);

impl Serialize for Digits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_number(self.0) {
            Number(self.0).serialize(serializer)
        } else {
            serializer.serialize_str(self.0)
        }
    }
}

/// Serializes an array, with each value converted.
struct Each<'j, W>(&'j [Json<'j>], fn(&'j Json<'j>) -> W);

impl<W: Serialize> Serialize for Each<'_, W> {
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
    fn typed_json_is_not_guessed() {
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
    fn sets_become_arrays_and_binaries_base64() {
        assert_eq!(plain(r#"{"SS":["b","a"]}"#).as_deref(), Ok(r#"["b","a"]"#));
        assert_eq!(plain(r#"{"NS":["1","2.50"]}"#).as_deref(), Ok("[1,2.50]"));
        assert_eq!(plain(r#"{"BS":["AA=="]}"#).as_deref(), Ok(r#"["AA=="]"#));
        assert_eq!(plain(r#"{"L":[{"B":"AA=="}]}"#).as_deref(), Ok(r#"["AA=="]"#));
    }

    #[test]
    fn a_number_that_json_does_not_have_becomes_a_string() {
        assert_eq!(plain(r#"{"N":"+5"}"#).as_deref(), Ok(r#""+5""#));
    }

    #[test]
    fn refuses_what_is_not_an_attribute_value() {
        for bad in ["5", "{}", r#"{"S":"a","N":"1"}"#, r#"{"S":5}"#, r#"{"X":"a"}"#, r#"{"NS":[1]}"#] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
