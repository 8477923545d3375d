//! What the stack is made of, what needs what, and in which order it goes. Read this file first.

use crate::config::Config;
use crate::smoke;
pub(crate) mod orphans;

use crate::aws::Aws;
use crate::engine::{Engine, both, nothing};
use crate::error::{Error, Result};
use crate::files::{self, LARGEST_POLICY};
use crate::manifest::{Auth, DEFAULT_POLICY, Function as DeclaredFunction, IntegrationKind, Route};
use crate::names::{Scope, log_group_of, policy_of_role};
use crate::packaging::{Packages, Place};
use crate::resources::api_gateway::definition::Definition;
use crate::resources::api_gateway::rest_api::{self, RestApi};
use crate::resources::dynamodb::scaling::Scaling;
use crate::resources::dynamodb::table::Table;
use crate::resources::iam::policy::Policy;
use crate::resources::iam::policy_document::{self, Placeholders};
use crate::resources::iam::role::Role;
use crate::resources::lambda::function::Function;
use crate::resources::lambda::permission::{Part, Permission};
use crate::resources::logs::log_group::LogGroup;
use crate::stack::orphans::{Declared, Orphans};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared, join_all};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Ready, ready};
use tokio::join;

const TRUST_POLICY: &str = include_str!("../../policies/lambda-trust-policy.json");
const CUSTOM_POLICY: &str = include_str!("../../policies/lambda-apigateway-policy.json");

/// What provided runtimes start, and so what a built package holds.
const BOOTSTRAP: &str = "bootstrap";
const RUNTIME: &str = "provided.al2023";

/// Everything that is declared, under its final names.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    roles: Vec<Role>,
    policies: Vec<Policy>,
    log_groups: Vec<LogGroup>,
    pub(crate) tables: Vec<Table>,
    /// One for each table, whether or not its capacity is to scale.
    scalings: Vec<Scaling>,
    functions: Vec<Function>,
    /// `None` for what is no longer declared: an API of ours is found whatever its name.
    api: Option<RestApi>,
    permissions: Vec<Permission>,
    /// Of the route whose URL is shown.
    path: Option<String>,
    /// Why the URL is not asked, if it is not.
    not_asked: Option<&'static str>,
}

impl Stack {
    /// # Errors
    /// Everything that is wrong with policy documents and permissions boundaries. They are checked here because IAM would
    /// refuse them half-way, and because only here is known what their placeholders stand for.
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

