//! A run: threads that send, and the caller's task that collects what they report.

use crate::error::{Error, Result};
use crate::histogram::LatencyHistogram;
use crate::item_ids::{CreatedItems, RunId};
use crate::measurement::Measurement;
use crate::request_mix::RequestMix;
use crate::schedule::{Schedule, ThreadSchedule};
use crate::series::Series;
use crate::target::Target;
use crate::thread_record::{Second, ThreadRecord};
use crate::worker::{self, Message, Shared, ThreadResult};
use hyper::header::HeaderValue;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// Everything that a run needs to know.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where requests are sent.
    pub target: Target,
    /// What they are.
    pub mix: RequestMix,
    /// When each of them is due.
    pub schedule: Schedule,
    /// How many requests may be in flight at once; at least 1. It is also the largest number of connections.
    pub concurrency: usize,
    /// How long an answer may take. A request without one by then counts as unanswered.
    pub answer_within: Duration,
    /// The `User-Agent` header of all requests.
    pub user_agent: HeaderValue,
    /// What the ids of the run's items begin with.
    pub run: RunId,
}

/// How many requests a second one thread sends with ease.
const RATE_PER_THREAD: u32 = 2_000;

impl LoadPlan {
    /// How many threads send. One is enough for most runs, and leaves the other processors to the rest of the machine.
    pub(crate) fn threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = usize::try_from(self.schedule.rate.div_ceil(RATE_PER_THREAD)).unwrap_or(1);
        wanted.min(processors).min(self.concurrency).max(1)
    }
}

/// How far a run is, once a second.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The number of the second that is over. 0 is the first one of the measurement.
    pub second: u32,
    /// How many requests were answered below 400 so far.
    pub ok: u64,
    /// How many requests were answered with 429 so far.
    pub throttled: u64,
    /// How many requests were answered with another error, or not answered, so far.
    pub failed: u64,
    /// How many requests ended within this second, however they ended.
    pub rate: u64,
    /// The median latency of this second's answers below 400.
    pub p50: Duration,
    /// The 99th percentile of the same.
    pub p99: Duration,
}

/// Sends the requests of a plan from threads of its own, and measures them.
///
/// When `stopped` completes, nothing more is sent, requests in flight are awaited, and what was measured by then is the
/// result. `watch` is called about once a second while requests are answered.
///
/// # Errors
/// [`Error::Invalid`] for a request that no URL can have, [`Error::System`] for threads and timers that the system refuses.
/// What the target answers is never an error.
pub async fn run(
    plan: LoadPlan,
    stopped: impl Future<Output = ()>,
    mut watch: impl FnMut(&Progress),
) -> Result<Measurement> {
    let requests = plan.mix.kinds().iter().map(|kind| {
        let prepared = kind.template().prepare(&plan.target, &plan.user_agent);
        prepared.map_err(|why| Error::Invalid(format!("request {}: {why}", kind.name())))
    });
    let threads = plan.threads();
    let shared = Arc::new(Shared {
        requests: requests.collect::<Result<_>>()?,
        created: CreatedItems::new(),
        stop: AtomicBool::new(false),
        plan,
    });
    let mut began = SystemTime::now();
    let (reports, mut reported) = mpsc::unbounded_channel();
    let mut team = Team::start(&shared, threads, &reports)?;
    drop(reports);
    let mut collector = Collector::new(&shared.plan, threads)?;
    let mut stopped = pin!(stopped);
    let mut interrupted = false;
    loop {
        let next = poll_fn(|context| {
            if !interrupted && stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(Next::Stopped);
            }
            reported.poll_recv(context).map(Next::Reported)
        });
        match next.await {
            Next::Stopped => {
                interrupted = true;
                shared.stop.store(true, Ordering::Relaxed);
                // Threads that wait for the start get it, and see that there is nothing to do.
                team.release();
            }
            Next::Reported(None) => break,
            Next::Reported(Some(Message::Ready)) => {
                collector.ready += 1;
                if collector.ready == threads {
                    began = SystemTime::now();
                    team.release();
                }
            }
            Next::Reported(Some(Message::Second(second))) => collector.add_second(&second, &mut watch)?,
            Next::Reported(Some(Message::Done(result))) => collector.results.push(*result),
        }
    }
    team.join()?;
    collector.measurement(&shared.plan, began, interrupted)
}

/// What the generator reacts to.
enum Next {
    Stopped,
    /// `None` when all threads have ended.
    Reported(Option<Message>),
}

