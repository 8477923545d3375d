//! What the local AWS is too good for: latency, quotas, and things that take their time to be ready.

use super::{Body, Call, refusal};
use bytes::Bytes;
use hyper::Response;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How AWS is to be. By default, as the local one is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Behaviour {
    /// Of each call.
    pub latency: Duration,
    /// Of each request to an invoke URL.
    pub answer: Duration,
    /// Whether the quotas of AWS's control planes hold.
    pub quotas: bool,
    /// How long Lambda refuses a new role.
    pub role: Duration,
    /// How long a new table is `CREATING`.
    pub table: Duration,
    /// How long a new function is `Pending`.
    pub function: Duration,
    /// How long IAM still shows a role that is deleted.
    pub deleted_role: Duration,
}

/// Quotas of an account for its control planes: how many, in any window of so many seconds, wherever it begins. Those of IAM
/// are nowhere published; this is what others were let through.
pub const QUOTAS: [(&str, usize, f64); 18] = [
    ("apigateway:CreateRestApi", 1, 3.0),
    ("apigateway:PutRestApi", 1, 1.0),
    ("apigateway:DeleteRestApi", 1, 30.0),
    ("apigateway:CreateDeployment", 1, 5.0),
    ("apigateway:GetResources", 5, 2.0),
    ("lambda:GetFunction", 100, 1.0),
    ("lambda:GetPolicy", 15, 1.0),
    ("lambda:*", 15, 1.0),
    ("iam:*", 50, 1.0),
    ("dynamodb:ListTagsOfResource", 10, 1.0),
    ("dynamodb:TagResource", 5, 1.0),
    ("dynamodb:DescribeContinuousBackups", 10, 1.0),
    ("logs:DescribeLogGroups", 10, 1.0),
    ("logs:ListTagsForResource", 10, 1.0),
    ("logs:CreateLogGroup", 10, 1.0),
    ("logs:DeleteLogGroup", 10, 1.0),
    ("logs:PutRetentionPolicy", 10, 1.0),
    ("logs:TagResource", 10, 1.0),
];

/// All of API Gateway's together: so many a second, and so many at once after a rest.
const API_GATEWAY: (f64, f64) = (10.0, 40.0);

/// What is not among all the others of Lambda's.
const APART: [&str; 3] = ["lambda:GetFunction", "lambda:GetPolicy", "lambda:Invoke"];

/// Counts, and remembers what is how old.
#[derive(Debug, Default)]
pub(super) struct Limits {
    behaviour: Behaviour,
    /// When each quota let calls through, as far as its window goes back.
    let_through: BTreeMap<&'static str, VecDeque<Instant>>,
    api_gateway: Option<Bucket>,
    roles: BTreeMap<String, Instant>,
    tables: BTreeMap<String, Instant>,
    functions: BTreeMap<String, Instant>,
    /// What IAM last said of each role, and when it was deleted.
    last_seen_roles: BTreeMap<String, Bytes>,
    deleted_roles: BTreeMap<String, Instant>,
}

