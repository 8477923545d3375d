//! One cell of the matrix: a command whose one call is spoilt, and what has to be true afterwards.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};
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
    Up,
    Down,
}

impl Cell {
    pub(crate) fn new(verb: Verb, operation: &str, fault: Fault) -> Self {
        Self { verb, operation: operation.to_owned(), nth: 1, fault }
    }

    /// Takes an empty AWS through it, and leaves it empty; how long it took, or what is wrong.
    pub(crate) fn run(&self, lab: &Lab) -> Result<Duration, String> {
        let started = Instant::now();
        lab.proxy.heal();
        is_empty(lab).map_err(|left| format!("the test itself began with {left:?}"))?;
        if self.verb == Verb::Down {
            let _ = good("up before it", up(lab))?;
        }
        self.spoil(lab)?;
        match self.verb {
            Verb::Up => {
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
            }
        }
        is_empty(lab).map_err(|left| format!("in the end there is still {left:?}"))?;
        Ok(started.elapsed())
    }

    /// The command that does not get through in peace.
    fn spoil(&self, lab: &Lab) -> Result<(), String> {
        lab.proxy.take_calls();
        lab.proxy.inject(At::operation(&self.operation, self.nth), self.fault);
        let command = match self.verb {
            Verb::Up => up(lab),
            Verb::Down => down(lab),
        };
        let running = command.spawn();
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
            Self::Down => "down",
        })
    }
}

pub(crate) fn up(lab: &Lab) -> Deployer {
    lab.deployer(&["up", "--yes"])
}

pub(crate) fn down(lab: &Lab) -> Deployer {
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
    ensure(different == BTreeSet::from(wanted) && all.len() == wanted.len(), || format!("there is {all:?}"))
}

fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}
