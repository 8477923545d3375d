//! One cell of the matrix: a command whose one call is spoilt, and what has to be true afterwards.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};
use support::aws::{ACCOUNT, Lookup, elements, items};
use support::deployer::{Deployer, Done};
use support::lab::Lab;
use support::proxy::{At, Fault, Moment, mutating, operations};

/// All that may happen to a call.
pub(crate) const FAULTS: [Fault; 11] = [
    Fault::Dropped(Moment::Before),
    Fault::Dropped(Moment::After),
    Fault::Broken(Moment::Before),
    Fault::Broken(Moment::After),
    Fault::Throttled(2),
    Fault::Hung(Duration::from_secs(1)),
    Fault::Expired,
    Fault::Killed(Moment::Before),
    Fault::Killed(Moment::After),
    Fault::Interrupted(Moment::Before),
    Fault::Interrupted(Moment::After),
];

/// A run that takes longer than this waits for something that will not come.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is spoilt.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) verb: Verb,
    pub(crate) operation: String,
    /// Which call of that operation, counted from 1.
    pub(crate) nth: u32,
    pub(crate) fault: Fault,
}

/// Which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// `up` from nothing.
    Up,
    /// `up` of a stack that is declared differently now.
    Change,
    Down,
}

/// What is declared differently: something of every kind, and of the API all that takes a new deployment.
const CHANGED: &str = r#"
memory = 256
environment = { COLOUR = "blue" }
log-retention-days = 30
policy = "policy.json"

[tables.lambda-apigateway]
billing = { read = 5, write = 5 }

[[api.routes]]
method = "POST"
path = "/other"
function = "LambdaFunctionOverHttps"

[tags]
team = "blue"
"#;

const POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{ "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*" }]
}"#;

impl Cell {
    pub(crate) fn new(verb: Verb, operation: &str, fault: Fault) -> Self {
        Self { verb, operation: operation.to_owned(), nth: 1, fault }
    }

    /// Takes an empty AWS through it, and leaves it empty; how long it took, or what is wrong.
    pub(crate) fn run(&self, lab: &Lab) -> Result<Duration, String> {
        let started = Instant::now();
        lab.proxy.heal();
        is_empty(lab).map_err(|left| format!("the test itself began with {left:?}"))?;
        prepare(self.verb, lab)?;
        self.spoil(lab)?;
        match self.verb {
            Verb::Up | Verb::Change => {
                let again = good("up again", up(lab))?;
                is_one_of_everything(lab)?;
                let url = again.last_line();
                let answer = lab.lookup().post(url, r#"{"operation":"ping"}"#);
                ensure(answer.0 == 200 && answer.1 == r#""pong""#, || {
                    format!("the URL {url} says {answer:?}")
                })?;
                lab.proxy.take_calls();
                let _ = good("the third up", up(lab))?;
                let calls = mutating(lab.proxy.take_calls());
                ensure(calls.is_empty(), || format!("the third up makes {:?}", operations(&calls)))?;
                let _ = good("down at the end", down(lab))?;
            }
            Verb::Down => {
                let _ = good("down again", down(lab))?;
                lab.proxy.take_calls();
                let _ = good("the third down", down(lab))?;
                let calls = mutating(lab.proxy.take_calls());
                ensure(calls.is_empty(), || format!("the third down makes {:?}", operations(&calls)))?;
            }
        }
        is_empty(lab).map_err(|left| format!("in the end there is still {left:?}"))?;
        Ok(started.elapsed())
    }

