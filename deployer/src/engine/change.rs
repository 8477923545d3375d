//! Kinds and names of resources, and the changes that people read.

use super::Difference;
use crate::printable::one_line;
use serde::Serialize;
use std::fmt;

/// A kind of resource or task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// An IAM role.
    Role,
    /// A customer managed IAM policy, with its attachment to the role.
    Policy,
    /// A `CloudWatch` Logs log group.
    LogGroup,
    /// A `DynamoDB` table.
    Table,
    /// Auto scaling of a table.
    Scaling,
    /// A Lambda function.
    Function,
    /// A REST API with its definition, deployment and stage.
    RestApi,
    /// The statements that let the API invoke one function.
    Permission,
    /// A function's code, built on this machine.
    Package,
    /// The search for what is no longer declared.
    Tags,
    /// The proof at the end: a request to the invoke URL.
    SmokeTest,
    /// Requests to the invoke URL at a fixed rate.
    Load,
    /// The deletion of what they have made.
    CleanUp,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role => "role",
            Self::Policy => "policy",
            Self::LogGroup => "log group",
            Self::Table => "table",
            Self::Scaling => "scaling",
            Self::Function => "function",
            Self::RestApi => "REST API",
            Self::Permission => "permission",
            Self::Package => "package",
            Self::Tags => "tags",
            Self::SmokeTest => "smoke test",
            Self::Load => "load",
            Self::CleanUp => "clean-up",
        })
    }
}

impl Kind {
    /// Returns what a new resource of this kind means for people.
    fn creation_means(self) -> Option<&'static str> {
        (self == Self::RestApi).then_some("a new URL")
    }

    /// Returns what the deletion of a resource of this kind means for people.
    fn deletion_means(self) -> Option<&'static str> {
        match self {
            Self::Table => Some("its items are lost"),
            Self::RestApi => Some("its URL is gone for good: a new API gets another"),
            Self::LogGroup => Some("its logs are lost"),
            Self::Function => Some("its requests fail from then on"),
            Self::Role
            | Self::Policy
            | Self::Scaling
            | Self::Permission
            | Self::Package
            | Self::Tags
            | Self::SmokeTest
            | Self::Load
            | Self::CleanUp => None,
        }
    }
}

/// The identity of a resource or task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Id {
    /// What it is.
    pub kind: Kind,
    /// Its name in AWS.
    pub name: String,
}

impl Id {
    pub(crate) fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name in AWS may contain almost anything. It must not break the line.
        write!(f, "{} {}", self.kind, one_line(&self.name))
    }
}

/// A property's value for people. Secrets are redacted here, so that no renderer can forget it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    /// Absent.
    Nothing,
    /// As it is.
    Text(String),
}

impl Shown {
    /// Returns the placeholder for a secret value.
    pub(crate) fn secret() -> Self {
        Self::Text("(secret)".to_owned())
    }
}

impl<T: ToString> From<Option<T>> for Shown {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Text(value.to_string()))
    }
}

