//! One of the two functions, and what is measured of it.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::lambda::{Answer, Lambda};

/// An item of the lab's first request.
pub(crate) const CREATE: &str = r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"1234ABCD","number":5}}}"#;
const PING: &str = r#"{"operation":"ping"}"#;

/// A function that can be started any number of times.
pub(crate) struct Subject<'a> {
    pub(crate) program: &'a std::path::Path,
    pub(crate) args: &'a [&'a str],
    pub(crate) endpoint: &'a str,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

/// What was measured of one of them.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// From starting the process to having its first answer to a ping.
    pub(crate) cold_ping: Vec<Duration>,
    /// The same for a create: with the connection, and its TLS.
    pub(crate) cold_create: Vec<Duration>,
    /// From handing over an event to having its answer, in a process that has answered before.
    pub(crate) warm_create: Vec<Duration>,
    /// The processor's time in the process until its first answer to a create, and for each warm one.
    pub(crate) cold_cpu: Vec<Duration>,
    pub(crate) warm_cpu: Duration,
    /// Of creates, one after the other as Lambda sends them to one environment, a second.
    pub(crate) throughput: f64,
    /// The most memory that the process held, in kB, after all of its creates.
    pub(crate) peak_memory: u64,
}

impl Subject<'_> {
    fn start(&self) -> Lambda {
        let mut command = Command::new(self.program);
        command.args(self.args);
        Lambda::run(command, self.endpoint, &self.variables)
    }

    /// A process's first answer: how long it takes from its start, and how long it kept the processor busy.
    pub(crate) fn cold(&self, event: &str) -> (Duration, Duration) {
        let started = Instant::now();
        let mut function = self.start();
        succeeded(function.invoke(event));
        (started.elapsed(), cpu(&function))
    }

    /// One more start of each kind.
    pub(crate) fn start_cold(&self, samples: &mut Samples) {
        samples.cold_ping.push(self.cold(PING).0);
        let (took, cpu) = self.cold(CREATE);
        samples.cold_create.push(took);
        samples.cold_cpu.push(cpu);
    }

    /// Many creates in one process: each alone, then all waiting to be taken.
    pub(crate) fn stay_warm(&self, creates: u32, samples: &mut Samples) {
        let mut function = self.start();
        for _ in 0..creates.min(50) {
            succeeded(function.invoke(CREATE));
        }
        let before = cpu(&function);
        for _ in 0..creates {
            succeeded(function.invoke(CREATE));
            samples.warm_create.push(function.took);
        }
        samples.warm_cpu = cpu(&function).saturating_sub(before) / creates;
        let started = Instant::now();
        (0..creates).for_each(|_| function.send(CREATE));
        (0..creates).for_each(|_| succeeded(function.answer()));
        samples.throughput = f64::from(creates) / started.elapsed().as_secs_f64();
        samples.peak_memory = function.peak_memory();
    }
}

/// How long a function has kept the processor busy. Both run on their main thread only, of which the kernel tells this.
fn cpu(function: &Lambda) -> Duration {
    let told = function.proc("schedstat");
    Duration::from_nanos(told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

fn succeeded(answer: Answer) {
    if let Answer::Error(error) = answer {
        panic!("the function failed: {error}");
    }
}
