//! What is wrong with a manifest: every mistake at once, each with its place and the line it stands on.

use crate::error::{Error, Result};
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use std::cell::RefCell;
use std::ops::Range;

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
        let place =
            if self.quotes { Element::from(self.quotation(path, text)) } else { self.origin(path, text) };
        let help = self.help.as_deref().map(|help| Element::from(Level::HELP.message(help)));
        let group = Level::ERROR.no_name().primary_title(&self.message).element(place).elements(help);
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
        let text = masked(text, &self.secrets.into_inner());
        let shown: Vec<String> = found.iter().map(|problem| problem.render(path, &text)).collect();
        let message = match &shown[..] {
            [one] => one.clone(),
            many => format!("{path} has {} mistakes\n\n{}\n", many.len(), many.join("\n\n")),
        };
        Err(Error::usage(message).hint("deployer init writes a manifest that shows and explains every key."))
    }
}

/// As many bytes as before, so that every other place stays where it is.
fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let secret = |at: usize| secrets.iter().any(|span| span.contains(&at));
    text.char_indices()
        .flat_map(|(at, char)| {
            let hidden = secret(at) && char != '\n' && char != '\r';
            std::iter::repeat_n(if hidden { '*' } else { char }, if hidden { char.len_utf8() } else { 1 })
        })
        .collect()
}