/// The threads that send.
struct Team {
    threads: Vec<JoinHandle<Result<()>>>,
    starts: Vec<oneshot::Sender<Instant>>,
}

impl Team {
    fn start(shared: &Arc<Shared>, threads: usize, reports: &mpsc::UnboundedSender<Message>) -> Result<Self> {
        let mut team = Self { threads: Vec::new(), starts: Vec::new() };
        for n in 0..threads {
            let schedule = ThreadSchedule::new(shared.plan.schedule, n as u64, threads as u64);
            let concurrency = shared.plan.concurrency;
            let most = concurrency / threads + usize::from(n < concurrency % threads);
            let (release, start) = oneshot::channel();
            let (shared, reports) = (Arc::clone(shared), reports.clone());
            let thread = std::thread::Builder::new().name(format!("load-{n}")).spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|e| Error::System(format!("cannot start a thread of the load: {e}")))?;
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, worker::run(shared, schedule, most, reports, start))
            });
            let thread =
                thread.map_err(|e| Error::System(format!("cannot start a thread of the load: {e}")))?;
            team.threads.push(thread);
            team.starts.push(release);
        }
        Ok(team)
    }

    /// Lets all threads start at the same moment.
    fn release(&mut self) {
        let now = Instant::now();
        for start in self.starts.drain(..) {
            let _ = start.send(now);
        }
    }

    /// Waits for the threads, which have ended by then.
    ///
    /// # Errors
    /// The first thread that has failed.
    fn join(self) -> Result<()> {
        for thread in self.threads {
            thread
                .join()
                .map_err(|_| Error::System("a thread of the load ended in a panic".to_owned()))??;
        }
        Ok(())
    }
}

/// What the threads have reported so far.
struct Collector {
    ready: usize,
    series: Series,
    results: Vec<ThreadResult>,
    threads: usize,
    /// The latest second, until all threads have reported it.
    latest: LatestSecond,
    totals: [u64; 3],
}

struct LatestSecond {
    number: u32,
    /// How many threads have reported it.
    reported: usize,
    answered: u64,
    latencies: LatencyHistogram,
}

impl Collector {
    fn new(plan: &LoadPlan, threads: usize) -> Result<Self> {
        Ok(Self {
            ready: 0,
            series: Series::new(plan.schedule.duration),
            results: Vec::new(),
            threads,
            latest: LatestSecond {
                number: 0,
                reported: 0,
                answered: 0,
                latencies: LatencyHistogram::coarse()?,
            },
            totals: [0; 3],
        })
    }

    fn add_second(&mut self, second: &Second, watch: &mut impl FnMut(&Progress)) -> Result<()> {
        self.series.add(second)?;
        if second.number > self.latest.number {
            if self.latest.reported > 0 && self.latest.reported < self.threads {
                self.report_progress(watch);
            }
            self.latest.number = second.number;
            self.latest.reported = 0;
            self.latest.answered = 0;
            self.latest.latencies.clear();
        }
        let counts = [second.ok, second.throttled, second.failed].map(u64::from);
        for (total, count) in self.totals.iter_mut().zip(counts) {
            *total += count;
        }
        self.latest.reported += 1;
        self.latest.answered += counts.iter().sum::<u64>();
        for (us, count) in &second.latencies {
            self.latest.latencies.record_us(u64::from(*us), *count);
        }
        if self.latest.reported == self.threads {
            self.report_progress(watch);
        }
        Ok(())
    }

    fn report_progress(&self, watch: &mut impl FnMut(&Progress)) {
        let [ok, throttled, failed] = self.totals;
        let LatestSecond { number, answered, ref latencies, .. } = self.latest;
        watch(&Progress {
            second: number,
            ok,
            throttled,
            failed,
            rate: answered,
            p50: Duration::from_micros(latencies.quantile(0.5)),
            p99: Duration::from_micros(latencies.quantile(0.99)),
        });
    }

    fn measurement(mut self, plan: &LoadPlan, began: SystemTime, interrupted: bool) -> Result<Measurement> {
        let mut record = ThreadRecord::new(plan.mix.kinds().len())?;
        // Threads end in any order, and the clean-up needs to know which requests each has sent.
        self.results.sort_by_key(|result| result.thread);
        for result in &self.results {
            record.add(&result.record);
        }
        Measurement::new(plan, &record, &self.series, &self.results, began, interrupted)
    }
}

#[cfg(test)]
mod tests;
