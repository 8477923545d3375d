//! `[functions.NAME]`: a Lambda function, its role and its log group.

use super::code::{self, Code};
use super::environment;
use super::names;
use super::read::{Item, Text};
use super::schema::{of_text, one_of, within, without_default};
use super::section::Section;
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

/// A Lambda function, its role and its log group. Its code is a Cargo package that `deployer` builds, or a finished zip.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", default, deny_unknown_fields)]
#[schemars(transform = code::in_schema)]
pub(crate) struct Function {
    /// The Cargo package to build, a member of the workspace. Without this key, it is the package `function`, otherwise the
    /// package of the manifest's folder, otherwise the only one with a binary. Not beside `zip`.
    #[schemars(transform = names::PACKAGE.in_schema())]
    pub package: Option<String>,
    /// The binary of the package. Without this key, it is the only one, otherwise Cargo's `default-run`. Not beside `zip`.
    #[schemars(transform = names::BINARY.in_schema())]
    pub binary: Option<String>,
    /// The path of a finished zip, at most 50 MB, and 250 MB unzipped. It needs `runtime` and `handler`, and holds an executable
    /// `bootstrap` or the handler's file.
    #[schemars(length(min = 1))]
    pub zip: Option<PathBuf>,
    /// Lambda's name of the runtime, like `nodejs24.x`. Only with `zip`: a package has `provided.al2023`.
    #[schemars(transform = of_text(code::RUNTIME))]
    pub runtime: Option<String>,
    /// What the runtime calls, like `index.handler`, without spaces. Only with `zip`: a package has `bootstrap`.
    #[schemars(length(min = 1, max = code::LONGEST_HANDLER), transform = of_text(code::HANDLER))]
    pub handler: Option<String>,
    /// Memory in MB. Lambda gives more CPU with more memory.
    #[schemars(transform = within(&MEMORY_MB))]
    pub memory: i32,
    /// The longest time that one request may take, in seconds. At most 29 if a route calls the function.
    #[schemars(transform = within(&TIMEOUT_SECONDS))]
    pub timeout: i32,
    /// The processor.
    pub architecture: Architecture,
    /// The declared tables that the function's role may use. Without this key, it may use all of them.
    pub tables: Option<Vec<String>>,
    /// The name of the execution role. Functions that share a role also share `policy` and `permissions-boundary`. The length
    /// counts with the suffix of `--env`.
    #[schemars(transform = names::ROLE.in_schema())]
    pub role: String,
    /// The path of the role's policy document. It is checked by IAM's grammar, and for IAM's limit of 6,144 characters, before
    /// anything is changed.
    #[schemars(length(min = 1))]
    pub policy: PathBuf,
    /// The ARN of the role's permissions boundary: a policy of the same account, or of AWS.
    #[schemars(length(max = LONGEST_ARN), transform = of_text(POLICY_ARN))]
    pub permissions_boundary: Option<String>,
    /// How long CloudWatch Logs keeps the function's log, in days.
    #[schemars(transform = one_of(&RETENTION_DAYS))]
    pub log_retention_days: i32,
    /// Environment variables, together at most 4,096 bytes as JSON. Names have at least two characters, begin with a letter, and
    /// are none that Lambda sets itself.
    #[schemars(transform = environment::in_schema)]
    pub environment: BTreeMap<String, String>,
    /// Concurrent executions that are reserved for the function, and its limit.
    #[schemars(transform = within(&CONCURRENCY))]
    pub reserved_concurrency: Option<i32>,
    /// Whether X-Ray traces the requests.
    pub tracing: bool,
    /// A description for Lambda's console.
    #[schemars(length(max = LONGEST_DESCRIPTION))]
    pub description: String,
    /// Whether it is the lab's function, whose requests and errors `deployer` knows. Without this key, it is if `package` is
    /// `function` or absent, and there is no `zip`.
    #[schemars(transform = without_default)]
    pub lab: bool,
}

