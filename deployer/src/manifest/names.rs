//! AWS's rules for names. They hold for the final name, which `--env` makes longer.

use super::problem::{Problem, Problems};
use super::read::Text;
use super::tags::{RESERVED, is_reserved};
use schemars::Schema;

/// What a name may look like.
#[derive(Debug)]
pub(super) struct Rule {
    what: &'static str,
    least: usize,
    most: usize,
    /// The characters, for people.
    set: &'static str,
    /// What it may have besides letters and digits.
    also: fn(char) -> bool,
    /// Whether `--env` adds its suffix to it.
    per_env: bool,
    /// Whether it becomes the value of a tag.
    is_tag: bool,
}

/// `DynamoDB`'s.
pub(super) const TABLE: Rule = Rule {
    what: "a table's name",
    least: 3,
    most: 255,
    set: "a-z A-Z 0-9 _ . -",
    also: |c| "_.-".contains(c),
    per_env: true,
    is_tag: false,
};

/// Lambda's.
pub(super) const FUNCTION: Rule = Rule {
    what: "a function's name",
    least: 1,
    most: 64,
    set: "a-z A-Z 0-9 _ -",
    also: |c| "_-".contains(c),
    per_env: true,
    is_tag: false,
};

/// IAM's. The policy's name is made of the role's, and so stays within its own 128 characters.
pub(super) const ROLE: Rule = Rule {
    what: "a role's name",
    least: 1,
    most: 64,
    set: "a-z A-Z 0-9 _ + = , . @ -",
    also: |c| "_+=,.@-".contains(c),
    per_env: true,
    is_tag: false,
};

/// API Gateway takes nearly anything; `CloudWatch`, which files the API's metrics under this name, takes this.
pub(super) const API: Rule = Rule {
    what: "the API's name",
    least: 1,
    most: 255,
    set: "printable ASCII",
    also: |c| c == ' ' || c.is_ascii_punctuation(),
    per_env: true,
    is_tag: false,
};

/// API Gateway's. A stage is part of its API, whose name has the suffix already.
pub(super) const STAGE: Rule = Rule {
    what: "the stage's name",
    least: 1,
    most: 128,
    set: "a-z A-Z 0-9 _ -",
    also: |c| "_-".contains(c),
    per_env: false,
    is_tag: false,
};

/// Every service's, for the value of a tag; and no spaces, which nobody sees at the end of a name.
pub(super) const STACK: Rule = Rule {
    what: "the stack's name",
    least: 1,
    most: 256,
    set: "a-z A-Z 0-9 _ . : / = + @ -",
    also: |c| "_.:/=+@-".contains(c),
    per_env: true,
    is_tag: true,
};

/// Cargo's own rule for a package, and what fits an argument of Cargo.
pub(super) const PACKAGE: Rule = cargo_name("a Cargo package's name");

/// The same for a binary.
pub(super) const BINARY: Rule = cargo_name("a binary's name");

const fn cargo_name(what: &'static str) -> Rule {
    Rule {
        what,
        least: 1,
        most: 64,
        set: "a-z A-Z 0-9 _ -",
        also: |c| "_-".contains(c),
        per_env: false,
        is_tag: false,
    }
}

impl Rule {
    /// The rule as far as it does not depend on `--env`.
    pub(super) fn in_schema(&'static self) -> impl Fn(&mut Schema) {
        |schema| {
            schema.insert("minLength".to_owned(), self.least.into());
            schema.insert("maxLength".to_owned(), self.most.into());
            schema.insert("pattern".to_owned(), format!("^{}*$", class(self.set)).into());
            if self.is_tag {
                schema.insert("not".to_owned(), serde_json::json!({ "pattern": RESERVED }));
            }
        }
    }

    pub(super) fn check(&self, name: &Text<'_>, suffix: &str, problems: &Problems) {
        let suffix = if self.per_env { suffix } else { "" };
        let length = name.text.chars().count() + suffix.len();
        let stranger = name.text.chars().find(|c| !c.is_ascii_alphanumeric() && !(self.also)(*c));
        let Self { what, least, most, set, .. } = self;
        let message = format!("{what} must be {least} to {most} characters of {set}");
        let span = name.span.clone();
        if self.is_tag && is_reserved(name.text) {
            problems.add(Problem::new(
                span,
                format!("{what} must not begin with aws:, which AWS keeps for itself"),
            ));
        } else if let Some(stranger) = stranger {
            problems.add(Problem::new(span, message).label(format!("{stranger:?} is none of them")));
        } else if !(*least..=*most).contains(&length) {
            let with =
                if suffix.is_empty() { String::new() } else { format!(" with {suffix}, which --env adds") };
            problems.add(Problem::new(span, format!("{message}, and this one has {length}{with}")));
        }
    }
}

/// The class of a regular expression for characters as messages list them.
pub(super) fn class(set: &str) -> String {
    let ranges = set.split(' ').map(|characters| match characters {
        "a-z" | "A-Z" | "0-9" => characters.to_owned(),
        "space" => " ".to_owned(),
        "printable" => " -~".to_owned(),
        // It stands behind "printable".
        "ASCII" => String::new(),
        "-" => "\\-".to_owned(),
        one => one.to_owned(),
    });
    format!("[{}]", ranges.collect::<String>())
}
