//! `stack.toml`: what a person declares. Every key has the lab's value as its default, so an empty file is a stack.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A whole manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Manifest {
    /// The stack's name: the value of the ownership tag. One stack per account, region and name.
    pub name: String,
    /// Where it is; otherwise the SDK's own chain decides.
    pub region: Option<String>,
    /// Refuse every other account. Empty allows all.
    pub allowed_accounts: Vec<String>,
    /// By table name.
    pub tables: BTreeMap<String, Table>,
    /// By function name.
    pub functions: BTreeMap<String, Function>,
    /// The one REST API.
    pub api: Api,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            name: "lambda-apigateway".to_owned(),
            region: None,
            allowed_accounts: Vec::new(),
            tables: [("lambda-apigateway".to_owned(), Table::default())].into(),
            functions: [("LambdaFunctionOverHttps".to_owned(), Function::default())].into(),
            api: Api::default(),
        }
    }
}

/// A `DynamoDB` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Table {
    /// The hash key.
    pub partition_key: Key,
    /// The range key.
    pub sort_key: Option<Key>,
    /// How capacity is paid for.
    pub billing: Billing,
    /// The attribute that holds an item's expiry, as epoch seconds.
    pub ttl: Option<String>,
    /// Continuous backups.
    pub point_in_time_recovery: bool,
    /// Whether AWS refuses to delete the table. Absent leaves it as it is: protection is never switched off by default.
    pub deletion_protection: Option<bool>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            partition_key: Key { name: "id".to_owned(), r#type: KeyType::S },
            sort_key: None,
            billing: Billing::OnDemand(OnDemand::OnDemand),
            ttl: None,
            point_in_time_recovery: false,
            deletion_protection: None,
        }
    }
}

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// The attribute's name.
    pub name: String,
    /// Its type.
    pub r#type: KeyType,
}

/// What a key attribute may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum KeyType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

/// How a table's capacity is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Billing {
    /// Per request.
    OnDemand(OnDemand),
    /// Per hour, for what is set aside.
    Provisioned(Provisioned),
}

/// The one word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnDemand {
    /// `billing = "on-demand"`
    OnDemand,
}

/// Capacity units a second.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provisioned {
    /// Read capacity units.
    pub read: i64,
    /// Write capacity units.
    pub write: i64,
    /// Auto scaling goes up to this, for both.
    pub max: Option<i64>,
}

/// A Lambda function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Function {
    /// A Cargo package of the workspace, built with cargo-lambda.
    pub package: Option<String>,
    /// Or a zip file that is ready, with `runtime` and `handler`.
    pub zip: Option<PathBuf>,
    /// Lambda's name of the runtime.
    pub runtime: Option<String>,
    /// What the runtime calls.
    pub handler: Option<String>,
    /// In MB; CPU grows with it.
    pub memory: i32,
    /// In seconds.
    pub timeout: i32,
    /// Of the processor.
    pub architecture: Architecture,
    /// What its role may touch; absent means all tables of the stack.
    pub tables: Option<Vec<String>>,
    /// The execution role's name.
    pub role: String,
    /// The policy document of that role.
    pub policy: PathBuf,
    /// How long logs are kept, in days.
    pub log_retention_days: i32,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Concurrent executions set aside for it, and its limit.
    pub reserved_concurrency: Option<i32>,
    /// Whether X-Ray traces every request.
    pub tracing: bool,
    /// Shown in the console.
    pub description: String,
}

/// Where the default policy document lies in a project; a built-in copy serves where there is no such file.
pub(crate) const DEFAULT_POLICY: &str = "policies/lambda-apigateway-policy.json";

impl Default for Function {
    fn default() -> Self {
        Self {
            package: None,
            zip: None,
            runtime: None,
            handler: None,
            memory: 128,
            timeout: 10,
            architecture: Architecture::X86_64,
            tables: None,
            role: "lambda-apigateway-role".to_owned(),
            policy: DEFAULT_POLICY.into(),
            log_retention_days: 14,
            environment: BTreeMap::new(),
            reserved_concurrency: None,
            tracing: false,
            description: String::new(),
        }
    }
}

/// A processor that Lambda offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

/// The REST API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Api {
    /// Its name. AWS does not make it unique; our tags do.
    pub name: String,
    /// The stage that routes are called at.
    pub stage: String,
    /// Limits of the stage.
    pub throttle: Option<Throttle>,
    /// Absent means `POST /DynamoDBManager` to the only function.
    pub routes: Vec<Route>,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            name: "DynamoDBOperations".to_owned(),
            stage: "Prod".to_owned(),
            throttle: None,
            routes: Vec::new(),
        }
    }
}

/// Limits on calls.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throttle {
    /// Requests a second.
    pub rate: f64,
    /// Requests at once.
    pub burst: i32,
}

/// One method on one path.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// `GET`, `POST`, … or `ANY`.
    pub method: String,
    /// From the root, like `/items/{id}`.
    pub path: String,
    /// One of the stack's functions.
    pub function: String,
    /// What the function gets.
    #[serde(default)]
    pub integration: IntegrationKind,
    /// Who may call.
    #[serde(default)]
    pub auth: Auth,
}

/// What the function gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IntegrationKind {
    /// The body is the event.
    #[default]
    Aws,
    /// The event describes the HTTP request.
    AwsProxy,
}

/// Who may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Auth {
    /// Everybody.
    #[default]
    None,
    /// Who signs with IAM credentials that allow it.
    Iam,
    /// Who sends an API key of a usage plan.
    ApiKey,
}

impl Manifest {
    /// Reads a manifest. `path` is for messages.
    ///
    /// # Errors
    /// Unknown keys and values of the wrong form, with line and column.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut manifest: Self = toml::from_str(text).map_err(|e| {
            Error::usage(format!("{}: {}", path.display(), e.to_string().trim_end()))
                .hint("README.md lists every key of the manifest.")
        })?;
        if manifest.api.routes.is_empty()
            && let [function] = manifest.functions.keys().collect::<Vec<_>>()[..]
        {
            let route = Route {
                method: "POST".to_owned(),
                path: "/DynamoDBManager".to_owned(),
                function: function.clone(),
                integration: IntegrationKind::Aws,
                auth: Auth::None,
            };
            manifest.api.routes.push(route);
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_manifest_is_the_lab() {
        let lab = Manifest::parse("", Path::new("stack.toml")).unwrap();
        assert_eq!(lab.name, "lambda-apigateway");
        assert_eq!(lab.tables.keys().collect::<Vec<_>>(), ["lambda-apigateway"]);
        assert_eq!(lab.functions.keys().collect::<Vec<_>>(), ["LambdaFunctionOverHttps"]);
        let [route] = &lab.api.routes[..] else { panic!("one route: {:?}", lab.api.routes) };
        assert_eq!((route.method.as_str(), route.path.as_str()), ("POST", "/DynamoDBManager"));
    }

    #[test]
    fn the_manifest_of_this_project_is_the_lab_too() {
        let text = include_str!("../../stack.toml");
        let ours = Manifest::parse(text, Path::new("stack.toml")).unwrap();
        let lab = Manifest::parse("", Path::new("stack.toml")).unwrap();
        assert_eq!(format!("{ours:?}"), format!("{lab:?}"));
    }

    #[test]
    fn an_unknown_key_names_its_place() {
        let error = Manifest::parse("name = \"x\"\nregoin = \"y\"\n", Path::new("stack.toml")).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        assert!(error.to_string().contains("line 2, column 1"), "{error}");
        assert!(error.to_string().contains("regoin"), "{error}");
    }
}