    /// The command that does not get through in peace.
    fn spoil(&self, lab: &Lab) -> Result<(), String> {
        lab.proxy.take_calls();
        lab.proxy.inject(At::operation(&self.operation, self.nth), self.fault);
        let running = command(self.verb, lab).spawn();
        lab.proxy.victim(Some(running.pid()));
        let done = running.wait();
        lab.proxy.victim(None);
        let calls = lab.proxy.calls();
        let struck = lab.proxy.struck();
        ensure(lab.proxy.heal(), || format!("{} was not called: {:?}", self.operation, operations(&calls)))?;
        ensure(done.took < PATIENCE, || format!("it took too long: {done}"))?;
        let ended_well = match self.fault {
            Fault::Killed(_) => done.signal == Some(9),
            // What was interrupted at its last call is done all the same.
            Fault::Interrupted(_) => matches!(done.code, Some(0 | 3)),
            // The refusal passes by itself.
            Fault::Throttled(_) => done.code == Some(0),
            // Most are seen through; the rest say what to do.
            _ => done.code == Some(0) || done.code == Some(3) && done.stderr.contains("again"),
        };
        ensure(ended_well, || format!("it ended badly: {done}"))?;
        if let (Fault::Interrupted(_), Some(struck)) = (self.fault, struck) {
            // What had been sent when the signal came could not know of it.
            let late = struck + Duration::from_millis(100);
            let calls: Vec<_> = mutating(calls).into_iter().filter(|call| call.started > late).collect();
            ensure(calls.is_empty(), || {
                format!("after Ctrl-C it still began {:?}\n{done}", operations(&calls))
            })?;
        }
        Ok(())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, operation, nth, fault } = self;
        let nth = if *nth > 1 { format!(" ({nth})") } else { String::new() };
        write!(f, "{verb} × {operation}{nth} × {fault}")
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Change => "change",
            Self::Down => "down",
        })
    }
}

/// What has to be there before the command that is spoilt.
pub(crate) fn prepare(verb: Verb, lab: &Lab) -> Result<(), String> {
    lab.project.declare("");
    lab.project.set_version("1");
    if verb == Verb::Up {
        return Ok(());
    }
    let _ = good("up before it", up(lab))?;
    if verb == Verb::Change {
        lab.project.write("policy.json", POLICY);
        lab.project.declare(CHANGED);
        lab.project.set_version("2");
    }
    Ok(())
}

/// The command that is spoilt.
pub(crate) fn command(verb: Verb, lab: &Lab) -> Deployer {
    match verb {
        Verb::Up | Verb::Change => up(lab),
        Verb::Down => down(lab),
    }
}

fn up(lab: &Lab) -> Deployer {
    lab.deployer(&["up", "--yes"])
}

fn down(lab: &Lab) -> Deployer {
    lab.deployer(&["down", "--yes"])
}

fn good(what: &str, command: Deployer) -> Result<Done, String> {
    let done = command.run();
    ensure(done.code == Some(0), || format!("{what}: {done}"))?;
    ensure(done.took < PATIENCE, || format!("{what} took too long: {done}"))?;
    Ok(done)
}

fn is_empty(lab: &Lab) -> Result<(), Vec<String>> {
    let left = lab.lookup().list();
    if left.is_empty() { Ok(()) } else { Err(left) }
}

/// By name and number: two of one name are two.
fn is_one_of_everything(lab: &Lab) -> Result<(), String> {
    let wanted = [
        "REST API DynamoDBOperations",
        "function LambdaFunctionOverHttps",
        "log group /aws/lambda/LambdaFunctionOverHttps",
        "policy lambda-apigateway-policy",
        "role lambda-apigateway-role",
        "table lambda-apigateway",
    ];
    let all = lab.lookup().list();
    let different: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    ensure(different == BTreeSet::from(wanted) && all.len() == wanted.len(), || format!("there is {all:?}"))?;
    has_no_spare_parts(&lab.lookup())
}

/// Parts that AWS makes another one of without a word.
fn has_no_spare_parts(aws: &Lookup) -> Result<(), String> {
    let get = |service: &str, path: &str| aws.rest(service, "GET", path, &Value::Null);
    let apis = get("apigateway", "/restapis");
    let api = apis["item"][0]["id"].as_str().unwrap_or_default();
    for part in ["deployments", "stages"] {
        let found = items(&get("apigateway", &format!("/restapis/{api}/{part}"))["item"]);
        ensure(found.len() == 1, || format!("{part}: {found:?}"))?;
    }
    let policy = get("lambda", "/2015-03-31/functions/LambdaFunctionOverHttps/policy");
    let policy: Value =
        serde_json::from_str(policy["Policy"].as_str().unwrap_or_default()).unwrap_or_default();
    ensure(items(&policy["Statement"]).len() == 1, || format!("permissions: {policy}"))?;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/lambda-apigateway-policy");
    let versions = elements(&aws.iam("ListPolicyVersions", &[("PolicyArn", &arn)]), "VersionId");
    // The one that was, and the one that is.
    ensure(versions.len() <= 2, || format!("versions of the policy: {versions:?}"))
}

fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}