/// Where the default policy document lies in a project; a built-in copy serves where there is no such file.
pub(crate) const DEFAULT_POLICY: &str = "policies/lambda-apigateway-policy.json";

impl Default for Function {
    fn default() -> Self {
        Self {
            package: None,
            binary: None,
            zip: None,
            runtime: None,
            handler: None,
            memory: 128,
            timeout: 10,
            architecture: Architecture::X86_64,
            tables: None,
            role: "lambda-apigateway-role".to_owned(),
            policy: DEFAULT_POLICY.into(),
            permissions_boundary: None,
            log_retention_days: 14,
            environment: BTreeMap::new(),
            reserved_concurrency: None,
            tracing: false,
            description: String::new(),
            lab: true,
        }
    }
}

/// A processor that Lambda offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
    /// Graviton.
    #[value(name = "arm64")]
    Arm64,
}

impl Architecture {
    /// Lambda's name of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// Where a function declares what is compared with other parts of the manifest; its own place for what it leaves out.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) timeout: Range<usize>,
    pub(super) role: Range<usize>,
    pub(super) policy: Range<usize>,
    pub(super) permissions_boundary: Range<usize>,
}

/// Half an hour, in seconds: what Lambda gives a function since November 2026 (before, half of that). The API waits for less,
/// which `check` sees to.
const TIMEOUT_SECONDS: RangeInclusive<i64> = 1..=1800;

/// What Lambda offers.
const MEMORY_MB: RangeInclusive<i64> = 128..=10_240;

/// Lambda counts in 32 bits; the account's quota is far below.
const CONCURRENCY: RangeInclusive<i64> = 0..=i32::MAX as i64;

/// Lambda's longest description, in characters.
const LONGEST_DESCRIPTION: usize = 256;

/// IAM's limit of any ARN.
const LONGEST_ARN: usize = 2048;

/// The form of a policy's ARN. Policies of AWS's own have `aws` in place of the account.
const POLICY_ARN: &str =
    "^arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/([!-~]{0,510}/)?[a-zA-Z0-9_+=,.@-]{1,128}$";

/// What `CloudWatch` Logs takes.
const RETENTION_DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const ARCHITECTURES: [(&str, Architecture); 2] =
    [(Architecture::X86_64.name(), Architecture::X86_64), (Architecture::Arm64.name(), Architecture::Arm64)];

