//! What one walk asks AWS once for all resources, where each would ask for the same.

use crate::error::Result;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Mutex;

/// The paths of the account's managed policies, by their names in lower case.
pub(crate) type PolicyPaths = BTreeMap<String, String>;

/// Answers that the resources of one walk share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    policy_paths: Mutex<Option<Rc<PolicyPaths>>>,
}

impl Shared {
    /// The list that was read first; who asks meanwhile waits for it.
    ///
    /// # Errors
    /// What reading it fails with. The next one tries again.
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

    /// Everything is asked anew from now on: AWS contradicts what was seen.
    pub(super) async fn forget(&self) {
        *self.policy_paths.lock().await = None;
    }
}
