//! How deep a TOML text is nested. The parser recovers from mistakes by going on one level deeper, without a limit of its own,
//! and thousands of unclosed brackets would overflow the stack.

use std::ops::Range;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The parser's own limit for what is well-formed.
const DEEPEST: usize = 80;

/// The bracket that opens one level too many, in bytes. A bracket that closes what is not open changes nothing.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut open = Vec::new();
    for token in Source::new(text).lex() {
        match token.kind() {
            kind @ (TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket) => open.push(kind),
            TokenKind::RightCurlyBracket => close(&mut open, TokenKind::LeftCurlyBracket),
            TokenKind::RightSquareBracket => close(&mut open, TokenKind::LeftSquareBracket),
            _ => {}
        }
        if open.len() > DEEPEST {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

/// A document whose mistakes are somebody else's to report; `None` where it is no TOML or nested too deep.
pub(crate) fn table(text: &str) -> Option<toml::Table> {
    if too_deep(text).is_some() {
        return None;
    }
    text.parse().ok()
}

fn close(open: &mut Vec<TokenKind>, bracket: TokenKind) {
    let _ = open.pop_if(|last| *last == bracket);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_would_overflow_the_stack_is_not_parsed() {
        assert!(table("a = 1").is_some_and(|table| table.contains_key("a")));
        assert_eq!(table("a = "), None);
        assert_eq!(table(&"[a]\nb = {  = \"c\"\n".repeat(20_000)), None);
    }

    #[test]
    fn only_unclosed_brackets_outside_text_count() {
        let line = "a = { b = [1, 2] } # {\nc = \"{{[\"\n[[d]]\n";
        assert_eq!(too_deep(&line.repeat(1000)), None);
        assert_eq!(too_deep(&"a = {\n".repeat(80)), None);
        assert_eq!(too_deep(&"a = {\n".repeat(81)), Some(484..485));
        assert_eq!(too_deep(&format!("a = {}", "[".repeat(100))), Some(84..85));
        assert!(too_deep(&"[a]\nb = {c]]\n".repeat(100)).is_some());
    }
}
