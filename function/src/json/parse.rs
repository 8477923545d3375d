//! Reading JSON (RFC 8259), strictly, within bounds, and without copying what needs no change.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
};

use super::{Json, Member};

/// How deep arrays and objects may be nested. Deeper text is refused, so that reading, writing and dropping a value
/// cannot exhaust the stack. Python's parser stops at about the same depth.
pub const MAX_DEPTH: usize = 900;

/// Up to this many keys are compared with each other; for so few a hash set is slower.
const FEW_KEYS: usize = 8;

/// Why a text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    reason: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.reason, self.line, self.column)
    }
}

impl std::error::Error for Malformed {}

/// Reads one JSON value, with nothing but white space around it.
///
/// Of a key that occurs twice in an object, the last value wins, at the place of the first.
///
/// # Errors
///
/// Text that is not UTF-8, not JSON, nested deeper than [`MAX_DEPTH`], or holding half a surrogate pair, which
/// no string can.
pub fn parse(text: &[u8]) -> Result<Json<'_>, Malformed> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(malformed("text that is not UTF-8", text, error.valid_up_to())),
    };
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.document().map_err(|reason| malformed(reason, text.as_bytes(), reader.at))
}

/// Whether a text is a number as JSON writes them.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.number().is_ok() && reader.at == text.len()
}

fn malformed(reason: &'static str, text: &[u8], at: usize) -> Malformed {
    let before = text.get(..at).unwrap_or(text);
    let lines = before.split(|&byte| byte == b'\n');
    let last = lines.clone().next_back().unwrap_or_default();
    Malformed {
        reason,
        line: lines.count(),
        // Bytes that continue a character are not characters.
        column: last.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1,
    }
}

/// Reads a text from front to back. After an error, `at` is the place of the error.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<Json<'a>> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err("text after the end of the value"),
        }
    }

    fn value(&mut self) -> Read<Json<'a>> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err("expected a value"),
            None => Err("expected a value, found the end"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Json<'a>>) -> Read<Json<'a>> {
        if self.depth == MAX_DEPTH {
            return Err("more levels of arrays and objects than are accepted");
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Read<Json<'a>> {
        let mut values = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Json::Array(values.into_boxed_slice()));
        }
        loop {
            push(&mut values, self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Json::Array(values.into_boxed_slice()));
            }
            self.expect(b',', "expected `,` or `]`")?;
        }
    }

    fn object(&mut self) -> Read<Json<'a>> {
        let mut members = Vec::new();
        self.skip_space();
        if self.take(b'}') {
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
            if self.take(b'}') {
                return Ok(Json::Object(last_wins(members).into_boxed_slice()));
            }
            self.expect(b',', "expected `,` or `}`")?;
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Read<Json<'a>> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err("expected a value")
        }
    }

    fn number(&mut self) -> Read<&'a str> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        self.slice(start)
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err("expected a digit") } else { Ok(()) }
    }

    /// Reads a string, from its opening quote. Borrows what has no escapes.
    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let plain = self.plain()?;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
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
                Some(_) => return Err("a control character in a string, not escaped"),
                None => return Err("a string without its end"),
            }
        }
    }

    /// What comes before the next quote, backslash or control character.
    fn plain(&mut self) -> Read<&'a str> {
        let start = self.at;
        let rest = self.rest().as_bytes();
        let end = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\');
        self.at += end.unwrap_or(rest.len());
        self.slice(start)
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
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
            _ => return Err("an escape that JSON does not have"),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads `uXXXX`, and the `\uXXXX` of the other half when it is a surrogate.
    fn unicode(&mut self) -> Read<char> {
        let start = self.at;
        let first = self.code_unit()?;
        let mut second = None;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 1;
            second = Some(self.code_unit()?);
        }
        if let Some(Ok(character)) = char::decode_utf16([first].into_iter().chain(second)).next() {
            return Ok(character);
        }
        self.at = start;
        Err("half of a surrogate pair")
    }

    /// Reads `uXXXX`.
    fn code_unit(&mut self) -> Read<u16> {
        self.at += 1;
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += if unit.is_some() { 4 } else { 0 };
        unit.ok_or("expected four hexadecimal digits")
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(otherwise) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, start: usize) -> Read<&'a str> {
        self.text.get(start..self.at).ok_or("text that is not UTF-8")
    }
}

/// Adds an element, and makes room for one or for half as many again when there is none left.
///
/// A vector's own first allocation has room for four. An event can have a million arrays of one element, and shrinking
/// each afterwards would fragment the memory.
fn push<T>(elements: &mut Vec<T>, element: T) {
    if elements.len() == elements.capacity() {
        elements.reserve_exact(1.max(elements.len() / 2));
    }
    elements.push(element);
}

/// Leaves one member for each key: the last value, at the place of the first. Python's dictionaries do so.
fn last_wins(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    if all_different(&members) {
        return members;
    }
    let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut kept: Vec<Member<'_>> = Vec::new();
    for (key, value) in members {
        if let Some(earlier) = places.get(&key).and_then(|&place| kept.get_mut(place)) {
            earlier.1 = value;
        } else {
            places.insert(key.clone(), kept.len());
            kept.push((key, value));
        }
    }
    kept
}

fn all_different(members: &[Member<'_>]) -> bool {
    if members.len() <= FEW_KEYS {
        return members
            .iter()
            .enumerate()
            .all(|(at, (key, _))| members.iter().take(at).all(|(earlier, _)| earlier != key));
    }
    let mut keys = HashSet::with_capacity(members.len());
    members.iter().all(|(key, _)| keys.insert(key.as_ref()))
}

#[cfg(test)]
mod tests;
