//! Runs a load: starts the sending threads and collects their reports in the caller's task.

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

/// The complete description of a load.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// The target of all requests.
    pub target: Target,
    /// The kinds of requests and their shares.
    pub mix: RequestMix,
    /// The times at which requests are due.
    pub schedule: Schedule,
    /// The maximum number of requests in flight, and of connections. At least 1.
    pub concurrency: usize,
    /// The timeout of a request. A request without an answer by then counts as unanswered.
    pub timeout: Duration,
    /// The `User-Agent` header of all requests.
    pub user_agent: HeaderValue,
    /// The id of the run. The ids of its items begin with it.
    pub run: RunId,
}

/// The number of requests per second that one thread can easily send.
const RATE_PER_THREAD: u32 = 2_000;

impl LoadPlan {
    /// Returns the number of sending threads. One is enough for most runs and leaves the other processors free.
    pub(crate) fn thread_count(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = usize::try_from(self.schedule.rate.div_ceil(RATE_PER_THREAD)).unwrap_or(1);
        wanted.min(processors).min(self.concurrency).max(1)
    }
}

/// The progress of a run after one more second.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The number of the second that has ended. 0 is the first second of the measurement.
    pub second: u32,
    /// The number of requests so far with a status below 400.
    pub ok: u64,
    /// The number of requests so far with status 429.
    pub throttled: u64,
    /// The number of requests so far with another error or without an answer.
    pub failed: u64,
    /// The number of requests that ended in this second, with or without success.
    pub rate: u64,
    /// The median latency in this second of answers with a status below 400.
    pub p50: Duration,
    /// The 99th percentile of these latencies.
    pub p99: Duration,
}

/// Sends the requests of a plan from separate threads, and measures them.
///
/// When `stopped` completes, no more requests are sent and those in flight are awaited. The result is the measurement so
/// far. `watch` is called about once a second while answers arrive.
///
/// # Errors
/// [`Error::Invalid`] for a request with an invalid path, [`Error::System`] if the system refuses a thread or a timer. An
/// answer of the target is never an error.
pub async fn run(
    plan: LoadPlan,
    stopped: impl Future<Output = ()>,
    mut watch: impl FnMut(&Progress),
) -> Result<Measurement> {
    let requests = plan.mix.kinds().iter().map(|kind| {
        let prepared = kind.template().prepare(&plan.target, &plan.user_agent);
        prepared.map_err(|error| Error::Invalid(format!("request {}: {error}", kind.name())))
    });
    let threads = plan.thread_count();
    let shared = Arc::new(Shared {
        requests: requests.collect::<Result<_>>()?,
        created: CreatedItems::new(),
        stop: AtomicBool::new(false),
        plan,
    });
    let mut started_at = SystemTime::now();
    let (sender, mut messages) = mpsc::unbounded_channel();
    let mut senders = SenderThreads::start(&shared, threads, &sender)?;
    drop(sender);
    let mut collector = Collector::new(&shared.plan, threads)?;
    let mut stopped = pin!(stopped);
    let mut interrupted = false;
    loop {
        let event = poll_fn(|context| {
            if !interrupted && stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(Event::Stopped);
            }
            messages.poll_recv(context).map(Event::Message)
        });
        match event.await {
            Event::Stopped => {
                interrupted = true;
                shared.stop.store(true, Ordering::Relaxed);
                // Threads that still wait for the start then notice that they are stopped.
                senders.release();
            }
            Event::Message(None) => break,
            Event::Message(Some(Message::Ready)) => {
                collector.ready += 1;
                if collector.ready == threads {
                    started_at = SystemTime::now();
                    senders.release();
                }
            }
            Event::Message(Some(Message::Second(second))) => collector.add_second(&second, &mut watch)?,
            Event::Message(Some(Message::Done(result))) => collector.results.push(*result),
        }
    }
    senders.join()?;
    collector.measurement(&shared.plan, started_at, interrupted)
}

/// An event that the generator handles.
enum Event {
    Stopped,
    /// A message of a thread, or `None` after all threads have ended.
    Message(Option<Message>),
}

/// The sending threads.
struct SenderThreads {
    threads: Vec<JoinHandle<Result<()>>>,
    starts: Vec<oneshot::Sender<Instant>>,
}

impl SenderThreads {
    fn start(
        shared: &Arc<Shared>,
        threads: usize,
        messages: &mpsc::UnboundedSender<Message>,
    ) -> Result<Self> {
        let mut senders = Self { threads: Vec::new(), starts: Vec::new() };
        for n in 0..threads {
            let schedule = ThreadSchedule::new(shared.plan.schedule, n as u64, threads as u64);
            let concurrency = shared.plan.concurrency;
            let max_connections = concurrency / threads + usize::from(n < concurrency % threads);
            let (release, start) = oneshot::channel();
            let (shared, messages) = (Arc::clone(shared), messages.clone());
            let thread = std::thread::Builder::new().name(format!("load-{n}")).spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|e| Error::System(format!("cannot start a load thread: {e}")))?;
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, worker::run(shared, schedule, max_connections, messages, start))
            });
            let thread = thread.map_err(|e| Error::System(format!("cannot start a load thread: {e}")))?;
            senders.threads.push(thread);
            senders.starts.push(release);
        }
        Ok(senders)
    }

    /// Starts all threads at the same time.
    fn release(&mut self) {
        let now = Instant::now();
        for start in self.starts.drain(..) {
            let _ = start.send(now);
        }
    }

    /// Joins the threads. Call it after all of them have sent their results.
    ///
    /// # Errors
    /// The error of the first failed thread.
    fn join(self) -> Result<()> {
        for thread in self.threads {
            thread.join().map_err(|_| Error::System("a load thread panicked".to_owned()))??;
        }
        Ok(())
    }
}

/// The combined reports of all threads.
struct Collector {
    /// The number of threads that wait for the start.
    ready: usize,
    series: Series,
    results: Vec<ThreadResult>,
    threads: usize,
    /// The latest second, which some threads may not have reported yet.
    latest: LatestSecond,
    /// The numbers of requests so far: ok, throttled, failed.
    totals: [u64; 3],
}

struct LatestSecond {
    number: u32,
    /// The number of threads that have reported the second.
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

    fn measurement(
        mut self,
        plan: &LoadPlan,
        started_at: SystemTime,
        interrupted: bool,
    ) -> Result<Measurement> {
        let mut record = ThreadRecord::new(plan.mix.kinds().len())?;
        // The clean-up depends on the order of the threads, but they end in any order.
        self.results.sort_by_key(|result| result.thread);
        for result in &self.results {
            record.add(&result.record);
        }
        Measurement::new(plan, &record, &self.series, &self.results, started_at, interrupted)
    }
}

#[cfg(test)]
mod tests;
