//! Removes what a run has created: every request that created an item, or may have, is undone by its own undo request.
//! Requests that were turned away are left out: their undo requests would be turned away by the same limit.

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

/// More connections are not faster, and may be turned away.
const MOST_CONNECTIONS: usize = 50;

/// How much a clean-up has undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanupResult {
    /// How many requests were undone, or had created nothing.
    pub done: u64,
    /// How many requests were not undone: their items may still exist.
    pub left: u64,
}

/// What one thread has sent: the first `count` requests of its schedule.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentRequests {
    pub(crate) count: u64,
    /// Those with an undo that certainly created nothing, by their index in the thread's schedule.
    pub(crate) created_nothing: NumberSet,
}

/// A set of numbers. It takes a bit for each number up to the largest.
#[derive(Clone, Debug, Default)]
pub(crate) struct NumberSet(Vec<u64>);

impl NumberSet {
    pub(crate) fn add(&mut self, number: u64) {
        let Ok(place) = usize::try_from(number / 64) else { return };
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] |= 1 << (number % 64);
    }

    fn contains(&self, number: u64) -> bool {
        let place = usize::try_from(number / 64).ok().and_then(|place| self.0.get(place));
        place.is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// Sends the undo request of everything that a run has created, or may have.
///
/// It goes in rounds: a request that was not undone is tried again for as long as `again` returns true. `again` is called
/// after each round that left something, with whether that round has undone anything, and may wait. `progress` is called
/// with the number of undone requests after each of them.
///
/// An answer below 300 and 404 count as undone. Where the run was throttled, undo requests are sent no faster than the run
/// got through. A measurement that was read from a file has nothing to undo.
///
/// # Errors
/// [`Error::Invalid`] for an undo request that no URL can have, [`Error::System`] when a timer cannot be created.
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
    let round = CleanupRound {
        plan,
        undos,
        connector: Connector::new(plan.target.clone()),
        created: CreatedItems::new(),
        done: Cell::new(0),
        pace: CleanupPace::new(measurement),
    };
    let mut left = round.undo_all(&mut to_undo(plan, &measurement.sent), &mut progress).await?;
    let mut done_before = 0;
    while !left.is_empty() && again(round.done.get() > done_before).await {
        done_before = round.done.get();
        left = round.undo_all(&mut left.into_iter(), &mut progress).await?;
    }
    Ok(CleanupResult { done: round.done.get(), left: left.len() as u64 })
}

/// The numbers of the requests that may have created something.
fn to_undo(plan: &LoadPlan, sent: &[SentRequests]) -> impl Iterator<Item = u64> {
    let threads = sent.len() as u64;
    let all = sent.iter().zip(0..).flat_map(move |(sent, thread)| {
        (0..sent.count).filter(|n| !sent.created_nothing.contains(*n)).map(move |n| thread + n * threads)
    });
    all.filter(|number| plan.mix.kinds()[plan.mix.index(*number)].undo().is_some())
}

/// What all rounds of a clean-up share.
struct CleanupRound<'a> {
    plan: &'a LoadPlan,
    /// By the index of the kind of request in the mix.
    undos: Vec<Option<PreparedRequest>>,
    connector: Connector,
    created: CreatedItems,
    done: Cell<u64>,
    pace: Option<CleanupPace>,
}

/// Sends as many a second as the run got through. Requests beyond a limit are turned away, and may use up what it lets
/// through.
struct CleanupPace {
    between: Duration,
    next: Cell<Instant>,
}

impl CleanupPace {
    /// Returns `None` for a run that was not throttled.
    fn new(measurement: &Measurement) -> Option<Self> {
        let between = Duration::from_secs_f64(1.0 / measurement.throughput.max(1.0));
        (measurement.counts.throttled > 0).then(|| Self { between, next: Cell::new(Instant::now()) })
    }

    /// When the next request may be sent.
    fn next(&self) -> Instant {
        let next = self.next.get().max(Instant::now());
        self.next.set(next + self.between);
        next
    }
}

impl CleanupRound<'_> {
    /// Undoes these requests as fast as answers and the pace allow, and returns those that were not undone.
    async fn undo_all(
        &self,
        numbers: &mut dyn Iterator<Item = u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u64>> {
        let no_timer = |error| Error::System(format!("cannot make a timer: {error}"));
        let (numbers, progress) = (RefCell::new(numbers), RefCell::new(progress));
        let left = RefCell::new(Vec::new());
        let connection_loop = async || {
            let mut connection: Option<Connection> = None;
            let timer = self.pace.as_ref().map(|_| Timer::new()).transpose().map_err(no_timer)?;
            loop {
                // Taken before the wait for its answer, so that no other connection takes it.
                let Some(number) = numbers.borrow_mut().next() else { return Ok(()) };
                if let Some((pace, timer)) = self.pace.as_ref().zip(timer.as_ref()) {
                    timer.until(pace.next()).await.map_err(no_timer)?;
                }
                if self.undo(number, &mut connection).await {
                    self.done.set(self.done.get() + 1);
                    progress.borrow_mut()(self.done.get());
                } else {
                    left.borrow_mut().push(number);
                }
            }
        };
        let all = join_all((0..self.plan.concurrency.min(MOST_CONNECTIONS)).map(|_| connection_loop())).await;
        all.into_iter().collect::<Result<()>>()?;
        Ok(left.into_inner())
    }

    async fn undo(&self, number: u64, connection: &mut Option<Connection>) -> bool {
        let Some(undo) = &self.undos[self.plan.mix.index(number)] else { return true };
        if connection.as_ref().is_none_or(Connection::is_closed) {
            *connection = self.connector.connect().await.ok();
        }
        let Some(open) = connection else { return false };
        let request = undo.request(&self.plan.run, number, &self.created);
        match open.send(request, self.plan.answer_within).await {
            // 404: there is nothing to undo.
            Ok(status) => (200..300).contains(&status) || status == 404,
            Err(_) => {
                *connection = None;
                false
            }
        }
    }
}
