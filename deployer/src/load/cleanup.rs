//! Takes back what a run has made: each request that was sent and made an item, or may have, is undone by its own undo.
//! What was turned away is not: its deletions would be as many again for a limit that lets no more through.

use super::connection::{Connection, Connector};
use super::generator::Plan;
use super::ids::Created;
use super::result::Measurement;
use super::template::Prepared;
use super::timer::Timer;
use crate::error::{Error, Result};
use futures_util::future::join_all;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// More at once is not quicker, and may be turned away.
const MOST_AT_ONCE: usize = 50;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CleanedUp {
    pub(crate) done: u64,
    /// Still there, as far as one knows.
    pub(crate) left: u64,
}

/// What one thread has sent: so many of its share, from its beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) count: u64,
    /// Of those that would make something, the ones that certainly have not.
    pub(super) made_nothing: Numbers,
}

/// A set of numbers, with a bit for each up to the largest.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    pub(super) fn add(&mut self, number: u64) {
        let Ok(place) = usize::try_from(number / 64) else { return };
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] |= 1 << (number % 64);
    }

    fn has(&self, number: u64) -> bool {
        let place = usize::try_from(number / 64).ok().and_then(|place| self.0.get(place));
        place.is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// Undoes in rounds: what was turned away is tried again while `again` says so, which hears whether the last round has
/// deleted anything.
///
/// # Errors
/// A request that cannot be made, a timer that the system does not give, and what `again` fails with.
pub(crate) async fn clean_up(
    plan: &Plan,
    measurement: &Measurement,
    mut progress: impl FnMut(u64),
    mut again: impl AsyncFnMut(bool) -> Result<bool>,
) -> Result<CleanedUp> {
    let undos: Vec<Option<Prepared>> = plan
        .mix
        .requests
        .iter()
        .map(|request| request.undo.as_ref().map(|undo| undo.prepare(&plan.target)).transpose())
        .collect::<Result<_, String>>()
        .map_err(Error::usage)?;
    let round = Round {
        plan,
        undos,
        connector: Connector::new(plan.target.clone()),
        created: Created::new(),
        done: Cell::new(0),
        pace: Pace::of(measurement),
    };
    let mut left = round.go(&mut made(plan, &measurement.sent), &mut progress).await?;
    let mut done_before = 0;
    while !left.is_empty() && again(round.done.get() > done_before).await? {
        done_before = round.done.get();
        left = round.go(&mut left.into_iter(), &mut progress).await?;
    }
    Ok(CleanedUp { done: round.done.get(), left: left.len() as u64 })
}

/// The numbers of the requests that may have made something.
fn made(plan: &Plan, sent: &[Sent]) -> impl Iterator<Item = u64> {
    let threads = sent.len() as u64;
    let all = sent.iter().zip(0..).flat_map(move |(sent, thread)| {
        (0..sent.count).filter(|n| !sent.made_nothing.has(*n)).map(move |n| thread + n * threads)
    });
    all.filter(|number| plan.mix.requests[plan.mix.index(*number)].undo.is_some())
}

struct Round<'a> {
    plan: &'a Plan,
    /// By the request's index in the mix.
    undos: Vec<Option<Prepared>>,
    connector: Connector,
    created: Created,
    done: Cell<u64>,
    pace: Option<Pace>,
}

/// As many a second as the load got through. What is beyond a limit is turned away, and may use up what it lets through.
struct Pace {
    between: Duration,
    next: Cell<Instant>,
}

impl Pace {
    /// `None` where nothing was turned away.
    fn of(measurement: &Measurement) -> Option<Self> {
        let between = Duration::from_secs_f64(1.0 / measurement.throughput.max(1.0));
        (measurement.counts.throttled > 0).then(|| Self { between, next: Cell::new(Instant::now()) })
    }

    /// When the next one may be sent.
    fn next(&self) -> Instant {
        let next = self.next.get().max(Instant::now());
        self.next.set(next + self.between);
        next
    }
}

impl Round<'_> {
    /// Undoes these, as quickly as answers come and the pace allows; what was not undone.
    async fn go(
        &self,
        numbers: &mut dyn Iterator<Item = u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u64>> {
        let broke = |e| Error::new(format!("cannot make a timer: {e}"));
        let (numbers, progress) = (RefCell::new(numbers), RefCell::new(progress));
        let left = RefCell::new(Vec::new());
        let one = async || {
            let mut connection: Option<Connection> = None;
            let timer = self.pace.as_ref().map(|_| Timer::new()).transpose().map_err(broke)?;
            loop {
                // The next one is taken before the wait for its answer, so that nobody else takes it.
                let Some(number) = numbers.borrow_mut().next() else { return Ok(()) };
                if let Some((pace, timer)) = self.pace.as_ref().zip(timer.as_ref()) {
                    timer.until(pace.next()).await.map_err(broke)?;
                }
                if self.undo(number, &mut connection).await {
                    self.done.set(self.done.get() + 1);
                    progress.borrow_mut()(self.done.get());
                } else {
                    left.borrow_mut().push(number);
                }
            }
        };
        let all = join_all((0..self.plan.concurrency.min(MOST_AT_ONCE)).map(|_| one())).await;
        all.into_iter().collect::<Result<()>>()?;
        Ok(left.into_inner())
    }

    async fn undo(&self, number: u64, connection: &mut Option<Connection>) -> bool {
        let Some(undo) = &self.undos[self.plan.mix.index(number)] else { return true };
        if connection.as_ref().is_none_or(Connection::is_over) {
            *connection = self.connector.connect().await.ok();
        }
        let Some(open) = connection else { return false };
        let request = undo.request(&self.plan.run, number, &self.created);
        match open.send(request, self.plan.answer_within).await {
            // What is not there need not be deleted.
            Ok(status) => (200..300).contains(&status) || status == 404,
            Err(_) => {
                *connection = None;
                false
            }
        }
    }
}
