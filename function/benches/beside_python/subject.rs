//! One of the two functions that are compared, and its measurements.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::lambda::{Answer, Lambda};

/// The lab's first request: it creates an item.
pub(crate) const CREATE: &str = r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"1234ABCD","number":5}}}"#;
const PING: &str = r#"{"operation":"ping"}"#;

/// How to start one of the functions.
pub(crate) struct Subject<'a> {
    pub(crate) program: &'a std::path::Path,
    pub(crate) args: &'a [&'a str],
    pub(crate) endpoint: &'a str,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

/// The measurements of one function.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// From the start of the process to its first answer, to a ping.
    pub(crate) cold_ping: Vec<Duration>,
    /// The same for a create, which includes connecting to DynamoDB over TLS.
    pub(crate) cold_create: Vec<Duration>,
    /// From handing over a create to its answer, in a process that has answered before.
    pub(crate) warm_create: Vec<Duration>,
    /// The processor time of a process until its first answer to a create, and of each warm create.
    pub(crate) cold_cpu: Vec<Duration>,
    pub(crate) warm_cpu: Duration,
    /// Creates per second, one after the other as Lambda sends them to one environment.
    pub(crate) throughput: f64,
    /// The peak memory of the process after all its creates, in kB.
    pub(crate) peak_memory: u64,
}

impl Subject<'_> {
    fn start(&self) -> Lambda {
        let mut command = Command::new(self.program);
        command.args(self.args);
        Lambda::run(command, self.endpoint, &self.variables)
    }

    /// Starts a process and waits for its first answer. Returns the time since its start, and its processor time.
    pub(crate) fn cold(&self, event: &str) -> (Duration, Duration) {
        let started = Instant::now();
        let mut function = self.start();
        succeeded(function.invoke(event));
        (started.elapsed(), cpu(&function))
    }

    /// Measures one cold ping and one cold create.
    pub(crate) fn start_cold(&self, samples: &mut Samples) {
        samples.cold_ping.push(self.cold(PING).0);
        let (took, cpu) = self.cold(CREATE);
        samples.cold_create.push(took);
        samples.cold_cpu.push(cpu);
    }

    /// Measures many creates in one process: first one at a time, then all queued at once.
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
