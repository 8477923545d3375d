//! The one abstraction: a kind of thing that a stack owns, described by its desired state.

use crate::engine::Step;
use crate::error::Result;
use crate::names::Owner;
use crate::printable::one_line;
use serde::Serialize;
use std::fmt;

/// What sort of thing it is, in AWS's words.
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

/// Names one thing of the stack.
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
        // A name in AWS may hold almost anything, and has to stay on its line.
        write!(f, "{} {}", self.kind, one_line(&self.name))
    }
}

/// A property's value as people may see it. A secret is redacted here, so that no renderer can forget to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    /// Absent.
    Nothing,
    /// As it is.
    Text(String),
}

impl Shown {
    /// Stands for a value that nobody may see.
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

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("(none)"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One difference between what is declared and what AWS has. Every mutation was one of these first.
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
    },
    /// It goes.
    Delete,
    /// It is deleted and made again, because one property cannot be changed in place.
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
    /// One property differs and is not changed, because that would lose something. `up` refuses to start.
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
    /// Whether it is about this property.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        match self {
            Self::Create | Self::Delete => false,
            Self::Update { field, .. } | Self::Replace { field, .. } | Self::Refused { field, .. } => {
                field == name
            }
        }
    }

    /// An update, unless both sides are the same.
    pub(crate) fn update<T: Into<Shown> + PartialEq>(
        field: impl Into<String>,
        from: T,
        to: T,
    ) -> Option<Self> {
        (from != to).then(|| Self::Update { field: field.into(), from: from.into(), to: to.into() })
    }
}

/// One kind of resource: how to look at it, compare it, make it so, and remove it.
///
/// # Expected flow
/// The engine observes, diffs, and, when it applies and the diff is not empty, calls `apply` once everything that
/// it needs is known. `plan`, `up` and `status` are this same flow in different modes.
///
/// # Guarantees to implementors
/// - `apply` is called only with a non-empty diff of the same observation.
/// - The futures of `apply` and `delete` are never dropped before they finish.
/// - `delete` is called only for something that is ours.
///
/// # Obligations
/// - `observe` and `observe_to_delete` read only. `diff`, `owner`, `output`, `state` and `blockers` are pure.
/// - `apply` and `delete` may find any state that an earlier run, killed at any moment, left behind.
/// - Everything that `apply` mutates was a [`Change`] of `diff`.
pub(crate) trait Resource {
    /// Outputs of the resources that must exist first: the graph's edges, in the type.
    type Needs: Clone;
    /// What AWS says about it now.
    type Observed: 'static;
    /// What dependents get to know.
    type Output;

    /// Its kind and name.
    fn id(&self) -> Id;
    /// Reads it; `None` when there is none.
    async fn observe(&self, step: &Step<'_>) -> Result<Option<Self::Observed>>;
    /// Reads it before it is deleted: also what only `blockers` and `delete` need, where that takes calls of its own.
    async fn observe_to_delete(&self, step: &Step<'_>) -> Result<Option<Self::Observed>> {
        self.observe(step).await
    }
    /// Whose it is, by its tags.
    fn owner(&self, seen: &Self::Observed) -> Owner;
    /// What `apply` would change. `needs` is `None` while a parent is not known yet, which only a plan sees.
    fn diff(&self, needs: Option<&Self::Needs>, seen: Option<&Self::Observed>) -> Vec<Change>;
    /// What an existing one offers its dependents.
    fn output(&self, seen: &Self::Observed) -> Self::Output;
    /// Its condition in a few words, for `status`.
    fn state(&self, seen: &Self::Observed) -> String;
    /// Why it cannot be deleted, each reason a sentence's end after "it". Asked before anything is deleted.
    fn blockers(&self, _seen: &Self::Observed) -> Vec<String> {
        Vec::new()
    }
    /// Makes AWS match.
    async fn apply(
        &self,
        step: &Step<'_>,
        needs: Self::Needs,
        seen: Option<Self::Observed>,
    ) -> Result<Self::Output>;
    /// Removes it and waits until it is gone. Already absent is success.
    async fn delete(&self, step: &Step<'_>, seen: Self::Observed) -> Result<()>;
}
