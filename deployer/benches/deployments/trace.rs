//! What the proxy saw of one operation.

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use support::lab::Lab;

/// The proxy, and its clock.
pub(crate) struct Watch<'a> {
    lab: &'a Lab,
}

/// One operation, measured.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) took: Duration,
    /// The most that the process held, in kB; absent where there was no process.
    pub(crate) memory: Option<u64>,
    pub(crate) calls: usize,
    pub(crate) mutating: usize,
    /// Requests to the deployed API.
    pub(crate) pings: usize,
    pub(crate) in_flight: usize,
    pub(crate) requests: Vec<Request>,
    pub(crate) chain: Vec<Request>,
}

/// A call, or a request to the deployed API, on the clock of the operation.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    what: String,
    started: Duration,
    ended: Duration,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(lab: &'a Lab) -> Self {
        Self { lab }
    }

    /// Does it, and looks at what it did. The work says how much memory it took, if it knows.
    pub(crate) fn sample(&self, work: impl FnOnce() -> Option<u64>) -> Sample {
        self.lab.proxy.take_calls();
        self.lab.proxy.take_invocations();
        let begun = self.lab.proxy.now();
        let started = Instant::now();
        let memory = work();
        let took = started.elapsed();
        let calls = self.lab.proxy.take_calls();
        let pings = self.lab.proxy.take_invocations();
        let request = |what: String, started: Duration, took: Duration| {
            let started = started.saturating_sub(begun);
            Request { what, started, ended: started + took }
        };
        let mut requests: Vec<Request> = calls
            .iter()
            .map(|call| {
                let status = call.status.filter(|status| *status >= 400);
                let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
                request(format!("{}:{}{status}", call.service, call.operation), call.started, call.took)
            })
            .chain(pings.iter().map(|ping| request("ping".to_owned(), ping.started(), ping.took())))
            .collect();
        requests.sort_by_key(|request| request.started);
        Sample {
            took,
            memory,
            calls: calls.len(),
            mutating: calls.iter().filter(|call| call.mutating).count(),
            pings: pings.len(),
            in_flight: calls.iter().map(|call| call.in_flight).max().unwrap_or_default(),
            chain: longest_chain(&requests),
            requests,
        }
    }
}

/// The most requests of which each started after the one before it ended. Of two before one, the later is the one that
/// it waited for.
fn longest_chain(requests: &[Request]) -> Vec<Request> {
    let mut lengths: Vec<(usize, Option<usize>)> = Vec::with_capacity(requests.len());
    for request in requests {
        let before =
            lengths.iter().enumerate().filter(|(index, _)| requests[*index].ended <= request.started);
        let best = before.max_by_key(|(index, (length, _))| (*length, requests[*index].ended));
        lengths.push(best.map_or((1, None), |(index, (length, _))| (length + 1, Some(index))));
    }
    let last = (0..requests.len()).max_by_key(|index| (lengths[*index].0, requests[*index].ended));
    let mut chain: Vec<Request> =
        std::iter::successors(last, |index| lengths[*index].1).map(|index| requests[index].clone()).collect();
    chain.reverse();
    chain
}

impl Sample {
    /// One line for each request, or several of a kind in a row: when it started, how long nothing of these had been
    /// going on, how long it took.
    pub(crate) fn describe_chain(&self) -> String {
        let mut text = String::new();
        let ms = |time: Duration| time.as_millis();
        let mut line = |started: Duration, idle: Duration, took: Option<Duration>, what: &str| {
            let took = took.map(|took| format!("{} ms", ms(took))).unwrap_or_default();
            let _ = writeln!(text, "    {:>6} ms  idle {:>4} ms {took:>9}  {what}", ms(started), ms(idle));
        };
        let mut free = Duration::ZERO;
        for alike in self.chain.chunk_by(|a, b| a.what == b.what) {
            let (Some(first), Some(last)) = (alike.first(), alike.last()) else { continue };
            let times = if alike.len() > 1 { format!(" × {}", alike.len()) } else { String::new() };
            let took = last.ended.saturating_sub(first.started);
            let what = format!("{}{times}", first.what);
            line(first.started, first.started.saturating_sub(free), Some(took), &what);
            free = last.ended;
        }
        line(self.took, self.took.saturating_sub(free), None, "end");
        text
    }

    /// Every request, in the order of their beginnings.
    pub(crate) fn describe_all(&self) -> String {
        let mut text = String::new();
        for request in &self.requests {
            let (started, ended) = (request.started.as_millis(), request.ended.as_millis());
            let _ = writeln!(text, "    {started:>6} to {ended:>6} ms  {}", request.what);
        }
        text
    }
}
