//! `[functions.NAME]`: a Lambda function, its role and its log group.

use super::code::Code;
use super::environment;
use super::names;
use super::read::{Item, Text};
use super::section::Section;
use clap::ValueEnum;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// A Lambda function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// A Cargo package of the workspace, built with cargo-lambda.
    pub package: Option<String>,
    /// Which binary of the package; needed where it has several.
    pub binary: Option<String>,
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
    /// ARN of the policy that bounds what that role may ever be allowed.
    pub permissions_boundary: Option<String>,
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
    /// Whether it is the lab's, whose requests and errors are known.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
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
const LONGEST_TIMEOUT: i64 = 1800;

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
            timeout.whole(1..=LONGEST_TIMEOUT, "seconds")
        });
        let is_labs = keys.get("lab").and_then(|lab| lab.flag());
        Self {
            lab: is_labs.unwrap_or_else(|| code.is_labs()),
            package: code.package,
            binary: code.binary,
            zip: code.zip,
            runtime: code.runtime,
            handler: code.handler,
            memory: keys.get("memory").and_then(|m| m.whole(128..=10_240, "MB")).unwrap_or(default.memory),
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
                .and_then(|reserved| reserved.whole(0..=i64::from(i32::MAX), "executions")),
            tracing: keys.get("tracing").and_then(|on| on.flag()).unwrap_or_default(),
            description: keys
                .get("description")
                .and_then(|d| {
                    d.text_where("text of at most 256 characters", |text| text.chars().count() <= 256)
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
    /// IAM's limit of any ARN.
    const LONGEST_ARN: usize = 2048;
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
