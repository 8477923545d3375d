//! Text on a command line of a POSIX shell.

use std::borrow::Cow;

/// The text as one word, which the shell takes as it is.
pub(crate) fn quoted(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in [
            "plain/file-1.toml",
            "",
            "a b",
            "it's",
            "$(touch x)",
            "`x`",
            "a:b",
            "a\"b",
            "a\nb",
            "~",
            "*",
            "ä;x&",
        ] {
            let line = format!("printf %s {}", quoted(text));
            let out = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), text, "{line}");
        }
        assert_eq!(quoted("plain/file-1.toml"), "plain/file-1.toml");
    }
}
