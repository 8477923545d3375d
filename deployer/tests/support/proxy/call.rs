//! Which call of which service a request is, and the log of calls.

use super::wire::Exchange;
use bytes::Bytes;
use hyper::Request;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One call, as it was seen from outside.
#[derive(Clone, Debug)]
pub struct Call {
    /// As in the signature: `iam`, `lambda`, …
    pub service: String,
    /// As in AWS's documentation: `CreateRole`.
    pub operation: String,
    /// Whether it may change something.
    pub mutating: bool,
    /// Since the proxy was started.
    pub started: Duration,
    /// Zero while it is going on.
    pub took: Duration,
    /// How many calls were going on when it came, with it.
    pub in_flight: usize,
    /// The answer's status; absent while there is none.
    pub status: Option<u16>,
    /// What its path names: the API of a call of API Gateway's, the function of one of Lambda's.
    pub subject: String,
}

/// One request to an invoke URL.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Of the request.
    pub path: String,
    /// Of the answer, if there was one.
    pub status: Option<u16>,
    pub(super) exchange: Arc<Exchange>,
}

impl Invocation {
    /// When its first bytes came, since the proxy was started.
    pub fn started(&self) -> Duration {
        self.exchange.came
    }

    /// From then to the answer's first bytes; zero while there is no answer.
    pub fn took(&self) -> Duration {
        self.exchange.took()
    }
}

/// The names of the operations, in order.
pub fn operations(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

/// The calls that may have changed something.
pub fn mutating(calls: Vec<Call>) -> Vec<Call> {
    calls.into_iter().filter(|call| call.mutating).collect()
}

/// REST operations: service, method, path (where `*` stands for one segment), name.
const REST: [(&str, &str, &str, &str); 42] = [
    ("lambda", "GET", "functions", "ListFunctions"),
    ("lambda", "POST", "functions", "CreateFunction"),
    ("lambda", "GET", "functions/*", "GetFunction"),
    ("lambda", "DELETE", "functions/*", "DeleteFunction"),
    ("lambda", "PUT", "functions/*/code", "UpdateFunctionCode"),
    ("lambda", "GET", "functions/*/configuration", "GetFunctionConfiguration"),
    ("lambda", "PUT", "functions/*/configuration", "UpdateFunctionConfiguration"),
    ("lambda", "PUT", "functions/*/concurrency", "PutFunctionConcurrency"),
    ("lambda", "DELETE", "functions/*/concurrency", "DeleteFunctionConcurrency"),
    ("lambda", "POST", "functions/*/invocations", "Invoke"),
    ("lambda", "GET", "functions/*/policy", "GetPolicy"),
    ("lambda", "POST", "functions/*/policy", "AddPermission"),
    ("lambda", "DELETE", "functions/*/policy/*", "RemovePermission"),
    ("lambda", "GET", "tags/*", "ListTags"),
    ("lambda", "POST", "tags/*", "TagResource"),
    ("lambda", "DELETE", "tags/*", "UntagResource"),
    ("apigateway", "GET", "restapis", "GetRestApis"),
    ("apigateway", "POST", "restapis", "CreateRestApi"),
    ("apigateway", "GET", "restapis/*", "GetRestApi"),
    ("apigateway", "PUT", "restapis/*", "PutRestApi"),
    ("apigateway", "PATCH", "restapis/*", "UpdateRestApi"),
    ("apigateway", "DELETE", "restapis/*", "DeleteRestApi"),
    ("apigateway", "GET", "restapis/*/resources", "GetResources"),
    ("apigateway", "GET", "restapis/*/authorizers", "GetAuthorizers"),
    ("apigateway", "GET", "restapis/*/requestvalidators", "GetRequestValidators"),
    ("apigateway", "GET", "restapis/*/models", "GetModels"),
    ("apigateway", "GET", "restapis/*/gatewayresponses", "GetGatewayResponses"),
    ("apigateway", "GET", "domainnames", "GetDomainNames"),
    ("apigateway", "GET", "domainnames/*/basepathmappings", "GetBasePathMappings"),
    ("apigateway", "GET", "restapis/*/deployments", "GetDeployments"),
    ("apigateway", "POST", "restapis/*/deployments", "CreateDeployment"),
    ("apigateway", "GET", "restapis/*/deployments/*", "GetDeployment"),
    ("apigateway", "DELETE", "restapis/*/deployments/*", "DeleteDeployment"),
    ("apigateway", "GET", "restapis/*/stages", "GetStages"),
    ("apigateway", "POST", "restapis/*/stages", "CreateStage"),
    ("apigateway", "GET", "restapis/*/stages/*", "GetStage"),
    ("apigateway", "PATCH", "restapis/*/stages/*", "UpdateStage"),
    ("apigateway", "DELETE", "restapis/*/stages/*", "DeleteStage"),
    ("apigateway", "GET", "tags/*", "GetTags"),
    ("apigateway", "PUT", "tags/*", "TagResource"),
    ("apigateway", "DELETE", "tags/*", "UntagResource"),
    ("apigateway", "GET", "account", "GetAccount"),
];

const READS: [&str; 9] =
    ["Get", "List", "Describe", "Filter", "Scan", "Query", "BatchGet", "Invoke", "Lookup"];

impl Call {
    /// Reads the service off the signature and the operation off wherever the service's protocol has it. Nothing for
    /// what is no call of AWS's.
    pub(super) fn identify(request: &Request<Bytes>) -> Option<Self> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let scope = header("authorization")?.split("Credential=").nth(1)?;
        let service = scope.split('/').nth(3)?;
        let form = || request.body().strip_prefix(b"Action=".as_slice());
        let path = request.uri().path();
        let operation = if let Some(target) = header("x-amz-target") {
            target.rsplit('.').next()?.to_owned()
        } else if let Some(form) = form() {
            form.split(|byte| *byte == b'&').next().map(|name| String::from_utf8_lossy(name).into_owned())?
        } else {
            let method = request.method().as_str();
            rest(service, method, path).map_or_else(|| format!("{method} {path}"), str::to_owned)
        };
        let read = READS.iter().any(|read| operation.starts_with(read)) || operation.starts_with("GET ");
        Some(Self {
            service: service.to_owned(),
            mutating: !read,
            operation,
            started: Duration::ZERO,
            took: Duration::ZERO,
            in_flight: 0,
            status: None,
            subject: segments(service, path).nth(1).unwrap_or_default().to_owned(),
        })
    }
}

fn rest(service: &str, method: &str, path: &str) -> Option<&'static str> {
    let fits = |pattern: &str| {
        let mut parts = segments(service, path);
        pattern.split('/').all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
            && parts.next().is_none()
    };
    REST.iter()
        .find(|(s, m, pattern, _)| *s == service && *m == method && fits(pattern))
        .map(|(.., name)| *name)
}

/// Without the date that Lambda's paths begin with.
fn segments<'a>(service: &str, path: &'a str) -> impl Iterator<Item = &'a str> {
    let dated = usize::from(service == "lambda");
    path.split('/').filter(|part| !part.is_empty()).skip(dated)
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, operation, started, took, status, in_flight, .. } = self;
        let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        write!(
            f,
            "{:>7.3} s  {service}:{operation}  {status} after {} ms, {in_flight} in flight",
            started.as_secs_f64(),
            took.as_millis()
        )
    }
}
