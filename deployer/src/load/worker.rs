//! One thread of a load: it keeps to its share of the schedule, whatever becomes of the requests.
//!
//! A request that is due goes to the connection that was used last, so that as few as possible are open. Where none is
//! free, another one is opened, up to a limit; what is due waits for whichever is free first, and that wait counts.

use super::cleanup::{Numbers, Sent};
use super::connection::{Connection, Connector, Failure};
use super::generator::Plan;
use super::ids::Created;
use super::record::{Class, Current, Outcome, Record, Second, Times};
use super::schedule::Share;
use super::template::Prepared;
use super::timer::Timer;
use crate::error::{Error, Result};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often a thread looks whether it is to stop, and ends the second that is going on.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is due at the end, and waits for a connection, is sent within this time or never.
const GRACE: Duration = Duration::from_secs(5);

/// Connections are opened before the start for what is under way at once if answers take this long.
const USUAL_ANSWER: Duration = Duration::from_millis(50);
const MOST_BEFOREHAND: usize = 64;

/// What the threads of one run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) requests: Vec<Prepared>,
    pub(super) created: Created,
    pub(super) stop: AtomicBool,
}

/// From a thread to the one that watches.
#[derive(Debug)]
pub(super) enum Message {
    /// It waits for the start.
    Ready,
    Second(Second),
    Done(Box<Done>),
}

/// What one thread leaves behind.
#[derive(Debug)]
pub(super) struct Done {
    /// Which share it had.
    pub(super) thread: u64,
    pub(super) record: Record,
    /// With the warm-up's.
    pub(super) sent: Sent,
    pub(super) opened: u64,
    pub(super) most_open: usize,
}

/// Runs to the end of the schedule, or until it is stopped.
pub(super) async fn work(
    shared: Arc<Shared>,
    share: Share,
    most_connections: usize,
    tell: mpsc::UnboundedSender<Message>,
    start: oneshot::Receiver<Instant>,
) -> Result<()> {
    let timer = Timer::new().map_err(|e| Error::new(format!("cannot make a timer: {e}")))?;
    let worker = Rc::new(Worker {
        share,
        most: most_connections,
        connector: Connector::new(shared.plan.target.clone()),
        start: Cell::new(None),
        next: Cell::new(0),
        free: RefCell::default(),
        open: Cell::new(0),
        opening: Cell::new(0),
        opened: Cell::new(0),
        most_open: Cell::new(0),
        over: Cell::new(false),
        waits_for_a_seat: Cell::new(false),
        hands_out: RefCell::default(),
        made_nothing: RefCell::default(),
        record: RefCell::new(Record::new(shared.requests.len())?),
        current: RefCell::new(Current::new()?),
        tell,
        shared,
    });
    worker.open_beforehand(&timer).await?;
    let _ = worker.tell.send(Message::Ready);
    let Ok(start) = start.await else { return Ok(()) };
    worker.start.set(Some(start));
    worker.run(&timer).await
}

struct Worker {
    shared: Arc<Shared>,
    share: Share,
    most: usize,
    connector: Connector,
    start: Cell<Option<Instant>>,
    /// Which of its share is sent next.
    next: Cell<u64>,
    /// Connections that wait, the one that was used last at the end.
    free: RefCell<Vec<Rc<Seat>>>,
    open: Cell<usize>,
    /// Of those, the ones that are not connected yet.
    opening: Cell<usize>,
    opened: Cell<u64>,
    most_open: Cell<usize>,
    over: Cell<bool>,
    /// Set while every connection is busy with what is due already: then there is nothing to hand out, and whoever is
    /// free first wakes the one that hands out.
    waits_for_a_seat: Cell<bool>,
    hands_out: RefCell<Option<Waker>>,
    made_nothing: RefCell<Numbers>,
    record: RefCell<Record>,
    current: RefCell<Current>,
    tell: mpsc::UnboundedSender<Message>,
}

