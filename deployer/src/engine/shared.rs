//! Answers that all resources of a walk share, so that AWS is asked once.

use crate::error::Result;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Mutex;

/// The paths of the account's managed policies, by their names in lower case.
pub(crate) type PolicyPaths = BTreeMap<String, String>;

/// The answers that the resources of one walk share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    policy_paths: Mutex<Option<Rc<PolicyPaths>>>,
}

impl Shared {
    /// Returns the list, and reads it on the first call. Concurrent callers wait for that one read.
    ///
    /// # Errors
    /// Fails with the error of `read`. The next caller reads again.
    pub(crate) async fn policy_paths(
        &self,
        read: impl Future<Output = Result<PolicyPaths>>,
    ) -> Result<Rc<PolicyPaths>> {
        let mut known = self.policy_paths.lock().await;
        if let Some(paths) = &*known {
            return Ok(Rc::clone(paths));
        }
        let paths = Rc::new(read.await?);
        *known = Some(Rc::clone(&paths));
        Ok(paths)
    }

    /// Drops all answers, because AWS has contradicted one of them.
    pub(super) async fn forget(&self) {
        *self.policy_paths.lock().await = None;
    }
}