/// Fills at its rate, and starts full.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limits {
    pub(super) fn behave(&mut self, behaviour: Behaviour) {
        self.behaviour = behaviour;
    }

    pub(super) fn latency(&self) -> Duration {
        self.behaviour.latency
    }

    pub(super) fn answer(&self) -> Duration {
        self.behaviour.answer
    }

    /// What AWS says no to although it is right.
    pub(super) fn refuse(&mut self, call: &Call, body: &[u8]) -> Option<Response<Body>> {
        if self.behaviour.quotas && !self.is_within_quota(call) {
            return Some(refusal::throttled(call));
        }
        if call.operation == "GetRole" {
            let role = form_value(body, "RoleName");
            if is_young(&self.deleted_roles, &role, self.behaviour.deleted_role) {
                return self.last_seen_roles.get(&role).map(|answer| refusal::xml(answer.clone()));
            }
        }
        if matches!(call.operation.as_str(), "CreateFunction" | "UpdateFunctionConfiguration") {
            let input: Value = serde_json::from_slice(body).unwrap_or_default();
            let role = input["Role"].as_str().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
            if is_young(&self.roles, role, self.behaviour.role) {
                return Some(refusal::role_not_assumable(call));
            }
        }
        None
    }

    fn is_within_quota(&mut self, call: &Call) -> bool {
        let now = Instant::now();
        let quotas: Vec<_> = quotas_of(&call.service, &call.operation).collect();
        let mut free = true;
        for (name, most, seconds) in &quotas {
            let times = self.let_through.entry(name).or_default();
            while times.front().is_some_and(|time| now.duration_since(*time).as_secs_f64() >= *seconds) {
                times.pop_front();
            }
            free &= times.len() < *most;
        }
        if call.service == "apigateway" {
            let (rate, burst) = API_GATEWAY;
            let bucket = self.api_gateway.get_or_insert(Bucket { tokens: burst, filled: now });
            let grown = now.duration_since(bucket.filled).as_secs_f64() * rate;
            *bucket = Bucket { tokens: (bucket.tokens + grown).min(burst), filled: now };
            free &= bucket.tokens >= 1.0;
            bucket.tokens -= f64::from(u8::from(free));
        }
        if free {
            for (name, ..) in quotas {
                self.let_through.entry(name).or_default().push_back(now);
            }
        }
        free
    }

    /// Notes what was made, and shows it as unready as AWS would.
    pub(super) fn settle(&mut self, call: &Call, sent: &[u8], status: u16, body: Bytes) -> Bytes {
        if !(200..300).contains(&status) {
            return body;
        }
        let now = Instant::now();
        match call.operation.as_str() {
            "CreateRole" => {
                self.roles.insert(form_value(sent, "RoleName"), now);
            }
            "GetRole" => {
                self.last_seen_roles.insert(form_value(sent, "RoleName"), body.clone());
            }
            "DeleteRole" => {
                self.deleted_roles.insert(form_value(sent, "RoleName"), now);
            }
            "CreateTable" => {
                self.tables.insert(json_text(sent, "TableName"), now);
            }
            "CreateFunction" => {
                self.functions.insert(json_text(sent, "FunctionName"), now);
            }
            _ => {}
        }
        let young_table = || is_young(&self.tables, &json_text(sent, "TableName"), self.behaviour.table);
        let young_function = || is_young(&self.functions, &call.subject, self.behaviour.function);
        match call.operation.as_str() {
            "DescribeTable" if young_table() => with(&body, &["Table", "TableStatus"], "CREATING"),
            "GetFunction" if young_function() => with(&body, &["Configuration", "State"], "Pending"),
            "GetFunctionConfiguration" if young_function() => with(&body, &["State"], "Pending"),
            _ => body,
        }
    }
}

/// Those that a call counts towards.
pub fn quotas_of(service: &str, operation: &str) -> impl Iterator<Item = (&'static str, usize, f64)> {
    let operation = format!("{service}:{operation}");
    let all = format!("{service}:*");
    QUOTAS
        .into_iter()
        .filter(move |(name, ..)| *name == operation || *name == all && !APART.contains(&&*operation))
}

fn is_young(all: &BTreeMap<String, Instant>, name: &str, until: Duration) -> bool {
    all.get(name).is_some_and(|made| made.elapsed() < until)
}

fn json_text(body: &[u8], name: &str) -> String {
    let input: Value = serde_json::from_slice(body).unwrap_or_default();
    input[name].as_str().unwrap_or_default().to_owned()
}

/// Names of roles need no unescaping.
fn form_value(body: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn with(body: &Bytes, path: &[&str], value: &str) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else {
        return body.clone();
    };
    let mut place = &mut document;
    for name in path {
        place = &mut place[*name];
    }
    *place = value.into();
    Bytes::from(document.to_string())
}