/// Where a connection waits for a request.
#[derive(Default)]
struct Seat {
    given: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl Worker {
    async fn open_beforehand(self: &Rc<Self>, timer: &Timer) -> Result<()> {
        let under_way = usize::try_from(self.share.due(USUAL_ANSWER)).unwrap_or(MOST_BEFOREHAND);
        let wanted = under_way.clamp(1, MOST_BEFOREHAND.min(self.most));
        for _ in 0..wanted {
            self.open();
        }
        while self.opening.get() > 0 {
            self.wait(timer, Instant::now() + Duration::from_millis(1)).await?;
        }
        Ok(())
    }

    async fn wait(&self, timer: &Timer, until: Instant) -> Result<()> {
        timer.until(until).await.map_err(|e| Error::new(format!("the timer broke: {e}")))
    }

    /// Waits until this moment, or until a busy connection becomes free.
    async fn wait_or_be_woken(&self, timer: &Timer, until: Instant) -> Result<()> {
        let mut waiting = pin!(self.wait(timer, until));
        let mut polled = false;
        poll_fn(|context| {
            if polled && self.hands_out.borrow().is_none() {
                return Poll::Ready(Ok(()));
            }
            polled = true;
            self.hands_out.replace(Some(context.waker().clone()));
            waiting.as_mut().poll(context)
        })
        .await
    }

    async fn run(self: &Rc<Self>, timer: &Timer) -> Result<()> {
        let start = self.started();
        let end = self.shared.plan.schedule.length() + GRACE;
        loop {
            let now = start.elapsed();
            self.roll(now);
            let stopped = self.shared.stop.load(Ordering::Relaxed);
            if stopped || now > end || self.next.get() == self.share.total() {
                break;
            }
            self.hand_out(now);
            let due = self.share.due(now);
            let all_busy = self.next.get() < due && self.open.get() == self.most;
            self.waits_for_a_seat.set(all_busy);
            let next = if all_busy || due == self.share.total() {
                end
            } else {
                self.shared.plan.schedule.at(self.share.number(due))
            };
            self.wait_or_be_woken(timer, start + next.min(now + LOOK_EVERY)).await?;
        }
        // What is under way ends by itself: with an answer, or without one in time.
        self.over.set(true);
        for seat in self.free.borrow().iter() {
            seat.wake();
        }
        while self.open.get() > 0 {
            self.roll(start.elapsed());
            self.wait(timer, Instant::now() + Duration::from_millis(5)).await?;
        }
        let last = self.current.borrow_mut().finish(u32::MAX);
        self.tell_second(last);
        let record = self.record.replace(Record::new(0)?);
        let _ = self.tell.send(Message::Done(Box::new(Done {
            thread: self.share.number(0),
            record,
            sent: Sent { count: self.next.get(), made_nothing: self.made_nothing.take() },
            opened: self.opened.get(),
            most_open: self.most_open.get(),
        })));
        Ok(())
    }

    fn started(&self) -> Instant {
        self.start.get().unwrap_or_else(Instant::now)
    }

    /// Gives what is due to connections that wait, and opens more for what is left.
    fn hand_out(self: &Rc<Self>, now: Duration) {
        let due = self.share.due(now);
        while self.next.get() < due {
            let Some(seat) = self.free.borrow_mut().pop() else { break };
            seat.given.set(Some(self.next.get()));
            self.next.set(self.next.get() + 1);
            seat.wake();
        }
        let waiting = usize::try_from(due - self.next.get()).unwrap_or(usize::MAX);
        while self.opening.get() < waiting && self.open.get() < self.most {
            self.open();
        }
    }

    /// The next request, if one is due.
    fn take(&self) -> Option<u64> {
        let next = self.next.get();
        let start = self.start.get()?;
        if self.over.get() || next >= self.share.due(start.elapsed()) {
            return None;
        }
        self.next.set(next + 1);
        Some(next)
    }

    fn open(self: &Rc<Self>) {
        self.open.set(self.open.get() + 1);
        self.opening.set(self.opening.get() + 1);
        self.most_open.set(self.most_open.get().max(self.open.get()));
        tokio::task::spawn_local(Rc::clone(self).serve());
    }

    /// The life of one connection.
    async fn serve(self: Rc<Self>) {
        let connected = self.connector.connect().await;
        self.opening.set(self.opening.get() - 1);
        match connected {
            Ok(connection) => {
                self.opened.set(self.opened.get() + 1);
                self.send_all(connection).await;
            }
            // The request that it was opened for has failed.
            Err(failure) => {
                if let Some(index) = self.take() {
                    let sent = self.started().elapsed();
                    self.note(index, Outcome::Failed(failure), sent);
                }
            }
        }
        self.open.set(self.open.get() - 1);
        if !self.over.get() && self.start.get().is_some() {
            self.hand_out(self.started().elapsed());
        }
    }

    async fn send_all(&self, mut connection: Connection) {
        let seat = Rc::new(Seat::default());
        while !connection.is_over() {
            let index = match self.take() {
                Some(index) => index,
                None => match self.rest(&seat, &mut connection).await {
                    Some(index) => index,
                    None => return,
                },
            };
            self.send(index, &mut connection).await;
        }
    }

    /// Waits for a request; `None` when there will be none, or the other side hangs up.
    async fn rest(&self, seat: &Rc<Seat>, connection: &mut Connection) -> Option<u64> {
        self.free.borrow_mut().push(Rc::clone(seat));
        if self.waits_for_a_seat.take()
            && let Some(waker) = self.hands_out.borrow_mut().take()
        {
            waker.wake();
        }
        poll_fn(|context| {
            if let Some(index) = seat.given.take() {
                return Poll::Ready(Some(index));
            }
            if self.over.get() {
                return Poll::Ready(None);
            }
            if connection.poll_closed(context).is_ready() {
                self.free.borrow_mut().retain(|other| !Rc::ptr_eq(other, seat));
                return Poll::Ready(None);
            }
            seat.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    async fn send(&self, index: u64, connection: &mut Connection) {
        let number = self.share.number(index);
        let plan = &self.shared.plan;
        let prepared = &self.shared.requests[plan.mix.index(number)];
        let request = || prepared.request(&plan.run, number, &self.shared.created);
        let sent = self.started().elapsed();
        let mut answer = connection.send(request(), plan.answer_within).await;
        // A kept connection may be closed just when it is used again: clients open another one then.
        if answer == Err(Failure::NotSent) {
            answer = match self.connector.connect().await {
                Ok(new) => {
                    self.opened.set(self.opened.get() + 1);
                    *connection = new;
                    connection.send(request(), plan.answer_within).await
                }
                Err(failure) => Err(failure),
            };
        }
        let outcome = answer.map_or_else(Outcome::Failed, Outcome::Status);
        if prepared.makes_an_item && outcome.class() == Class::Ok {
            self.shared.created.add(number);
        }
        self.note(index, outcome, sent);
    }

    fn note(&self, index: u64, outcome: Outcome, sent: Duration) {
        let schedule = &self.shared.plan.schedule;
        let number = self.share.number(index);
        let request = self.shared.plan.mix.index(number);
        if outcome.made_nothing() && self.shared.plan.mix.requests[request].undo.is_some() {
            self.made_nothing.borrow_mut().add(index);
        }
        let done = self.started().elapsed();
        if number < schedule.of_warmup() {
            self.record.borrow_mut().warmup += 1;
            return;
        }
        self.roll(done);
        let intended = schedule.at(number);
        self.current.borrow_mut().note(outcome.class(), done.saturating_sub(intended));
        self.record.borrow_mut().note(request, outcome, Times { intended, sent, done });
    }

    /// Ends the second that is going on, when it is over.
    fn roll(&self, now: Duration) {
        let over = self.current.borrow_mut().roll(now.saturating_sub(self.shared.plan.schedule.warmup));
        self.tell_second(over);
    }

    fn tell_second(&self, second: Option<Second>) {
        if let Some(second) = second {
            let _ = self.tell.send(Message::Second(second));
        }
    }
}