    /// What is to be looked at and deleted, whatever its policy documents say.
    ///
    /// # Errors
    /// None that a manifest could cause.
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
            let policy = Policy {
                name: policy_of_role(&role),
                role: role.clone(),
                document: document(&members),
                scope: scope.clone(),
            };
            roles.push(Role {
                name: role,
                trust: policy_document::fill(TRUST_POLICY, &Placeholders::new(), Vec::new())?,
                description: Role::description_of(scope),
                boundary: members[0].1.permissions_boundary.clone(),
                policies: vec![policy.arn()],
                scope: scope.clone(),
            });
            policies.push(policy);
        }
        let routes = &manifest.api.routes;
        let takes_ping = |route: &&Route| {
            route.auth == Auth::None && route.integration == IntegrationKind::Aws && route.method == "POST"
        };
        let runs = |route: &&Route| {
            let function = manifest.functions.get(&route.function);
            function.is_none_or(|function| function.reserved_concurrency != Some(0))
        };
        let stopped = routes.iter().find(takes_ping);
        let proof = routes.iter().filter(takes_ping).find(runs);
        let not_asked = match (proof, stopped) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(smoke::NOT_RUNNING),
            (None, None) => Some(smoke::NOT_ASKED),
        };
        let any = || routes.iter().find(|route| !route.has_parameters());
        let shown = proof.or(stopped).or_else(any);
        let tables: Vec<Table> = manifest
            .tables
            .iter()
            .map(|(name, declared)| Table {
                name: named(name),
                declared: declared.clone(),
                scope: scope.clone(),
            })
            .collect();
        Ok(Self {
            roles,
            policies,
            log_groups: functions.iter().map(|(name, f)| log_group(name, f, scope)).collect(),
            scalings: scalings(&tables),
            tables,
            permissions: functions
                .iter()
                .map(|(name, _)| Permission {
                    function: name.clone(),
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
                name: named(&manifest.api.name),
                stage: manifest.api.stage.clone(),
                throttle: manifest.api.throttle,
                variables: manifest.api.variables.clone(),
                definition: Definition::of(routes, &config.suffix, scope),
                adopt: None,
                scope: scope.clone(),
            }),
            path: shown.map(|route| route.path.clone()),
            not_asked,
        })
    }

    /// Plan, status and up are this one walk; only the engine's mode differs. An edge is what AWS enforces, no more:
    /// names and ARNs are known beforehand, so the function does not wait for its policy, its table or its log group.
    ///
    /// `standing` is the API as a plan found it. One that is in use goes last but for the permissions that it needs no
    /// more, so that it never leads to what is not there yet, or not any more.
    pub(crate) async fn walk(
        &self,
        go: &Engine<'_>,
        packages: &Packages,
        standing: Option<&rest_api::Output>,
    ) -> Option<rest_api::Output> {
        let roles: BTreeMap<&str, Known<'_, _>> =
            self.roles.iter().map(|role| (role.name.as_str(), known(go.step(role, nothing())))).collect();
        let tables: BTreeMap<&str, Known<'_, _>> =
            self.tables.iter().map(|table| (table.name.as_str(), known(go.step(table, nothing())))).collect();
        let scalings = join_all(
            self.scalings.iter().map(|scaling| go.step(scaling, tables[scaling.table.as_str()].clone())),
        );
        let tables = join_all(tables.values().cloned());
        let log_groups = join_all(self.log_groups.iter().map(|group| go.step(group, nothing())));
        let policies =
            join_all(self.policies.iter().map(|policy| go.step(policy, roles[policy.role.as_str()].clone())));
        let functions: BTreeMap<&str, Known<'_, _>> = self
            .functions
            .iter()
            .map(|function| {
                let needs = both(roles[function.role.as_str()].clone(), packages.get(go, &function.name));
                (function.name.as_str(), known(go.step(function, needs)))
            })
            .collect();
        let allowed = async {
            let Some(standing) = standing else { return Some(()) };
            let functions_stand = join_all(functions.values().cloned());
            // A function without routes has nothing to allow, and nothing to wait for.
            let routed = self.permissions.iter().filter(|permission| !permission.routes.is_empty());
            let allowing = join_all(routed.map(async |permission| {
                let needs =
                    both(functions[permission.function.as_str()].clone(), ready(Some(standing.clone())));
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
            let needs = both(functions[permission.function.as_str()].clone(), api.clone());
            go.step(&permission.only(rest), needs).await
        }));
        let functions = join_all(functions.values().cloned());
        let roles = join_all(roles.values().cloned());
        let (.., api) =
            join!(roles, tables, scalings, log_groups, policies, functions, permissions, api.clone());
        api
    }

    /// Down, by hand: deleting the API takes its stage, deleting a function takes its permissions. Whatever the API leads
    /// to outlives it: it may refuse to go, and then its requests still work. The role outlives
    /// the function and the policy. So does the log group, because a last log line would make it again: without the
    /// policy, nobody may write one.
    ///
    /// `keep_tables` says why the tables stay, if they do.
    pub(crate) async fn destroy(&self, go: &Engine<'_>, keep_tables: Option<&str>) {
        let api = join_all(self.api.iter().map(|api| go.remove(api, now()))).map(|gone| all(&gone));
        let api = known(api);
        let functions = self.functions.iter().map(|function| go.remove(function, api.clone()));
        let functions = join_all(functions).map(|gone| all(&gone));
        let policies = self.policies.iter().map(|policy| go.remove(policy, api.clone()));
        let policies = join_all(policies).map(|gone| all(&gone));
        // What is not there waits for nothing, so that its being gone does not say that the API is.
        let silent = known(both_gone(api.clone(), both_gone(functions, policies)));
        let roles = join_all(self.roles.iter().map(|role| go.remove(role, silent.clone())));
        let log_groups = join_all(self.log_groups.iter().map(|group| go.remove(group, silent.clone())));
        let tables = join_all(self.tables.iter().map(|table| async {
            let scaling = self.scalings.iter().find(|scaling| scaling.table == table.name);
            match keep_tables {
                Some(why) => go.keep(table, why).await,
                None => {
                    let unscaled = async {
                        match scaling {
                            Some(scaling) => both_gone(api.clone(), go.remove(scaling, api.clone())).await,
                            None => api.clone().await,
                        }
                    };
                    go.remove(table, unscaled).await
                }
            }
        }));
        join!(roles, log_groups, tables, silent);
    }

    /// What is no longer declared, as a stack of its own, so that it goes the same way as everything else.
    pub(crate) fn of(orphans: Orphans) -> Self {
        Self {
            roles: orphans.roles,
            policies: orphans.policies,
            log_groups: orphans.log_groups,
            scalings: scalings(&orphans.tables),
            tables: orphans.tables,
            functions: orphans.functions,
            api: None,
            permissions: Vec::new(),
            path: None,
            not_asked: Some(smoke::NOT_ASKED),
        }
    }

    /// A declared function, by its name in AWS.
    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The log group of a declared function, by the function's name in AWS.
    pub(crate) fn log_group(&self, function: &str) -> Option<&LogGroup> {
        self.log_groups.iter().find(|group| group.name == log_group_of(function))
    }

    /// What people should know before they go on, a sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.functions.iter().filter_map(Function::warning).collect()
    }

    pub(crate) fn api(&self) -> Option<&RestApi> {
        self.api.as_ref()
    }

    pub(crate) fn declared(&self) -> Declared {
        Declared {
            functions: self.functions.iter().map(|function| function.name.clone()).collect(),
            log_groups: self.log_groups.iter().map(|group| group.name.clone()).collect(),
            tables: self.tables.iter().map(|table| table.name.clone()).collect(),
            roles: self.roles.iter().map(|role| role.name.clone()).collect(),
        }
    }

    /// The same stack, whose log groups count as ours even without tags where their function was ours.
    pub(crate) fn claiming_logs_of(mut self, functions: &BTreeSet<String>) -> Self {
        for group in &mut self.log_groups {
            group.claims_unowned = functions.iter().any(|function| log_group_of(function) == group.name);
        }
        self
    }

    /// The same stack, which takes over the API of this id.
    pub(crate) fn adopting_api(mut self, id: Option<&str>) -> Self {
        if let Some(api) = &mut self.api {
            api.adopt = id.map(str::to_owned);
        }
        self
    }

    /// Where the route is called that takes the smoke test's request. A stack without one has the URL of its first route,
    /// or of its stage where all paths have parameters.
    pub(crate) fn invoke_url(&self, aws: &Aws, output: &rest_api::Output) -> Option<String> {
        let stage = &self.api.as_ref()?.stage;
        let path = self.path.as_deref().map_or("", |path| output.path(path));
        Some(aws.invoke_url(&output.id, stage, path))
    }

    /// Why the invoke URL is not asked; `None` where it takes the smoke test's request.
    pub(crate) fn not_asked(&self) -> Option<&'static str> {
        self.not_asked
    }

    /// Starts to build each function's package.
    ///
    /// # Errors
    /// A zip that is declared as ready and is not.
    pub(crate) fn packages(config: &Config) -> Result<Packages> {
        let functions = config.manifest.functions.iter();
        let place = Place {
            machine: config.machine.clone(),
            root: config.root.clone(),
            build: config.build,
            local: config.target.local,
        };
        Packages::start(functions.map(|(name, function)| (config.named(name), function)), &place)
    }
}

/// An output that several others build on: made once, awaited by all.
type Known<'a, T> = Shared<LocalBoxFuture<'a, T>>;

fn known<'a, T: Clone>(step: impl Future<Output = T> + 'a) -> Known<'a, T> {
    step.boxed_local().shared()
}

/// Nothing has to go first.
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

fn scalings(tables: &[Table]) -> Vec<Scaling> {
    tables.iter().map(|table| Scaling::of(table.name.clone(), &table.declared.billing)).collect()
}

/// Functions may share a role, and then declare the same of it.
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
    // Lambda refuses to trace for a role that may not. X-Ray's actions know no resources.
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

/// IAM takes the account's own policies for boundaries, and AWS's.
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

fn log_group(function: &str, declared: &DeclaredFunction, scope: &Scope) -> LogGroup {
    LogGroup {
        name: log_group_of(function),
        retention_days: declared.log_retention_days,
        claims_unowned: true,
        scope: scope.clone(),
    }
}

fn function(name: &str, declared: &DeclaredFunction, role: &str, scope: &Scope) -> Function {
    Function {
        name: name.to_owned(),
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
        scope: scope.clone(),
    }
}
