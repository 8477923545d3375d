//! Builds the resources of a stack from its manifest, under their final names.

use super::Stack;
use super::proof::Shown;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, LARGEST_POLICY};
use crate::manifest::{DEFAULT_POLICY, Function as DeclaredFunction};
use crate::names::{Scope, log_group_of};
use crate::resources::api_gateway::definition::Definition;
use crate::resources::api_gateway::rest_api::{ExistingRestApi, RestApi};
use crate::resources::dynamodb::scaling::Scaling;
use crate::resources::dynamodb::table::{ExistingTable, Table};
use crate::resources::iam::policy::{ExistingPolicy, Policy};
use crate::resources::iam::policy_document::{self, Placeholders};
use crate::resources::iam::role::{ExistingRole, Role};
use crate::resources::lambda::function::{ExistingFunction, Function};
use crate::resources::lambda::permission::{ExistingPermission, Part, Permission};
use crate::resources::logs::log_group::{ExistingLogGroup, LogGroup};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TRUST_POLICY: &str = include_str!("../../../policies/lambda-trust-policy.json");
const CUSTOM_POLICY: &str = include_str!("../../../policies/lambda-apigateway-policy.json");

/// The handler of the provided runtimes, which a built package contains.
const BOOTSTRAP: &str = "bootstrap";
const RUNTIME: &str = "provided.al2023";

impl Stack {
    /// # Errors
    /// Fails with everything that is wrong with policy documents and permissions boundaries. They are checked here,
    /// because IAM would refuse them halfway and because their placeholders are known only here.
    pub(crate) fn new(config: &Config, scope: &Scope) -> Result<Self> {
        let mut mistakes = Vec::new();
        let stack = Self::build(config, scope, |members| {
            let boundary = members[0].1.permissions_boundary.as_deref();
            mistakes.extend(boundary.and_then(|arn| boundary_elsewhere(arn, scope)));
            custom_policy(config, scope, members).unwrap_or_else(|error| {
                mistakes.push(error.to_string());
                Value::Null
            })
        })?;
        if mistakes.is_empty() { Ok(stack) } else { Err(Error::usage(mistakes.join("\n"))) }
    }

    /// Builds the resources to observe and delete, whatever the policy documents say.
    ///
    /// # Errors
    /// No manifest causes an error.
    pub(crate) fn to_delete(config: &Config, scope: &Scope) -> Result<Self> {
        Self::build(config, scope, |_| Value::Null)
    }

    fn build(
        config: &Config,
        scope: &Scope,
        mut document: impl FnMut(&[&(String, &DeclaredFunction)]) -> Value,
    ) -> Result<Self> {
        let manifest = &config.manifest;
        let named = |name: &str| format!("{name}{}", config.suffix);
        let functions: Vec<(String, &DeclaredFunction)> =
            manifest.functions.iter().map(|(name, function)| (named(name), function)).collect();
        let mut roles = Vec::new();
        let mut policies = Vec::new();
        for (name, members) in by_role(&functions) {
            let role = named(name);
            policies.push(Policy {
                existing: ExistingPolicy::of_role(&role, scope),
                document: document(&members),
            });
            roles.push(Role {
                existing: ExistingRole { name: role, scope: scope.clone() },
                trust: policy_document::fill(TRUST_POLICY, &Placeholders::new(), Vec::new())?,
                description: ExistingRole::description_of(scope),
                boundary: members[0].1.permissions_boundary.clone(),
            });
        }
        let routes = &manifest.api.routes;
        let tables: Vec<Table> = manifest
            .tables
            .iter()
            .map(|(name, declared)| Table {
                existing: ExistingTable { name: named(name), scope: scope.clone() },
                declared: declared.clone(),
            })
            .collect();
        Ok(Self {
            roles,
            policies,
            log_groups: functions.iter().map(|(name, f)| log_group(name, f, scope)).collect(),
            scalings: tables.iter().map(scaling).collect(),
            tables,
            permissions: functions
                .iter()
                .map(|(name, _)| Permission {
                    existing: ExistingPermission { function: name.clone() },
                    routes: routes
                        .iter()
                        .filter(|route| named(&route.function) == *name)
                        .map(|route| (route.method.clone(), route.path.clone()))
                        .collect(),
                    part: Part::All,
                    scope: scope.clone(),
                })
                .collect(),
            functions: functions.iter().map(|(name, f)| function(name, f, &named(&f.role), scope)).collect(),
            api: Some(RestApi {
                existing: ExistingRestApi {
                    name: named(&manifest.api.name),
                    stage: manifest.api.stage.clone(),
                    scope: scope.clone(),
                },
                throttle: manifest.api.throttle,
                variables: manifest.api.variables.clone(),
                definition: Definition::of(routes, &config.suffix, scope),
                adopt: None,
            }),
            shown: Shown::of(manifest),
        })
    }
}

