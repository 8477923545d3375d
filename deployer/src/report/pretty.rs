//! JSON for a terminal: indented, and otherwise as it was written. Numbers keep every digit, and keys their order.

use super::text::printable;
use serde::de::IgnoredAny;

/// What is nested deeper stays on one line.
const DEEPEST: usize = 40;

/// Two blanks for each level; what is no JSON stays as it is. Nothing in it can move the cursor.
pub(crate) fn pretty(text: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return printable(text);
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
                // An empty one stays on its line.
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
    printable(&out)
}

/// What may stand between tokens.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Within what is nested so deep.
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
            assert_eq!(pretty(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_stays_on_one_line() {
        let nested = |depth: usize| format!("{}1, 2{}", "[".repeat(depth), "]".repeat(depth));
        let lines = |depth| pretty(&nested(depth)).lines().count();
        assert_eq!(lines(DEEPEST), 2 * DEEPEST + 2);
        assert_eq!(lines(DEEPEST + 1), 2 * DEEPEST + 1);
        let deep = pretty(&nested(20_000));
        assert_eq!(deep.lines().nth(DEEPEST).map(|line| line.trim().len()), Some(2 * (20_000 - DEEPEST) + 3));
        let unspaced: String = deep.split_whitespace().collect();
        assert_eq!(unspaced, nested(20_000).replace(' ', ""));
    }

    #[test]
    fn what_is_no_json_stays_and_cannot_move_the_cursor() {
        assert_eq!(pretty("plain\ntext"), "plain\ntext");
        assert_eq!(pretty("{broken"), "{broken");
        assert_eq!(pretty("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(pretty("\"a\u{7f}b\""), "\"a\\u{7f}b\"", "DEL is valid in a string of JSON");
        // A control character of the upper half is valid in a string of JSON.
        assert_eq!(pretty("\"\u{9b}2J\""), "\"\\u{9b}2J\"");
    }
}
