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
        let requests = calls
            .iter()
            .map(|call| {
                let status = call.status.filter(|status| *status >= 400);
                let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
                request(format!("{}:{}{status}", call.service, call.operation), call.started, call.took)
            })
            .chain(pings.iter().map(|ping| request("ping".to_owned(), ping.started, ping.took)))
            .collect();
        Sample {
            took,
            memory,
            calls: calls.len(),
            mutating: calls.iter().filter(|call| call.mutating).count(),
            pings: pings.len(),
            in_flight: calls.iter().map(|call| call.in_flight).max().unwrap_or_default(),
            chain: longest_chain(requests),
        }
    }
}

/// The most requests of which each started after the one before it ended. Of two before one, the later is the one that
/// it waited for.
fn longest_chain(mut requests: Vec<Request>) -> Vec<Request> {
    requests.sort_by_key(|request| request.started);
    let mut lengths: Vec<(usize, Option<usize>)> = Vec::with_capacity(requests.len());
    for request in &requests {
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
    /// One line for each request: when it started, how long nothing of the chain had been going on, what it took.
    pub(crate) fn describe_chain(&self) -> String {
        let mut text = String::new();
        let ms = |time: Duration| time.as_millis();
        let mut free = Duration::ZERO;
        for request in &self.chain {
            let pause = request.started.saturating_sub(free);
            let took = request.ended.saturating_sub(request.started);
            let (started, pause, took) = (ms(request.started), ms(pause), ms(took));
            let _ =
                writeln!(text, "    {started:>6} ms  after {pause:>5} ms  {took:>5} ms  {}", request.what);
            free = request.ended;
        }
        let rest = self.took.saturating_sub(free);
        let _ = writeln!(text, "    {:>6} ms  after {:>5} ms            end", ms(self.took), ms(rest));
        text
    }
}