/// Groups functions by role. Functions that share one declare the same about it.
fn by_role<'a>(
    functions: &'a [(String, &'a DeclaredFunction)],
) -> BTreeMap<&'a str, Vec<&'a (String, &'a DeclaredFunction)>> {
    let mut roles: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for member in functions {
        roles.entry(&member.1.role).or_default().push(member);
    }
    roles
}

fn custom_policy(config: &Config, scope: &Scope, members: &[&(String, &DeclaredFunction)]) -> Result<Value> {
    let file = &members[0].1.policy;
    let path = config.root.join(file);
    let text = match files::read_text(&path, LARGEST_POLICY) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && *file == *DEFAULT_POLICY => {
            CUSTOM_POLICY.to_owned()
        }
        Err(e) => return Err(Error::usage(format!("cannot read the policy {}: {e}", path.display()))),
    };
    let tables: BTreeSet<String> = members
        .iter()
        .flat_map(|(_, function)| match &function.tables {
            Some(tables) => tables.clone(),
            None => config.manifest.tables.keys().cloned().collect(),
        })
        .map(|table| scope.table_arn(&format!("{table}{}", config.suffix)))
        .collect();
    let logs: Vec<String> =
        members.iter().map(|(function, _)| scope.log_group_arn(&log_group_of(function))).collect();
    let with = |suffix: &str, arns: &[String]| arns.iter().map(|arn| format!("{arn}{suffix}")).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    let values = Placeholders::from([
        ("table-indexes", with("/index/*", &tables)),
        ("tables", tables),
        ("log-streams", with(":*", &logs)),
        ("log-groups", logs),
    ]);
    // Lambda refuses tracing unless the role may write traces. X-Ray's actions have no resource-level permissions.
    let tracing = members.iter().any(|(_, function)| function.tracing).then(|| {
        let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
        serde_json::json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
    });
    let name = format!("the policy {}", path.display());
    let document = policy_document::fill(&text, &values, tracing.into_iter().collect())
        .map_err(|error| error.context(&name))?;
    let mistakes = policy_document::mistakes(&document);
    if mistakes.is_empty() {
        return Ok(document);
    }
    Err(Error::usage(format!("{name} is not what IAM takes:\n  {}", mistakes.join("\n  "))))
}

/// Checks a permissions boundary's account and partition: IAM accepts policies of this account and those of AWS.
fn boundary_elsewhere(arn: &str, scope: &Scope) -> Option<String> {
    let mut parts = arn.split(':').skip(1);
    let (partition, account) = (parts.next()?, parts.nth(2)?);
    let is_here = partition == scope.partition && (account == "aws" || account == scope.account);
    (!is_here).then(|| {
        format!(
            "the permissions boundary {arn} is not of this account: IAM takes policies of {} in the partition {}, and AWS's \
             own",
            scope.account, scope.partition
        )
    })
}

fn scaling(table: &Table) -> Scaling {
    Scaling::of(table.existing.name.clone(), &table.declared.billing)
}

fn log_group(function: &str, declared: &DeclaredFunction, scope: &Scope) -> LogGroup {
    LogGroup {
        existing: ExistingLogGroup {
            name: log_group_of(function),
            claims_unowned: true,
            scope: scope.clone(),
        },
        retention_days: declared.log_retention_days,
    }
}

fn function(name: &str, declared: &DeclaredFunction, role: &str, scope: &Scope) -> Function {
    Function {
        existing: ExistingFunction { name: name.to_owned(), scope: scope.clone() },
        description: declared.description.clone(),
        runtime: declared.runtime.clone().unwrap_or_else(|| RUNTIME.to_owned()),
        handler: declared.handler.clone().unwrap_or_else(|| BOOTSTRAP.to_owned()),
        memory: declared.memory,
        timeout: declared.timeout,
        architecture: declared.architecture,
        environment: declared.environment.clone(),
        tracing: declared.tracing,
        reserved_concurrency: declared.reserved_concurrency,
        role: role.to_owned(),
    }
}
