//! Takes back what a run has made: each request that was sent and made an item, or may have, is undone by its own undo.

use super::connection::{Connection, Connector};
use super::generator::Plan;
use super::ids::Created;
use super::result::Measurement;
use super::template::Prepared;
use crate::error::{Error, Result};
use futures_util::future::join_all;
use std::cell::{Cell, RefCell};

/// More at once is not quicker, and may be turned away.
const MOST_AT_ONCE: usize = 50;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CleanedUp {
    pub(crate) done: u64,
    /// Still there, as far as one knows.
    pub(crate) left: u64,
}

/// Undoes in rounds: what was turned away is tried again while `again` says so.
///
/// # Errors
/// A request that cannot be made, and what `again` fails with.
pub(crate) async fn clean_up(
    plan: &Plan,
    measurement: &Measurement,
    mut progress: impl FnMut(u64),
    mut again: impl AsyncFnMut() -> Result<bool>,
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
    };
    let mut left = round.go(&mut made(plan, &measurement.sent), &mut progress).await;
    while !left.is_empty() && again().await? {
        left = round.go(&mut left.into_iter(), &mut progress).await;
    }
    Ok(CleanedUp { done: round.done.get(), left: left.len() as u64 })
}

/// The numbers of the requests that may have made something.
fn made(plan: &Plan, sent: &[u64]) -> impl Iterator<Item = u64> {
    let threads = sent.len() as u64;
    let all =
        sent.iter().zip(0..).flat_map(move |(sent, thread)| (0..*sent).map(move |n| thread + n * threads));
    all.filter(|number| plan.mix.requests[plan.mix.index(*number)].undo.is_some())
}

struct Round<'a> {
    plan: &'a Plan,
    /// By the request's index in the mix.
    undos: Vec<Option<Prepared>>,
    connector: Connector,
    created: Created,
    done: Cell<u64>,
}

impl Round<'_> {
    /// Undoes these, as quickly as answers come; what was not undone.
    async fn go(&self, numbers: &mut dyn Iterator<Item = u64>, progress: &mut dyn FnMut(u64)) -> Vec<u64> {
        let (numbers, progress) = (RefCell::new(numbers), RefCell::new(progress));
        let left = RefCell::new(Vec::new());
        let one = async || {
            let mut connection: Option<Connection> = None;
            loop {
                // The next one is taken before the wait for its answer, so that nobody else takes it.
                let Some(number) = numbers.borrow_mut().next() else { return };
                if self.undo(number, &mut connection).await {
                    self.done.set(self.done.get() + 1);
                    progress.borrow_mut()(self.done.get());
                } else {
                    left.borrow_mut().push(number);
                }
            }
        };
        join_all((0..self.plan.concurrency.min(MOST_AT_ONCE)).map(|_| one())).await;
        left.into_inner()
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