impl Function {
    /// Whether it may use this table; without a list it may use all.
    pub(crate) fn touches(&self, table: &str) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.iter().any(|name| name == table))
    }

    pub(super) fn read(
        function: &Item<'_>,
        name: &Text<'_>,
        suffix: &str,
        tables: &[&str],
    ) -> (Self, Places) {
        let at = &name.span;
        let places = Places {
            timeout: at.clone(),
            role: at.clone(),
            policy: at.clone(),
            permissions_boundary: at.clone(),
        };
        let read = function.section("a table like [functions.NAME]", |keys| {
            let mut places = places.clone();
            let function = Self::of(keys, at, suffix, tables, &mut places);
            (function, places)
        });
        read.unwrap_or_else(|| (Self::default(), places))
    }

    fn of(
        keys: &mut Section<'_>,
        name: &Range<usize>,
        suffix: &str,
        tables: &[&str],
        places: &mut Places,
    ) -> Self {
        let default = Self::default();
        let code = Code::read(keys, name);
        let role = keys.get("role").and_then(|role| {
            places.role = role.span.clone();
            let name = role.text("a role's name")?;
            names::ROLE.check(&name, suffix, keys.problems());
            Some(name.text.to_owned())
        });
        let policy = keys.get("policy").and_then(|policy| {
            places.policy = policy.span.clone();
            policy.text_where("the path of a policy document", |path| !path.is_empty())
        });
        let permissions_boundary = keys.get("permissions-boundary").and_then(|boundary| {
            places.permissions_boundary = boundary.span.clone();
            let expected = r#"the ARN of a policy, like "arn:aws:iam::123456789012:policy/NAME""#;
            boundary.text_where(expected, is_policy_arn)
        });
        let timeout = keys.get("timeout").and_then(|timeout| {
            places.timeout = timeout.span.clone();
            timeout.whole(TIMEOUT_SECONDS, "seconds")
        });
        let is_labs = keys.get("lab").and_then(|lab| lab.flag());
        Self {
            lab: is_labs.unwrap_or_else(|| code.is_labs()),
            package: code.package,
            binary: code.binary,
            zip: code.zip,
            runtime: code.runtime,
            handler: code.handler,
            memory: keys.get("memory").and_then(|m| m.whole(MEMORY_MB, "MB")).unwrap_or(default.memory),
            timeout: timeout.unwrap_or(default.timeout),
            architecture: keys
                .get("architecture")
                .and_then(|architecture| architecture.choice(&ARCHITECTURES))
                .unwrap_or(default.architecture),
            tables: keys.get("tables").and_then(|list| touched(&list, tables)),
            role: role.unwrap_or(default.role),
            policy: policy.map_or(default.policy, PathBuf::from),
            permissions_boundary,
            log_retention_days: keys
                .get("log-retention-days")
                .and_then(|days| retention(&days))
                .unwrap_or(default.log_retention_days),
            environment: keys.get("environment").map(|all| environment::read(&all)).unwrap_or_default(),
            reserved_concurrency: keys
                .get("reserved-concurrency")
                .and_then(|reserved| reserved.whole(CONCURRENCY, "executions")),
            tracing: keys.get("tracing").and_then(|on| on.flag()).unwrap_or_default(),
            description: keys
                .get("description")
                .and_then(|d| {
                    d.text_where("text of at most 256 characters", |text| {
                        text.chars().count() <= LONGEST_DESCRIPTION
                    })
                })
                .unwrap_or_default(),
        }
    }
}

/// Tables that a function's role may touch.
fn touched(list: &Item<'_>, tables: &[&str]) -> Option<Vec<String>> {
    Some(
        list.list(r#"a list like ["NAME"]"#)?
            .iter()
            .filter_map(|item| item.declared("table", tables))
            .collect(),
    )
}

fn retention(days: &Item<'_>) -> Option<i32> {
    let number = days.whole(1..=3653, "days")?;
    if RETENTION_DAYS.contains(&number) {
        return Some(number);
    }
    let allowed: Vec<String> = RETENTION_DAYS.iter().map(ToString::to_string).collect();
    let problem =
        days.wrong("must be one of the numbers that CloudWatch Logs takes").help(allowed.join(", "));
    let longer = RETENTION_DAYS.iter().find(|allowed| **allowed > number);
    days.report(match longer {
        Some(longer) => problem.label(format!("the next longer one is {longer}")),
        None => problem,
    });
    None
}

fn is_partition(partition: &str) -> bool {
    partition.starts_with("aws") && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

fn is_policy_arn(whole: &str) -> bool {
    let parts: Vec<&str> = whole.splitn(6, ':').collect();
    let [arn, partition, service, region, account, policy] = parts[..] else {
        return false;
    };
    whole.len() <= LONGEST_ARN
        && (arn, service, region) == ("arn", "iam", "")
        && is_partition(partition)
        // Policies of AWS's own have its name there.
        && (account == "aws" || (account.len() == 12 && account.chars().all(|c| c.is_ascii_digit())))
        && policy.strip_prefix("policy/").is_some_and(is_policy_path)
}

/// A policy's name, after the path that it may have, in IAM's characters and lengths.
fn is_policy_path(path_and_name: &str) -> bool {
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    // With the slash before it and the one after.
    path.len() + 2 <= 512
        && path.chars().all(|c| c.is_ascii_graphic())
        && (1..=128).contains(&name.len())
        && name.chars().all(is_name)
}
