//! Text that is safe to print on a terminal. AWS, files and functions write text that nobody here has checked; printed as it
//! is, it could clear the screen, reverse its direction or hide a part of itself, and so forge the plan that people approve.
//!
//! Everything for people is a [`Printable`]: what others wrote is escaped when it becomes one, and only
//! [`Printable::painted`] adds escape codes. `output/text.rs` prints nothing else for people.

use anstyle::Style;

/// Text for people without anything that could steer a terminal or hide: control characters, direction marks, invisible
/// characters and line separators are shown as `\u{1b}`. Line feeds and tabs stay.
///
/// It has no `Display`, so that it cannot end up in a `format!` and be escaped twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Printable(String);

impl Printable {
    /// Text in a colour or another style. A stream that shows no colours leaves it out.
    pub(crate) fn painted(text: &str, style: Style) -> Self {
        let Self(text) = Self::from(text);
        Self(format!("{style}{text}{style:#}"))
    }

    /// Appends more text, escaped unless it is printable already.
    pub(crate) fn push(&mut self, more: impl Into<Self>) {
        self.0.push_str(&more.into().0);
    }

    /// The same text with more behind it.
    pub(crate) fn with(mut self, more: impl Into<Self>) -> Self {
        self.push(more);
        self
    }

    /// All parts in a row, with one space between them.
    pub(crate) fn spaced(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect::<Vec<_>>().join(" "))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Printable {
    fn from(text: &str) -> Self {
        Self(escaped(text, |c| is_unprintable(c) && !matches!(c, '\n' | '\t'), c_escape))
    }
}

impl From<&String> for Printable {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

/// The same text on one line: a value that others wrote cannot look like another line of ours.
pub(crate) fn one_line(text: &str) -> String {
    escaped(text, is_unprintable, c_escape)
}

/// The same JSON document, with `\u009b` in place of what could steer a terminal. In a valid document, such characters stand
/// in strings only, and mean the same in both forms.
pub(crate) fn in_json(document: &str) -> String {
    escaped(
        document,
        |c| is_unprintable(c) && !matches!(c, '\n' | '\r' | '\t'),
        |c, shown| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        },
    )
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) {
            escape(c, &mut shown);
        } else {
            shown.push(c);
        }
    }
    shown
}

fn c_escape(c: char, shown: &mut String) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other => shown.extend(other.escape_unicode()),
    }
}

/// Controls (C0, DEL and C1), line and paragraph separators, and what Unicode calls default-ignorable: direction marks,
/// zero-width characters, variation selectors, tags and fillers that have no shape of their own.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;

    #[test]
    fn nothing_that_steers_a_terminal_or_hides_is_printed_as_it_is() {
        let hostile = [
            '\0',
            '\u{7}',
            '\u{8}',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0041}',
        ];
        for c in hostile {
            let text = format!("a{c}b");
            for shown in [Printable::from(&text).as_str(), &one_line(&text)] {
                assert!(shown.starts_with("a\\") && shown.ends_with('b'), "{c:?}: {shown:?}");
                assert!(shown.chars().all(|c| c.is_ascii_graphic()), "{c:?}: {shown:?}");
            }
            let json = serde_json::to_string(&text).unwrap();
            let shown = in_json(&json);
            assert!(shown.chars().all(|c| c.is_ascii_graphic()), "{c:?}: {shown:?}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text, "the same value");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["", "plain", "Käse, 表, العربية, é, 🚀", "two\n\tlines"] {
            assert_eq!(Printable::from(text).as_str(), text);
            assert_eq!(in_json(text), text);
        }
        assert_eq!(one_line("two\n\tlines"), "two\\n\\tlines");
    }

    #[test]
    fn only_our_own_colours_become_escape_codes() {
        let hostile = "\u{1b}[2JNothing to change.";
        let painted = Printable::painted(hostile, AnsiColor::Yellow.on_default());
        assert_eq!(painted.as_str(), "\u{1b}[33m\\u{1b}[2JNothing to change.\u{1b}[0m");
        assert_eq!(painted.clone().with(hostile).as_str().matches('\u{1b}').count(), 2);
        assert_eq!(Printable::spaced([painted, Printable::from("a")]).as_str().matches('\u{1b}').count(), 2);
    }
}
