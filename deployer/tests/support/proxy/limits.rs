//! What the local AWS is too good for: latency, quotas, and things that take their time to be ready.

use super::{Body, Call, refusal};
use bytes::Bytes;
use hyper::Response;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How AWS is to be. By default, as the local one is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Behaviour {
    /// Of each call.
    pub latency: Duration,
    /// Of each request to an invoke URL.
    pub answer: Duration,
    /// Whether the quotas of API Gateway and Lambda hold.
    pub quotas: bool,
    /// How long Lambda refuses a new role.
    pub role: Duration,
    /// How long a new table is `CREATING`.
    pub table: Duration,
    /// How long a new function is `Pending`.
    pub function: Duration,
}

/// Published quotas of an account for its control planes: how many, in how many seconds. They cannot be raised.
const QUOTAS: [(&str, f64, f64); 9] = [
    ("apigateway:CreateRestApi", 1.0, 3.0),
    ("apigateway:PutRestApi", 1.0, 1.0),
    ("apigateway:DeleteRestApi", 1.0, 30.0),
    ("apigateway:CreateDeployment", 1.0, 5.0),
    ("apigateway:GetResources", 5.0, 2.0),
    ("apigateway:*", 40.0, 4.0),
    ("lambda:GetFunction", 100.0, 1.0),
    ("lambda:GetPolicy", 15.0, 1.0),
    ("lambda:*", 15.0, 1.0),
];

/// What is not among all the others of Lambda's.
const APART: [&str; 3] = ["lambda:GetFunction", "lambda:GetPolicy", "lambda:Invoke"];

/// Counts, and remembers what is how old.
#[derive(Debug, Default)]
pub(super) struct Limits {
    behaviour: Behaviour,
    buckets: BTreeMap<&'static str, Bucket>,
    roles: BTreeMap<String, Instant>,
    tables: BTreeMap<String, Instant>,
    functions: BTreeMap<String, Instant>,
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
        let operation = format!("{}:{}", call.service, call.operation);
        let all = format!("{}:*", call.service);
        let is_its = |name: &str| name == operation || name == all && !APART.contains(&&*operation);
        let named: Vec<_> = QUOTAS.iter().filter(|(name, ..)| is_its(name)).collect();
        for (name, most, seconds) in &named {
            let bucket = self.buckets.entry(name).or_insert(Bucket { tokens: *most, filled: now });
            let grown = now.duration_since(bucket.filled).as_secs_f64() * most / seconds;
            bucket.tokens = (bucket.tokens + grown).min(*most);
            bucket.filled = now;
        }
        let free = named.iter().all(|(name, ..)| self.buckets[name].tokens >= 1.0);
        if free {
            for (name, ..) in &named {
                if let Some(bucket) = self.buckets.get_mut(name) {
                    bucket.tokens -= 1.0;
                }
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
