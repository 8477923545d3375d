//! Parses JSON (RFC 8259) strictly and within bounds. Strings without escapes are borrowed, not copied.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
};

use super::{Json, Member};

/// The maximum depth of nested arrays and objects. It keeps parsing, serializing and dropping a value from exhausting the
/// stack. Python's parser has about the same limit.
pub const MAX_DEPTH: usize = 900;

/// The maximum number of keys that are compared pairwise. A hash set is slower for so few keys.
const MAX_PAIRWISE_KEYS: usize = 8;

/// A syntax error with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    reason: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.reason, self.line, self.column)
    }
}

impl std::error::Error for ParseError {}

/// Parses one JSON value, which only white space may surround.
///
/// If a key occurs twice in an object, the last value wins and takes the position of the first.
///
/// # Errors
///
/// The text is not UTF-8, is not JSON, is nested deeper than [`MAX_DEPTH`], or escapes an unpaired surrogate, which a
/// Rust string cannot hold.
pub fn parse(text: &[u8]) -> Result<Json<'_>, ParseError> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(error_at("invalid UTF-8", text, error.valid_up_to())),
    };
    let mut parser = Parser { text, position: 0, depth: 0 };
    parser.document().map_err(|reason| error_at(reason, text.as_bytes(), parser.position))
}

/// Returns whether a text is a number in JSON's grammar.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let mut parser = Parser { text, position: 0, depth: 0 };
    parser.number().is_ok() && parser.position == text.len()
}

fn error_at(reason: &'static str, text: &[u8], position: usize) -> ParseError {
    let before = text.get(..position).unwrap_or(text);
    let lines = before.split(|&byte| byte == b'\n');
    let last = lines.clone().next_back().unwrap_or_default();
    ParseError {
        reason,
        line: lines.count(),
        // A column counts characters, so UTF-8 continuation bytes are skipped.
        column: last.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1,
    }
}

/// The state of parsing. After an error, `position` is the position of the error, in bytes.
struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn document(&mut self) -> Parsed<Json<'a>> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err("unexpected text after the value"),
        }
    }

    fn value(&mut self) -> Parsed<Json<'a>> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            Some(b'n') => self.literal("null", Json::Null),
            Some(_) => Err("expected a value"),
            None => Err("expected a value, found the end of the text"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<Json<'a>>) -> Parsed<Json<'a>> {
        if self.depth == MAX_DEPTH {
            return Err("arrays and objects are nested too deeply");
        }
        self.depth += 1;
        self.position += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Parsed<Json<'a>> {
        let mut values = Vec::new();
        self.skip_space();
        if self.consume(b']') {
            return Ok(Json::Array(values.into_boxed_slice()));
        }
        loop {
            push(&mut values, self.value()?);
            self.skip_space();
            if self.consume(b']') {
                return Ok(Json::Array(values.into_boxed_slice()));
            }
            self.expect(b',', "expected `,` or `]`")?;
        }
    }

    fn object(&mut self) -> Parsed<Json<'a>> {
        let mut members = Vec::new();
        self.skip_space();
        if self.consume(b'}') {
            return Ok(Json::Object(members.into_boxed_slice()));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err("expected a key in double quotes");
            }
            let key = self.string()?;
            self.skip_space();
            self.expect(b':', "expected `:`")?;
            push(&mut members, (key, self.value()?));
            self.skip_space();
            if self.consume(b'}') {
                return Ok(Json::Object(remove_duplicate_keys(members).into_boxed_slice()));
            }
            self.expect(b',', "expected `,` or `}`")?;
        }
    }

    fn literal(&mut self, literal: &str, value: Json<'a>) -> Parsed<Json<'a>> {
        if self.rest().starts_with(literal) {
            self.position += literal.len();
            Ok(value)
        } else {
            Err("expected a value")
        }
    }

    fn number(&mut self) -> Parsed<&'a str> {
        let start = self.position;
        self.consume(b'-');
        if !self.consume(b'0') {
            self.digits()?;
        }
        if self.consume(b'.') {
            self.digits()?;
        }
        if self.consume(b'e') || self.consume(b'E') {
            let _sign = self.consume(b'+') || self.consume(b'-');
            self.digits()?;
        }
        self.slice(start)
    }

    fn digits(&mut self) -> Parsed<()> {
        let start = self.position;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        if self.position == start { Err("expected a digit") } else { Ok(()) }
    }

    /// Parses a string from its opening quote. Borrows it if it has no escapes.
    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        self.position += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let plain = self.plain_text()?;
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    text.push(self.escape()?);
                }
                Some(_) => return Err("unescaped control character in a string"),
                None => return Err("unterminated string"),
            }
        }
    }

    /// Parses the text before the next quote, backslash or control character.
    fn plain_text(&mut self) -> Parsed<&'a str> {
        let start = self.position;
        let rest = self.rest().as_bytes();
        let end = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\');
        self.position += end.unwrap_or(rest.len());
        self.slice(start)
    }

    fn escape(&mut self) -> Parsed<char> {
        self.position += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err("invalid escape sequence"),
        };
        self.position += 1;
        Ok(character)
    }

    /// Parses `uXXXX`, and a second `\uXXXX` if the first is a high surrogate.
    fn unicode(&mut self) -> Parsed<char> {
        let start = self.position;
        let first = self.code_unit()?;
        let mut second = None;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            self.position += 1;
            second = Some(self.code_unit()?);
        }
        if let Some(Ok(character)) = char::decode_utf16([first].into_iter().chain(second)).next() {
            return Ok(character);
        }
        self.position = start;
        Err("unpaired surrogate")
    }

    /// Parses `uXXXX`.
    fn code_unit(&mut self) -> Parsed<u16> {
        self.position += 1;
        let digits = self
            .text
            .get(self.position..self.position + 4)
            .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.position += if unit.is_some() { 4 } else { 0 };
        unit.ok_or("expected four hexadecimal digits")
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn expect(&mut self, byte: u8, message: &'static str) -> Parsed<()> {
        if self.consume(byte) { Ok(()) } else { Err(message) }
    }

    fn consume(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn slice(&self, start: usize) -> Parsed<&'a str> {
        self.text.get(start..self.position).ok_or("invalid UTF-8")
    }
}

/// Appends an element, and grows a full vector by half, or to one element at first.
///
/// `Vec` itself allocates four elements at first. An event can contain a million arrays of one element, and shrinking
/// each afterwards would fragment the memory.
fn push<T>(elements: &mut Vec<T>, element: T) {
    if elements.len() == elements.capacity() {
        elements.reserve_exact(1.max(elements.len() / 2));
    }
    elements.push(element);
}

/// Keeps one member for each key: the last value, at the position of the first, like Python's dictionaries.
fn remove_duplicate_keys(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    if has_unique_keys(&members) {
        return members;
    }
    let mut indices: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut unique: Vec<Member<'_>> = Vec::new();
    for (key, value) in members {
        if let Some(earlier) = indices.get(&key).and_then(|&index| unique.get_mut(index)) {
            earlier.1 = value;
        } else {
            indices.insert(key.clone(), unique.len());
            unique.push((key, value));
        }
    }
    unique
}

fn has_unique_keys(members: &[Member<'_>]) -> bool {
    if members.len() <= MAX_PAIRWISE_KEYS {
        return members
            .iter()
            .enumerate()
            .all(|(index, (key, _))| members.iter().take(index).all(|(earlier, _)| earlier != key));
    }
    let mut keys = HashSet::with_capacity(members.len());
    members.iter().all(|(key, _)| keys.insert(key.as_ref()))
}

#[cfg(test)]
mod tests;
