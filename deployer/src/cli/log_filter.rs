//! What `logs` looks for, checked before it is sent: by CloudWatch Logs' "Filter pattern syntax".

/// CloudWatch Logs' own limit, in characters.
const LONGEST_PATTERN: usize = 1024;

const BY_WORDS: &str = "a word has letters, digits and _ only, and everything else stands in double quotes";

/// A filter pattern. Those of JSON, of columns and of regular expressions are checked no closer than their brackets.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if length > LONGEST_PATTERN {
        return Err(format!("CloudWatch Logs takes {LONGEST_PATTERN} characters, and these are {length}"));
    }
    let pattern = text.trim();
    for (open, close) in [('{', '}'), ('[', ']')] {
        if pattern.starts_with(open) {
            let closes = pattern.len() > 1 && pattern.ends_with(close);
            return if closes {
                Ok(text.to_owned())
            } else {
                Err(format!("what begins with {open} has to end with {close}"))
            };
        }
    }
    if !pattern.contains('%') {
        terms(pattern)?;
    }
    Ok(text.to_owned())
}

/// `word`, `-word`, `?word`, and the same of phrases in double quotes.
fn terms(pattern: &str) -> Result<(), String> {
    let mut rest = pattern;
    while !rest.is_empty() {
        let term = rest.trim_start_matches(['-', '?']);
        if let Some(phrase) = term.strip_prefix('"') {
            rest = after_phrase(phrase).ok_or("a double quote is not closed")?.trim_start();
            continue;
        }
        let end = term.find(char::is_whitespace).unwrap_or(term.len());
        let word = &term[..end];
        let fits = |c: char| c.is_alphanumeric() || c == '_';
        if !word.chars().all(fits) {
            let quoted = word.replace('\\', "\\\\").replace('"', "\\\"");
            return Err(format!("{BY_WORDS}: write \"{quoted}\", quotes included"));
        }
        rest = term[end..].trim_start();
    }
    Ok(())
}

/// What comes behind the quote that closes a phrase.
fn after_phrase(phrase: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, c) in phrase.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(&phrase[at + 1..]),
            _ => {}
        }
    }
    None
}

/// The id of a request, which becomes a phrase of a pattern.
pub(super) fn request_id(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_=:.".contains(c);
    if (1..=128).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("an id like 8fc6f963-411b-58b5-8483-a32130c0f45d is expected".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form_of_the_documentation() {
        for text in [
            "",
            "ERROR",
            "ERROR ARGUMENTS",
            "?ERROR ?WARN",
            "ERROR -EXITING",
            "-DEBUG -TRACE",
            "\"INTERNAL SERVER ERROR\"",
            "-\"a \\\" b\" ?\"user@example.com\"",
            "?\"REPORT RequestId\" ?\"platform.report\"",
            "{ $.eventType = \"UpdateTrail\" }",
            "[ip, user, request = \"*.html\", status_code = 4*]",
            "%AUTHORIZED%",
            "Käse",
        ] {
            assert_eq!(pattern(text).as_deref(), Ok(text));
        }
        assert!(pattern(&"x".repeat(LONGEST_PATTERN)).is_ok());
    }

    #[test]
    fn refuses_what_cloudwatch_logs_refuses_and_says_what_to_write() {
        let cases = [
            ("user@example.com", "write \"user@example.com\", quotes included"),
            ("ERROR -a/b", "write \"a/b\""),
            ("a\"b", "write \"a\\\"b\""),
            ("\"open", "a double quote is not closed"),
            ("\"escaped\\\"", "a double quote is not closed"),
            ("{ $.a = 1", "what begins with { has to end with }"),
            ("[", "what begins with [ has to end with ]"),
        ];
        for (text, expected) in cases {
            let why = pattern(text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
        let why = pattern(&"ü".repeat(LONGEST_PATTERN + 1)).unwrap_err();
        assert_eq!(why, "CloudWatch Logs takes 1024 characters, and these are 1025");
    }

    #[test]
    fn a_request_id_has_no_quotes() {
        assert!(request_id("8fc6f963-411b-58b5-8483-a32130c0f45d").is_ok() && request_id("none").is_ok());
        for text in ["", "a\" ?\"b", "a b", &"a".repeat(129)] {
            assert!(request_id(text).is_err(), "{text}");
        }
    }
}
