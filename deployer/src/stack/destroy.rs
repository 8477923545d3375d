//! The order of deletion.

use super::orphans::Orphans;
use super::{Stack, known};
use crate::engine::Engine;
use crate::resources::api_gateway::rest_api::ExistingRestApi;
use crate::resources::dynamodb::scaling::ExistingScaling;
use crate::resources::dynamodb::table::ExistingTable;
use crate::resources::iam::policy::ExistingPolicy;
use crate::resources::iam::role::ExistingRole;
use crate::resources::lambda::function::ExistingFunction;
use crate::resources::logs::log_group::ExistingLogGroup;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use std::future::{Ready, ready};
use tokio::join;

impl Stack {
    /// Deletes everything that is declared and exists. `keep_tables` is the reason why tables stay, if they do.
    pub(crate) async fn destroy(&self, go: &Engine<'_>, keep_tables: Option<&str>) {
        let deletion = Deletion {
            api: self.api.as_ref().map(|api| &api.existing),
            functions: self.functions.iter().map(|function| &function.existing).collect(),
            policies: self.policies.iter().map(|policy| &policy.existing).collect(),
            roles: self.roles.iter().map(|role| &role.existing).collect(),
            log_groups: self.log_groups.iter().map(|group| &group.existing).collect(),
            tables: self.tables().collect(),
            scalings: self.scalings.iter().map(|scaling| &scaling.existing).collect(),
        };
        deletion.run(go, keep_tables).await;
    }
}

impl Orphans {
    /// Deletes them in the order of a stack. `keep_tables` is the reason why tables stay, if they do.
    pub(crate) async fn destroy(&self, go: &Engine<'_>, keep_tables: Option<&str>) {
        let deletion = Deletion {
            api: None,
            functions: self.functions.iter().collect(),
            policies: self.policies.iter().collect(),
            roles: self.roles.iter().collect(),
            log_groups: self.log_groups.iter().collect(),
            tables: self.tables.iter().collect(),
            scalings: self.scalings.iter().collect(),
        };
        deletion.run(go, keep_tables).await;
    }
}

/// Everything that is deleted together.
struct Deletion<'a> {
    api: Option<&'a ExistingRestApi>,
    functions: Vec<&'a ExistingFunction>,
    policies: Vec<&'a ExistingPolicy>,
    roles: Vec<&'a ExistingRole>,
    log_groups: Vec<&'a ExistingLogGroup>,
    tables: Vec<&'a ExistingTable>,
    scalings: Vec<&'a ExistingScaling>,
}

impl Deletion<'_> {
    /// Deletes everything in AWS's order. Deleting the API deletes its stage, and deleting a function deletes its
    /// permissions. Functions and tables outlive the API: if its deletion is refused, its requests still work. The
    /// role outlives the function and the policy. So does the log group, because a last log line would create it
    /// again; without the policy nobody may write one.
    async fn run(&self, go: &Engine<'_>, keep_tables: Option<&str>) {
        let api = join_all(self.api.iter().map(|api| go.remove(*api, now()))).map(|gone| all(&gone));
        let api = known(api);
        let functions = self.functions.iter().map(|function| go.remove(*function, api.clone()));
        let functions = join_all(functions).map(|gone| all(&gone));
        let policies = self.policies.iter().map(|policy| go.remove(*policy, api.clone()));
        let policies = join_all(policies).map(|gone| all(&gone));
        // A missing resource waits for nothing, so that it is gone does not mean that the API is.
        let silent = known(both_gone(api.clone(), both_gone(functions, policies)));
        let roles = join_all(self.roles.iter().map(|role| go.remove(*role, silent.clone())));
        let log_groups = join_all(self.log_groups.iter().map(|group| go.remove(*group, silent.clone())));
        let tables = join_all(self.tables.iter().map(async |table| {
            let scaling = self.scalings.iter().find(|scaling| scaling.table == table.name);
            match keep_tables {
                Some(why) => go.keep(*table, why).await,
                None => {
                    let unscaled = async {
                        match scaling {
                            Some(scaling) => both_gone(api.clone(), go.remove(*scaling, api.clone())).await,
                            None => api.clone().await,
                        }
                    };
                    go.remove(*table, unscaled).await
                }
            }
        }));
        join!(roles, log_groups, tables, silent);
    }
}

/// Nothing has to be deleted first.
fn now() -> Ready<bool> {
    ready(true)
}

fn all(gone: &[bool]) -> bool {
    gone.iter().all(|gone| *gone)
}

async fn both_gone(a: impl Future<Output = bool>, b: impl Future<Output = bool>) -> bool {
    let (a, b) = join!(a, b);
    a && b
}
