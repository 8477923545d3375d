//! What a policy is attached to.

use std::fmt;

/// Whoever a policy is attached to, or bounds, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Role(String),
    User(String),
    Group(String),
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role {name}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}