impl From<&str> for Shown {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Shown {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i32> for Shown {
    fn from(value: i32) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<bool> for Shown {
    fn from(value: bool) -> Self {
        Self::Text(value.to_string())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("(none)"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One difference between what is declared and what AWS has, for people. Every mutation belongs to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Change {
    /// It does not exist yet.
    Create,
    /// One property differs.
    Update {
        /// The property, in AWS's words: `memory`, `tags.deployer:stack`.
        field: String,
        /// What AWS has.
        from: Shown,
        /// What is declared.
        to: Shown,
        /// What it means for the users of the stack. JSON documents have it in words, as `means`.
        #[serde(skip)]
        impact: Impact,
    },
    /// It goes.
    Delete,
    /// It is deleted and created again, because one property cannot be changed in place.
    Replace {
        /// The property.
        field: String,
        /// What AWS has.
        from: Shown,
        /// What is declared.
        to: Shown,
        /// Why, and what it means.
        why: String,
    },
    /// One property differs and is not changed, because the change would lose something. `up` refuses to start.
    Refused {
        /// The property.
        field: String,
        /// What AWS has.
        from: Shown,
        /// What is declared.
        to: Shown,
        /// Why, and what to do instead.
        why: String,
    },
}

impl Change {
    /// Returns an update, unless both sides are equal.
    pub(crate) fn update<T: Clone + Into<Shown> + PartialEq>(
        field: impl Into<String>,
        from: T,
        to: T,
        impact: Impact,
    ) -> Option<Self> {
        Difference::between(from, to).map(|difference| difference.update(field, impact))
    }

    /// Returns what this change means for people; `None` when nobody notices it.
    pub(crate) fn means(&self, kind: Kind) -> Option<&'static str> {
        match self {
            Self::Create => kind.creation_means(),
            Self::Delete => kind.deletion_means(),
            Self::Update { impact, .. } => match impact {
                Impact::None => None,
                Impact::Notice(means) | Impact::Loses { means, .. } | Impact::LetsIn { means, .. } => {
                    Some(means)
                }
            },
            // These carry their own reason.
            Self::Replace { .. } | Self::Refused { .. } => None,
        }
    }

    /// Returns what this change loses, as a phrase that follows "This deletes or replaces".
    pub(crate) fn loss(&self, id: &Id) -> Option<String> {
        match self {
            Self::Delete | Self::Replace { .. } => Some(id.to_string()),
            Self::Update { impact: Impact::Loses { what, .. }, .. } => Some(what.clone()),
            Self::Create | Self::Update { .. } | Self::Refused { .. } => None,
        }
    }

    /// Returns what this change opens, as a phrase that follows "This lets more people in:".
    pub(crate) fn opening(&self) -> Option<&str> {
        match self {
            Self::Update { impact: Impact::LetsIn { what, .. }, .. } => Some(what),
            _ => None,
        }
    }
}

/// Writes one line: no value can look like another line of the plan.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Create => "create".to_owned(),
            Self::Delete => "delete".to_owned(),
            Self::Update { field, from, to, .. } => format!("{field}: {from} → {to}"),
            Self::Replace { field, from, to, why } => {
                format!("replace, because {field}: {from} → {to} ({why})")
            }
            Self::Refused { field, from, to, why } => {
                format!("cannot change {field}: {from} → {to} ({why})")
            }
        };
        f.write_str(&one_line(&text))
    }
}

/// What an update means for the users of the stack. There is no default, so that no kind of resource can forget to
/// decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Impact {
    /// Nobody notices it.
    None,
    /// Worth knowing before it happens.
    Notice(&'static str),
    /// Something is lost that this program cannot bring back. `up` asks first.
    Loses {
        /// What is gone, as in "the backups of table orders".
        what: String,
        /// What that means.
        means: &'static str,
    },
    /// More people get access. `up` asks first.
    LetsIn {
        /// What they reach, as in "GET /orders".
        what: String,
        /// Who they are.
        means: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_and_a_replacement_are_losses_and_a_creation_is_none() {
        let api = Id::new(Kind::RestApi, "shop");
        assert_eq!(Change::Delete.loss(&api).as_deref(), Some("REST API shop"));
        assert_eq!(Change::Create.loss(&api), None);
        assert_eq!(Change::Delete.means(Kind::Table), Some("its items are lost"));
        assert_eq!(Change::Create.means(Kind::Role), None);
    }

    #[test]
    fn an_update_says_itself_what_it_loses_and_whom_it_lets_in() {
        let table = Id::new(Kind::Table, "orders");
        let update = |impact| Change::update("field", Some("old"), None, impact).unwrap();
        let loses = update(Impact::Loses { what: "the backups".to_owned(), means: "they are gone" });
        assert_eq!((loses.loss(&table).as_deref(), loses.opening()), (Some("the backups"), None));
        assert_eq!(loses.means(Kind::Table), Some("they are gone"));
        let opens = update(Impact::LetsIn { what: "GET /orders".to_owned(), means: "anybody may call it" });
        assert_eq!((opens.loss(&table), opens.opening()), (None, Some("GET /orders")));
        let notice = update(Impact::Notice("takes a minute"));
        assert_eq!((notice.loss(&table), notice.opening()), (None, None));
        assert_eq!(notice.means(Kind::Table), Some("takes a minute"));
        assert_eq!(update(Impact::None).means(Kind::Table), None);
    }
}
