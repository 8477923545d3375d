//! JSON values that keep the exact text of numbers and the order of keys. A value borrows from the text that it was
//! parsed from.
//!
//! `serde_json::Value` changes numbers: it rounds them to a float, or rewrites their exponents with
//! `arbitrary_precision`.

mod parse;

use std::borrow::Cow;

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

pub use parse::{MAX_DEPTH, ParseError, is_number, parse};

/// A member of an object: its key and its value.
pub type Member<'a> = (Cow<'a, str>, Json<'a>);

/// A JSON value.
///
/// Every value takes 24 bytes. An event may be 6 MB of `[0,0,0,…]`, and the smallest Lambda function has 128 MB of
/// memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with its exact text, which follows JSON's grammar.
    Number(&'a str),
    /// A string, with its escapes resolved.
    String(Cow<'a, str>),
    /// An array.
    Array(Box<[Json<'a>]>),
    /// An object. No key occurs twice.
    Object(Box<[Member<'a>]>),
}

impl<'a> Json<'a> {
    /// Returns the value of a member, if this is an object that has it. The search is linear.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.members()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the members, if this is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member<'a>]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the text, if this is a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the kind of the value with its article, such as `a number`, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(text) => Number(text).serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// Serializes as a number with exactly this text. Fails if the text is not a JSON number.
pub(crate) struct Number<'a>(pub(crate) &'a str);

impl Serialize for Number<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_24_bytes() {
        assert_eq!(size_of::<Json<'_>>(), 24);
    }

    #[test]
    fn serializes_values_to_the_text_they_were_parsed_from() {
        for text in [
            "null",
            "true",
            "-0",
            "1E400",
            "12345678901234567890.123456789",
            "[]",
            "{}",
            r#"{"z":1,"a":[null,false,1e3],"m":{"":"\n\"\\é😀"}}"#,
        ] {
            let json = parse(text.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&json).unwrap(), text);
        }
    }

    #[test]
    fn finds_members_by_name() {
        let json = parse(br#"{"a":1,"b":"x"}"#).unwrap();
        assert_eq!(json.get("b").and_then(Json::text), Some("x"));
        assert_eq!(json.get("c"), None);
        assert_eq!(Json::Null.get("a"), None);
    }
}
