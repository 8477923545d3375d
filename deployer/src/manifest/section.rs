//! Tables whose keys are ours: each key is asked for once, and what nobody asked for is unknown.

use super::problem::{Problem, Problems};
use super::read::{Item, hide};
use std::ops::Range;
use toml::de::DeTable;

/// A table whose keys we know.
#[derive(Debug)]
pub(super) struct Section<'a> {
    place: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    problems: &'a Problems,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        place: &str,
        span: Range<usize>,
        table: &'a DeTable<'a>,
        problems: &'a Problems,
    ) -> Self {
        Self { place: place.to_owned(), span, table, problems, known: Vec::new() }
    }

    /// What `read` does not ask for is unknown.
    pub(super) fn read_by<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(&mut self);
        self.refuse_unknown();
        value
    }

    /// The value of a key, when it is there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let value = self.table.get(key)?;
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        Some(Item::new(place, value, self.problems))
    }

    /// The value of a key that has to be there. `like` shows how to write it.
    pub(super) fn require(&mut self, key: &'static str, like: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            let message = format!("{} needs the key {key}", self.place);
            self.problems.add(Problem::new(self.span.clone(), message).help(format!("for example, {like}")));
        }
        item
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn problems(&self) -> &'a Problems {
        self.problems
    }

    fn refuse_unknown(mut self) {
        self.known.sort_unstable();
        for (key, value) in self.table.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref()))
        {
            let place = if self.place.is_empty() { "the manifest" } else { self.place.as_str() };
            let problem = Problem::new(key.span(), format!("{place} has no key {}", key.get_ref()))
                .help(format!("its keys are {}", self.known.join(", ")));
            self.problems.add(match self.problems.nearest(key.get_ref(), self.known.iter().copied()) {
                Some(known) => problem.label(format!("did you mean {known}?")),
                None => problem,
            });
            // It may be a misspelled environment.
            hide(value.get_ref(), value.span(), self.problems);
        }
    }
}
