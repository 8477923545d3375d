//! What is wrong with a manifest: every mistake at once, each with its place and the line it stands on.

use super::words::nearest;
use crate::error::{Error, Flag, Hint, Result, Verb};
use crate::printable::one_line;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use std::cell::RefCell;
use std::ops::Range;

/// So many are shown. Nobody reads on, and showing each takes a look through the whole text.
pub(super) const MOST_SHOWN: usize = 50;

/// Nobody finds anything on a longer line, and quoting it takes long.
const LONGEST_LINE: usize = 2_000;

/// One mistake.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    span: Range<usize>,
    message: String,
    label: Option<String>,
    earlier: Option<(Range<usize>, String)>,
    help: Option<String>,
    quotes: bool,
}

impl Problem {
    /// What is wrong, as a lowercase fragment that says what would be right.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: None, earlier: None, help: None, quotes: true }
    }

    /// What stands there instead, next to the caret.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Another place that it clashes with.
    pub(super) fn earlier(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.earlier = Some((span, label.into()));
        self
    }

    /// What to write, or what there is to choose from.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The place alone, without its line, because nobody can tell what on it is a secret.
    pub(super) fn unquoted(mut self) -> Self {
        self.quotes = false;
        self
    }

    fn render(&self, path: &str, text: &str) -> String {
        let earlier = self.earlier.as_ref().map(|(span, _)| span.start);
        let is_short = [Some(self.span.start), earlier]
            .into_iter()
            .flatten()
            .all(|at| line_length(text, at) <= LONGEST_LINE);
        let place = if self.quotes && is_short {
            Element::from(self.quotation(path, text))
        } else {
            self.origin(path, text)
        };
        let help = self.help.as_deref().map(|help| Element::from(Level::HELP.message(help)));
        let title = one_line(&self.message);
        let group = Level::ERROR.no_name().primary_title(&title).element(place).elements(help);
        Renderer::plain().render(&[group])
    }

    fn quotation<'a>(&'a self, path: &'a str, text: &'a str) -> Snippet<'a, Annotation<'a>> {
        let primary = AnnotationKind::Primary.span(self.span.clone()).label(self.label.as_deref());
        let earlier = self
            .earlier
            .as_ref()
            .map(|(span, label)| AnnotationKind::Context.span(span.clone()).label(label.as_str()));
        Snippet::source(text).path(path).annotation(primary).annotations(earlier)
    }

    fn origin<'a>(&self, path: &'a str, text: &str) -> Element<'a> {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Origin::path(path).line(line).char_column(column).into()
    }
}

/// Where mistakes are collected while a manifest is read.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: RefCell<Vec<Problem>>,
    secrets: RefCell<Vec<Range<usize>>>,
}

impl Problems {
    pub(super) fn add(&self, problem: Problem) {
        self.found.borrow_mut().push(problem);
    }

    /// What somebody most likely meant; nothing where nobody is shown it any more.
    pub(super) fn nearest<'n>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        (self.found.borrow().len() < MOST_SHOWN).then(|| nearest(word, known))?
    }

    /// Never to be shown, although a mistake may stand on the same line.
    pub(super) fn hide(&self, span: Range<usize>) {
        self.secrets.borrow_mut().push(span);
    }

    /// # Errors
    /// All mistakes, in the order of the text.
    pub(super) fn into_result(self, path: &str, text: &str) -> Result<()> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|problem| problem.span.start);
        let text = masked(text, self.secrets.into_inner());
        let shown: Vec<String> =
            found.iter().take(MOST_SHOWN).map(|problem| problem.render(path, &text)).collect();
        let message = match &shown[..] {
            [one] => one.clone(),
            many => {
                let first = if found.len() > many.len() {
                    format!(", of which these are the first {MOST_SHOWN}")
                } else {
                    String::new()
                };
                format!("{path} has {} mistakes{first}\n\n{}", found.len(), many.join("\n\n"))
            }
        };
        let explained = Verb::Init.flag(Flag::Manifest("example.toml".to_owned()));
        Err(Error::usage(message)
            .hint(Hint::from(explained).text(" writes a manifest that shows and explains every key.")))
    }
}

/// Of the line on which this byte stands.
fn line_length(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    let ends = after.find('\n').unwrap_or(after.len());
    before.len() - begins + ends
}

/// As many bytes as before, so that every other place stays where it is.
fn masked(text: &str, mut secrets: Vec<Range<usize>>) -> String {
    secrets.sort_by_key(|span| span.start);
    let mut begun = secrets.iter().peekable();
    let mut hidden_until = 0;
    text.char_indices()
        .flat_map(|(at, char)| {
            while let Some(span) = begun.next_if(|span| span.start <= at) {
                hidden_until = hidden_until.max(span.end);
            }
            let hidden = at < hidden_until && char != '\n' && char != '\r';
            std::iter::repeat_n(if hidden { '*' } else { char }, if hidden { char.len_utf8() } else { 1 })
        })
        .collect()
}
