//! What is done, and the names of what it is done to.

use clap::ValueEnum;
use std::fmt;

/// What is measured, in the order in which one stack goes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Operation {
    /// From nothing to an answer.
    ColdUp,
    /// Everything is as declared.
    NothingToDo,
    /// Nothing but the comparison.
    Plan,
    /// The comparison, and an answer.
    Status,
    /// Only the function's code has changed.
    CodeOnly,
    /// Back to nothing.
    Down,
}

impl Operation {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// How the deployer is told to do it.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ColdUp | Self::NothingToDo | Self::CodeOnly => &["up", "--release"],
            Self::Plan => &["plan", "--release"],
            Self::Status => &["status"],
            Self::Down => &["down"],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ColdUp => "cold `up`",
            Self::NothingToDo => "`up`, nothing to do",
            Self::Plan => "`plan`",
            Self::Status => "`status`",
            Self::CodeOnly => "`up`, code only",
            Self::Down => "`down`",
        })
    }
}

/// The lab's names, as the deployer gives them when a manifest gives none.
pub(crate) const ROLE: &str = "lambda-apigateway-role";
pub(crate) const POLICY: &str = "lambda-apigateway-policy";
pub(crate) const FUNCTION: &str = "LambdaFunctionOverHttps";
pub(crate) const TABLE: &str = "lambda-apigateway";
pub(crate) const API: &str = "DynamoDBOperations";
pub(crate) const STAGE: &str = "Prod";
pub(crate) const PATH: &str = "/DynamoDBManager";
pub(crate) const RETENTION_DAYS: i32 = 14;

pub(crate) fn log_group() -> String {
    format!("/aws/lambda/{FUNCTION}")
}
