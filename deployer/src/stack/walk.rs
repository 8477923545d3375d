//! The one walk of `plan`, `status` and `up`: what needs what.

use super::{Known, Stack, known};
use crate::engine::{Engine, both, nothing};
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::resources::lambda::permission::Part;
use futures_util::future::{join_all, ready};
use std::collections::BTreeMap;
use tokio::join;

impl Stack {
    /// Plan, status and up are this one walk; only the engine's mode differs. An edge is what AWS enforces and no
    /// more. Names and ARNs are computed, so a function does not wait for its policy, table or log group.
    ///
    /// `standing` is the API that a plan found. An API in use is changed last, except for permissions that it no
    /// longer needs, so that it never leads to something that does not exist.
    pub(crate) async fn walk(
        &self,
        go: &Engine<'_>,
        packages: &Packages,
        standing: Option<&rest_api::Output>,
    ) -> Option<rest_api::Output> {
        let roles: BTreeMap<&str, Known<'_, _>> = self
            .roles
            .iter()
            .map(|role| (role.existing.name.as_str(), known(go.step(role, nothing()))))
            .collect();
        let tables: BTreeMap<&str, Known<'_, _>> = self
            .tables
            .iter()
            .map(|table| (table.existing.name.as_str(), known(go.step(table, nothing()))))
            .collect();
        let scalings = join_all(
            self.scalings
                .iter()
                .map(|scaling| go.step(scaling, tables[scaling.existing.table.as_str()].clone())),
        );
        let tables = join_all(tables.values().cloned());
        let log_groups = join_all(self.log_groups.iter().map(|group| go.step(group, nothing())));
        let policies = join_all(
            self.policies.iter().map(|policy| go.step(policy, roles[policy.existing.role.as_str()].clone())),
        );
        let functions: BTreeMap<&str, Known<'_, _>> = self
            .functions
            .iter()
            .map(|function| {
                let needs =
                    both(roles[function.role.as_str()].clone(), packages.get(go, &function.existing.name));
                (function.existing.name.as_str(), known(go.step(function, needs)))
            })
            .collect();
        let allowed = async {
            let Some(standing) = standing else { return Some(()) };
            let functions_stand = join_all(functions.values().cloned());
            // A function without routes needs no permission.
            let routed = self.permissions.iter().filter(|permission| !permission.routes.is_empty());
            let allowing = join_all(routed.map(async |permission| {
                let needs = both(
                    functions[permission.existing.function.as_str()].clone(),
                    ready(Some(standing.clone())),
                );
                go.step(&permission.only(Part::Adding), needs).await
            }));
            let (functions, permissions) = join!(functions_stand, allowing);
            (functions.iter().all(Option::is_some) && permissions.iter().all(Option::is_some)).then_some(())
        };
        let api = known(async {
            match &self.api {
                Some(api) => go.step(api, allowed).await,
                None => None,
            }
        });
        let rest = if standing.is_some() { Part::Removing } else { Part::All };
        let permissions = join_all(self.permissions.iter().map(async |permission| {
            let needs = both(functions[permission.existing.function.as_str()].clone(), api.clone());
            go.step(&permission.only(rest), needs).await
        }));
        let functions = join_all(functions.values().cloned());
        let roles = join_all(roles.values().cloned());
        let (.., api) =
            join!(roles, tables, scalings, log_groups, policies, functions, permissions, api.clone());
        api
    }
}
