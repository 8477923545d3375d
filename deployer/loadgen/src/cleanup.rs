//! Undoes a run: sends the undo request of every request that created an item, or may have done so.
//!
//! Throttled requests created nothing and are skipped. Their undo requests would be throttled too.

use crate::connection::{Connection, Connector};
use crate::error::{Error, Result};
use crate::generator::LoadPlan;
use crate::item_ids::CreatedItems;
use crate::measurement::Measurement;
use crate::request_template::PreparedRequest;
use crate::timer::Timer;
use futures_util::future::join_all;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// The maximum number of connections. More are not faster, and the target may refuse them.
const MAX_CONNECTIONS: usize = 50;

/// The result of a clean-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanupResult {
    /// The number of requests that were undone or had created nothing.
    pub done: u64,
    /// The number of requests that were not undone. Their items may still exist.
    pub left: u64,
}

/// The requests that one thread has sent: the first `count` of its schedule.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentRequests {
    pub(crate) count: u64,
    /// The requests that have an undo but certainly created nothing, by their index in the thread's schedule.
    pub(crate) created_nothing: BitSet,
}

/// A set of numbers. It takes one bit for each number up to the largest.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitSet(Vec<u64>);

impl BitSet {
    pub(crate) fn add(&mut self, number: u64) {
        let Ok(index) = usize::try_from(number / 64) else { return };
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0[index] |= 1 << (number % 64);
    }

    fn contains(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|index| self.0.get(index));
        word.is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// Sends the undo requests for everything that a run has created, or may have created.
///
/// The clean-up works in rounds. After each round with failed undo requests, it calls `again`, which may wait. The argument
/// tells whether the round has undone anything. If `again` returns true, another round retries the failed ones. `progress`
/// gets the number of undone requests after each of them.
///
/// A status from 200 to 299 and 404 count as undone. If the run was throttled, undo requests are sent no faster than the
/// throughput of the run. A measurement that was read from a file has nothing to undo.
///
/// # Errors
/// [`Error::Invalid`] for an undo request with an invalid path, [`Error::System`] if a timer cannot be created.
pub async fn clean_up(
    plan: &LoadPlan,
    measurement: &Measurement,
    mut progress: impl FnMut(u64),
    mut again: impl AsyncFnMut(bool) -> bool,
) -> Result<CleanupResult> {
    let undos: Vec<Option<PreparedRequest>> = plan
        .mix
        .kinds()
        .iter()
        .map(|kind| kind.undo().map(|undo| undo.prepare(&plan.target, &plan.user_agent)).transpose())
        .collect::<Result<_, String>>()
        .map_err(Error::Invalid)?;
    let cleanup = Cleanup {
        plan,
        undos,
        connector: Connector::new(plan.target.clone()),
        created: CreatedItems::new(),
        done: Cell::new(0),
        pace: CleanupPace::new(measurement),
    };
    let mut left = cleanup.undo_all(&mut undoable_requests(plan, &measurement.sent), &mut progress).await?;
    let mut previously_done = 0;
    while !left.is_empty() && again(cleanup.done.get() > previously_done).await {
        previously_done = cleanup.done.get();
        left = cleanup.undo_all(&mut left.into_iter(), &mut progress).await?;
    }
    Ok(CleanupResult { done: cleanup.done.get(), left: left.len() as u64 })
}

/// Iterates over the numbers of the requests that may have created something.
fn undoable_requests(plan: &LoadPlan, sent: &[SentRequests]) -> impl Iterator<Item = u64> {
    let threads = sent.len() as u64;
    let numbers = sent.iter().zip(0..).flat_map(move |(sent, thread)| {
        (0..sent.count).filter(|n| !sent.created_nothing.contains(*n)).map(move |n| thread + n * threads)
    });
    numbers.filter(|number| plan.mix.kinds()[plan.mix.index(*number)].undo().is_some())
}

/// The state that all rounds of a clean-up share.
struct Cleanup<'a> {
    plan: &'a LoadPlan,
    /// The undo requests, by the index of the kind of request in the mix.
    undos: Vec<Option<PreparedRequest>>,
    connector: Connector,
    created: CreatedItems,
    done: Cell<u64>,
    pace: Option<CleanupPace>,
}

/// Limits the rate to the throughput of the run. Requests above the target's limit would be throttled, and could count
/// against it.
struct CleanupPace {
    interval: Duration,
    next: Cell<Instant>,
}

impl CleanupPace {
    /// Returns `None` for a run that was not throttled.
    fn new(measurement: &Measurement) -> Option<Self> {
        let interval = Duration::from_secs_f64(1.0 / measurement.throughput.max(1.0));
        (measurement.counts.throttled > 0).then(|| Self { interval, next: Cell::new(Instant::now()) })
    }

    /// Reserves the next time at which a request may be sent.
    fn reserve(&self) -> Instant {
        let next = self.next.get().max(Instant::now());
        self.next.set(next + self.interval);
        next
    }
}

impl Cleanup<'_> {
    /// Undoes these requests as fast as answers and the pace allow, and returns the failed ones.
    async fn undo_all(
        &self,
        numbers: &mut dyn Iterator<Item = u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u64>> {
        let timer_error = |error| Error::System(format!("cannot create a timer: {error}"));
        let (numbers, progress) = (RefCell::new(numbers), RefCell::new(progress));
        let left = RefCell::new(Vec::new());
        let connection_loop = async || {
            let mut connection: Option<Connection> = None;
            let timer = self.pace.as_ref().map(|_| Timer::new()).transpose().map_err(timer_error)?;
            loop {
                // The number is taken before the first wait, so no other connection takes it.
                let Some(number) = numbers.borrow_mut().next() else { return Ok(()) };
                if let Some((pace, timer)) = self.pace.as_ref().zip(timer.as_ref()) {
                    timer.until(pace.reserve()).await.map_err(timer_error)?;
                }
                if self.undo(number, &mut connection).await {
                    self.done.set(self.done.get() + 1);
                    progress.borrow_mut()(self.done.get());
                } else {
                    left.borrow_mut().push(number);
                }
            }
        };
        let results =
            join_all((0..self.plan.concurrency.min(MAX_CONNECTIONS)).map(|_| connection_loop())).await;
        results.into_iter().collect::<Result<()>>()?;
        Ok(left.into_inner())
    }

    async fn undo(&self, number: u64, connection: &mut Option<Connection>) -> bool {
        let Some(undo) = &self.undos[self.plan.mix.index(number)] else { return true };
        if connection.as_ref().is_none_or(Connection::is_closed) {
            *connection = self.connector.connect().await.ok();
        }
        let Some(open) = connection else { return false };
        let request = undo.request(&self.plan.run, number, &self.created);
        match open.send(request, self.plan.timeout).await {
            // 404 means that there is nothing to undo.
            Ok(status) => (200..300).contains(&status) || status == 404,
            Err(_) => {
                *connection = None;
                false
            }
        }
    }
}
