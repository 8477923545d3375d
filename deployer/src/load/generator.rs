//! One run: threads that send, and one that watches.

use super::ids::{Created, RunId};
use super::latencies::Latencies;
use super::mix::Mix;
use super::record::{Record, Second};
use super::result::Measurement;
use super::schedule::{Schedule, Share};
use super::series::Series;
use super::target::Target;
use super::worker::{self, Done, Message, Shared};
use crate::error::{Error, Result};
use crate::time::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) mix: Mix,
    pub(crate) schedule: Schedule,
    /// How many requests may be under way at once.
    pub(crate) concurrency: usize,
    /// An answer that takes longer counts as none.
    pub(crate) answer_within: Duration,
    pub(crate) run: RunId,
}

/// What one thread sends a second without effort.
const RATE_OF_A_THREAD: u32 = 2_000;

impl Plan {
    /// How many threads send. One is enough for most, and leaves the others to what else the machine does.
    pub(super) fn threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = usize::try_from(self.schedule.rate.div_ceil(RATE_OF_A_THREAD)).unwrap_or(1);
        wanted.min(processors).min(self.concurrency).max(1)
    }
}

/// A second that is over, for people who watch.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// Since the measurement began, in seconds.
    pub(crate) second: u32,
    /// Answers until now, by what they were.
    pub(crate) ok: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    /// Within the last second.
    pub(crate) rate: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Sends what was planned, and measures. Ends early when it is stopped: then what was measured so far is the result.
///
/// # Errors
/// Threads, timers and files that the system does not give. What the target answers is no error.
pub(crate) async fn run(plan: Plan, stop: &Stop, mut watch: impl FnMut(&Progress)) -> Result<Measurement> {
    let requests = plan.mix.requests.iter().map(|request| {
        let prepared = request.template.prepare(&plan.target);
        prepared.map_err(|why| Error::usage(format!("request {}: {why}", request.name)))
    });
    let threads = plan.threads();
    let shared = Arc::new(Shared {
        requests: requests.collect::<Result<_>>()?,
        created: Created::new(),
        stop: AtomicBool::new(false),
        plan,
    });
    let mut began = SystemTime::now();
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut team = Team::start(&shared, threads, &tell)?;
    drop(tell);
    let mut watched = Watched::new(&shared.plan, threads)?;
    let mut interrupted = false;
    loop {
        let message = if interrupted {
            told.recv().await
        } else {
            match crate::time::unless_stopped(stop, told.recv()).await {
                Ok(message) => message,
                Err(_) => {
                    interrupted = true;
                    shared.stop.store(true, Ordering::Relaxed);
                    // Those that wait for the start get it, and see that there is nothing to do.
                    team.go();
                    continue;
                }
            }
        };
        match message {
            None => break,
            Some(Message::Ready) => {
                watched.ready += 1;
                if watched.ready == threads {
                    began = SystemTime::now();
                    team.go();
                }
            }
            Some(Message::Second(second)) => watched.second(&second, &mut watch)?,
            Some(Message::Done(done)) => watched.done.push(*done),
        }
    }
    team.join()?;
    watched.measurement(&shared.plan, began, interrupted)
}

/// The threads that send.
struct Team {
    threads: Vec<JoinHandle<Result<()>>>,
    starts: Vec<oneshot::Sender<Instant>>,
}

impl Team {
    fn start(shared: &Arc<Shared>, threads: usize, tell: &mpsc::UnboundedSender<Message>) -> Result<Self> {
        let mut team = Self { threads: Vec::new(), starts: Vec::new() };
        for n in 0..threads {
            let share = Share::new(shared.plan.schedule, n as u64, threads as u64);
            let concurrency = shared.plan.concurrency;
            let most = concurrency / threads + usize::from(n < concurrency % threads);
            let (go, start) = oneshot::channel();
            let (shared, tell) = (Arc::clone(shared), tell.clone());
            let thread = std::thread::Builder::new().name(format!("load-{n}")).spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|e| Error::new(format!("cannot start a thread of the load: {e}")))?;
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, worker::work(shared, share, most, tell, start))
            });
            let thread = thread.map_err(|e| Error::new(format!("cannot start a thread of the load: {e}")))?;
            team.threads.push(thread);
            team.starts.push(go);
        }
        Ok(team)
    }

    /// All at the same moment.
    fn go(&mut self) {
        let now = Instant::now();
        for start in self.starts.drain(..) {
            let _ = start.send(now);
        }
    }

    /// They have said that they are done, or have failed.
    fn join(self) -> Result<()> {
        for thread in self.threads {
            thread.join().map_err(|_| Error::new("a thread of the load ended in a panic"))??;
        }
        Ok(())
    }
}

/// What came in so far.
struct Watched {
    ready: usize,
    series: Series,
    done: Vec<Done>,
    threads: usize,
    /// The latest second, while not all threads have told theirs.
    latest: Latest,
    totals: [u64; 3],
}

struct Latest {
    number: u32,
    told: usize,
    answered: u64,
    latencies: Latencies,
}

impl Watched {
    fn new(plan: &Plan, threads: usize) -> Result<Self> {
        Ok(Self {
            ready: 0,
            series: Series::new(plan.schedule.duration),
            done: Vec::new(),
            threads,
            latest: Latest { number: 0, told: 0, answered: 0, latencies: Latencies::coarse()? },
            totals: [0; 3],
        })
    }

    fn second(&mut self, second: &Second, watch: &mut impl FnMut(&Progress)) -> Result<()> {
        self.series.add(second)?;
        if second.number > self.latest.number {
            if self.latest.told > 0 && self.latest.told < self.threads {
                self.say(watch);
            }
            self.latest.number = second.number;
            self.latest.told = 0;
            self.latest.answered = 0;
            self.latest.latencies.clear();
        }
        let counts = [second.ok, second.throttled, second.failed].map(u64::from);
        for (total, count) in self.totals.iter_mut().zip(counts) {
            *total += count;
        }
        self.latest.told += 1;
        self.latest.answered += counts.iter().sum::<u64>();
        for (us, count) in &second.latencies {
            self.latest.latencies.record_us(u64::from(*us), *count);
        }
        if self.latest.told == self.threads {
            self.say(watch);
        }
        Ok(())
    }

    fn say(&self, watch: &mut impl FnMut(&Progress)) {
        let [ok, throttled, failed] = self.totals;
        let Latest { number, answered, ref latencies, .. } = self.latest;
        watch(&Progress {
            second: number,
            ok,
            throttled,
            failed,
            rate: answered,
            p50: Duration::from_micros(latencies.at(0.5)),
            p99: Duration::from_micros(latencies.at(0.99)),
        });
    }

    fn measurement(mut self, plan: &Plan, began: SystemTime, interrupted: bool) -> Result<Measurement> {
        let mut record = Record::new(plan.mix.requests.len())?;
        // They end in any order, and what was sent is known by whose it was.
        self.done.sort_by_key(|done| done.thread);
        for done in &self.done {
            record.add(&done.record);
        }
        Measurement::of(plan, &record, &self.series, &self.done, began, interrupted)
    }
}

#[cfg(test)]
mod tests;
