//! Starts and measures one of the two compared functions.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::lambda::{Answer, Lambda};

/// The lab's first request, which creates an item.
pub(crate) const CREATE: &str = r#"{"operation":"create","tableName":"lambda-apigateway","payload":{"Item":{"id":"1234ABCD","number":5}}}"#;
const PING: &str = r#"{"operation":"ping"}"#;

/// One of the two functions: the program with its arguments and its environment.
pub(crate) struct Subject<'a> {
    pub(crate) program: &'a std::path::Path,
    pub(crate) args: &'a [&'a str],
    pub(crate) endpoint: &'a str,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

/// The measurements of one function.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// The times from the start of a process to its first answer, to a ping.
    pub(crate) cold_ping: Vec<Duration>,
    /// The times from the start of a process to its first answer, to a create. They include connecting to DynamoDB over TLS.
    pub(crate) cold_create: Vec<Duration>,
    /// The times from sending a create to its answer, in a process that has already answered.
    pub(crate) warm_create: Vec<Duration>,
    /// The processor times of a process until its first answer, to a create.
    pub(crate) cold_cpu: Vec<Duration>,
    /// The mean processor time of a warm create.
    pub(crate) warm_cpu: Duration,
    /// The sequential creates per second. Lambda also sends them one after the other to one environment.
    pub(crate) throughput: f64,
    /// The peak memory of the process after all its creates, in kB.
    pub(crate) peak_memory: u64,
}

impl Subject<'_> {
    fn start(&self) -> Lambda {
        let mut command = Command::new(self.program);
        command.args(self.args);
        Lambda::start_command(command, self.endpoint, &self.variables)
    }

    /// Starts a process and waits for its first answer. Returns the elapsed time and the processor time.
    pub(crate) fn cold_start(&self, event: &str) -> (Duration, Duration) {
        let started = Instant::now();
        let mut function = self.start();
        assert_success(function.invoke(event));
        (started.elapsed(), cpu_time(&function))
    }

    /// Measures one cold ping and one cold create.
    pub(crate) fn sample_cold_starts(&self, samples: &mut Samples) {
        samples.cold_ping.push(self.cold_start(PING).0);
        let (duration, cpu) = self.cold_start(CREATE);
        samples.cold_create.push(duration);
        samples.cold_cpu.push(cpu);
    }

    /// Measures many creates in one process: first one at a time, then all queued at once.
    pub(crate) fn sample_warm_creates(&self, creates: u32, samples: &mut Samples) {
        let mut function = self.start();
        for _ in 0..creates.min(50) {
            assert_success(function.invoke(CREATE));
        }
        let initial_cpu = cpu_time(&function);
        for _ in 0..creates {
            assert_success(function.invoke(CREATE));
            samples.warm_create.push(function.last_duration);
        }
        samples.warm_cpu = cpu_time(&function).saturating_sub(initial_cpu) / creates;
        let started = Instant::now();
        (0..creates).for_each(|_| function.send(CREATE));
        (0..creates).for_each(|_| assert_success(function.receive()));
        samples.throughput = f64::from(creates) / started.elapsed().as_secs_f64();
        samples.peak_memory = function.peak_memory();
    }
}

/// Returns the processor time of a function. Linux reports it for the main thread, and both functions use only this thread.
fn cpu_time(function: &Lambda) -> Duration {
    let schedstat = function.read_proc("schedstat");
    Duration::from_nanos(schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

fn assert_success(answer: Answer) {
    if let Answer::Error(error) = answer {
        panic!("the function failed: {error}");
    }
}
