//! Indents JSON for a terminal and leaves everything else as it was written. Numbers keep every digit, and keys their
//! order.

use crate::printable::{Printable, in_json};
use serde::de::IgnoredAny;

/// The deepest level that is indented.
const DEEPEST: usize = 40;

/// Indents by two spaces a level. Other text is returned as it is. Nothing in it can steer the terminal, because JSON
/// escapes are shown, which also can be copied.
pub(crate) fn pretty(text: &str) -> Printable {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Printable::from(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| is_blank(*c)).is_some() {}
                // An empty list or object stays on its line.
                if let Some(close) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth, depth);
                }
            }
            '}' | ']' => {
                new_line(&mut out, depth, depth - 1);
                depth -= 1;
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth, depth);
            }
            ':' => out.push_str(": "),
            blank if is_blank(blank) => {}
            other => out.push(other),
        }
    }
    Printable::from(&in_json(&out))
}

/// Skips white space between tokens.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether this level is too deep to be indented.
fn new_line(out: &mut String, depth: usize, indented: usize) {
    if depth <= DEEPEST {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", indented));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_nothing_else_is_changed() {
        let cases = [
            (r#""pong""#, r#""pong""#),
            ("1.50", "1.50"),
            ("{}", "{}"),
            (" [ ]\n", "[]"),
            (
                r#"{"b":[1.50,12345678901234567890.123456789,{ "x" : null }],"a":{},"b":"\"{,}: \\"}"#,
                "{\n  \"b\": [\n    1.50,\n    12345678901234567890.123456789,\n    {\n      \"x\": null\n    }\n  ],\n  \
                 \"a\": {},\n  \"b\": \"\\\"{,}: \\\\\"\n}",
            ),
            ("{\n\t\"a\":\r\n1\n}", "{\n  \"a\": 1\n}"),
        ];
        for (text, expected) in cases {
            assert_eq!(pretty(text).as_str(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_stays_on_one_line() {
        let nested = |depth: usize| format!("{}1, 2{}", "[".repeat(depth), "]".repeat(depth));
        let lines = |depth| pretty(&nested(depth)).as_str().lines().count();
        assert_eq!(lines(DEEPEST), 2 * DEEPEST + 2);
        assert_eq!(lines(DEEPEST + 1), 2 * DEEPEST + 1);
        let deep = pretty(&nested(20_000));
        let deep = deep.as_str();
        assert_eq!(deep.lines().nth(DEEPEST).map(|line| line.trim().len()), Some(2 * (20_000 - DEEPEST) + 3));
        let unspaced: String = deep.split_whitespace().collect();
        assert_eq!(unspaced, nested(20_000).replace(' ', ""));
    }

    #[test]
    fn nothing_in_it_moves_the_cursor() {
        let cases = [
            ("plain\ntext", "plain\ntext"),
            ("{broken", "{broken"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            // DEL, C1 and direction marks are valid in a string of JSON.
            ("\"a\u{7f}b\"", "\"a\\u007fb\""),
            ("\"\u{9b}2J\"", "\"\\u009b2J\""),
            ("\"\u{202e}\"", "\"\\u202e\""),
        ];
        for (text, expected) in cases {
            assert_eq!(pretty(text).as_str(), expected, "{text:?}");
        }
    }
}
