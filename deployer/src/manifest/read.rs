//! Reading the values of a parsed TOML document: what has the wrong form is noted with its place, and reading goes on.

use super::problem::{Problem, Problems};
use super::section::Section;
use super::words::{listed, or};
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeInteger, DeValue};

/// Text of the manifest, with its place.
#[derive(Clone, Debug)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
}

/// A value, with its place.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// How people call it: `functions.api.memory`.
    place: String,
    pub(super) span: Range<usize>,
    value: &'a DeValue<'a>,
    problems: &'a Problems,
}

impl<'a> Item<'a> {
    pub(super) fn new(place: String, value: &'a Spanned<DeValue<'a>>, problems: &'a Problems) -> Self {
        Self { place, span: value.span(), value: value.get_ref(), problems }
    }

    /// A mistake in this value. `what` says what would be right, like "must be a whole number".
    pub(super) fn wrong(&self, what: &str) -> Problem {
        Problem::new(self.span.clone(), format!("{} {what}", self.place))
    }

    pub(super) fn report(&self, problem: Problem) {
        self.problems.add(problem);
    }

    fn not_a(&self, expected: &str) -> Problem {
        let kind = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(&format!("must be {expected}")).label(format!("this is {kind}"))
    }

    /// Text, of any content.
    pub(super) fn text(&self, expected: &str) -> Option<Text<'a>> {
        let DeValue::String(text) = self.value else {
            let quotes = matches!(self.value, DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_));
            let problem = self.not_a(expected);
            self.report(if quotes { problem.help("put it in quotes") } else { problem });
            return None;
        };
        Some(Text { text, span: self.span.clone() })
    }

    /// Text that passes a test, which `expected` describes.
    pub(super) fn text_where(&self, expected: &str, test: impl Fn(&str) -> bool) -> Option<String> {
        let Text { text, .. } = self.text(expected)?;
        if !test(text) {
            self.report(self.wrong(&format!("must be {expected}")));
            return None;
        }
        Some(text.to_owned())
    }

    /// A whole number in a range. `unit` is what it counts.
    pub(super) fn whole<N: TryFrom<i64>>(&self, range: RangeInclusive<i64>, unit: &str) -> Option<N> {
        let expected = if *range.end() >= i64::from(i32::MAX) {
            format!("a whole number of {unit}, at least {}", range.start())
        } else {
            format!("a whole number of {unit} from {} to {}", range.start(), range.end())
        };
        let DeValue::Integer(number) = self.value else {
            self.report(self.not_a(&expected));
            return None;
        };
        let fits = as_i64(number).filter(|number| range.contains(number)).and_then(|n| N::try_from(n).ok());
        if fits.is_none() {
            // A limit that is too high to be named beforehand.
            let is_negative = number.as_str().starts_with('-');
            let is_too_large = !is_negative && as_i64(number).is_none_or(|number| number > *range.end());
            let is_unnamed = *range.end() >= i64::from(i32::MAX);
            self.report(self.wrong(&if is_too_large && is_unnamed {
                format!("must be at most {}", range.end())
            } else {
                format!("must be {expected}")
            }));
        }
        fits
    }

    /// A number above zero, whole or not.
    pub(super) fn above_zero(&self) -> Option<f64> {
        let number = match self.value {
            // Digits are kept as they were written, in their base.
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
        if number.is_none() {
            self.report(self.wrong("must be a number above 0"));
        }
        number
    }

    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.report(self.not_a("true or false, without quotes"));
        }
        flag
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let expected = or(names.iter().map(|word| format!("\"{word}\"")));
        let Text { text, .. } = self.text(&expected)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let problem = self.wrong(&format!("must be {expected}"));
            self.report(match self.problems.nearest(text, names) {
                Some(word) => problem.label(format!("did you mean \"{word}\"?")),
                None => problem,
            });
        }
        found.map(|(_, value)| *value)
    }

    /// The name of something that the manifest declares, which is one of `known`.
    pub(super) fn declared(&self, what: &str, known: &[&str]) -> Option<String> {
        let Text { text, .. } = self.text(&format!("a {what}'s name"))?;
        if !known.contains(&text) {
            let problem = Problem::new(self.span.clone(), format!("the manifest declares no {what} {text}"));
            let problem = match self.problems.nearest(text, known.iter().copied()) {
                Some(name) => problem.label(format!("did you mean {name}?")),
                None => problem,
            };
            self.report(problem.help(match known {
                [] => "it declares none at all".to_owned(),
                known => format!("it declares {}", listed(known)),
            }));
        }
        Some(text.to_owned())
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// A table whose keys are ours. What `read` does not ask for is unknown.
    pub(super) fn section<T>(&self, like: &str, read: impl FnOnce(&mut Section<'a>) -> T) -> Option<T> {
        let DeValue::Table(table) = self.value else {
            self.report(self.not_a(like));
            return None;
        };
        Some(Section::new(&self.place, self.span.clone(), table, self.problems).read_by(read))
    }

    /// A table whose keys are names that people chose.
    pub(super) fn named(&self, like: &str) -> Option<Vec<(Text<'a>, Self)>> {
        let DeValue::Table(table) = self.value else {
            self.report(self.not_a(like));
            return None;
        };
        let entries = table.iter().map(|(key, value)| {
            let item = Item::new(format!("{}.{}", self.place, key.get_ref()), value, self.problems);
            (Text { text: key.get_ref(), span: key.span() }, item)
        });
        Some(entries.collect())
    }

    pub(super) fn list(&self, like: &str) -> Option<Vec<Self>> {
        let DeValue::Array(array) = self.value else {
            self.report(self.not_a(like));
            return None;
        };
        let items = array.iter().map(|value| Item::new(self.place.clone(), value, self.problems));
        Some(items.collect())
    }

    /// Nothing of this value is ever shown.
    pub(super) fn hide(&self) {
        hide(self.value, self.span.clone(), self.problems);
    }
}

/// The span of a table is that of its header, so what is in it is hidden piece by piece.
pub(super) fn hide(value: &DeValue<'_>, span: Range<usize>, problems: &Problems) {
    match value {
        DeValue::Table(table) => table.iter().for_each(|(_, one)| hide(one.get_ref(), one.span(), problems)),
        DeValue::Array(array) => array.iter().for_each(|one| hide(one.get_ref(), one.span(), problems)),
        _ => problems.hide(span),
    }
}

fn as_i64(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
