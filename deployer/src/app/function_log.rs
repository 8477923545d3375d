//! The log group that a function writes to.

use super::session::Connected;
use crate::engine::{Id, Kind};
use crate::error::{Error, Result};

/// The log of a declared function.
pub(crate) struct FunctionLog {
    /// The actual log group, even where it is not the declared one.
    pub(crate) group: Id,
    pub(crate) exists: bool,
}

impl FunctionLog {
    /// Finds the log of a declared function, by the function's name in AWS.
    ///
    /// # Errors
    /// Fails when neither function nor log group exists, or they belong to another stack.
    pub(crate) async fn find(connected: &Connected<'_>, name: &str) -> Result<Self> {
        let stack = &connected.stack;
        let (Some(function), Some(group)) = (stack.function(name), stack.log_group(name)) else {
            return Err(Error::new(format!("the stack has no function {name}")));
        };
        let declared = &group.existing.name;
        let (function_found, group_found) = tokio::join!(connected.found(function), connected.found(group));
        let observed = function_found.as_ref().ok().and_then(Option::as_ref);
        let elsewhere = observed
            .map(|observed| function.existing.observed_log_group(observed))
            .filter(|other| other != declared);
        if let Some(other) = elsewhere {
            connected.session.console.talk(&format!("{name} logs to {other}, and not to {declared}."));
            return Ok(Self { group: Id::new(Kind::LogGroup, other), exists: true });
        }
        let exists = group_found?.is_some();
        if !exists && function_found?.is_none() {
            // This fails, and says that the function is not deployed.
            connected.standing(function).await?;
        }
        Ok(Self { group: Id::new(Kind::LogGroup, declared), exists })
    }
}
