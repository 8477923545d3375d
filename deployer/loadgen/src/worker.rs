//! One sending thread: it keeps to its part of the schedule, whatever becomes of the requests.
//!
//! A due request goes to the free connection that was used last, so that as few as possible are open. When none is free,
//! another one is opened, up to a limit; until then the request waits, and the wait counts as latency.

use crate::cleanup::{NumberSet, SentRequests};
use crate::connection::{Connection, Connector, RequestFailure};
use crate::error::{Error, Result};
use crate::generator::LoadPlan;
use crate::item_ids::CreatedItems;
use crate::request_template::PreparedRequest;
use crate::schedule::ThreadSchedule;
use crate::thread_record::{CurrentSecond, Outcome, OutcomeClass, RequestTimes, Second, ThreadRecord};
use crate::timer::Timer;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often a thread checks whether it was stopped and whether a second is over.
const CHECK_EVERY: Duration = Duration::from_millis(50);

/// Requests that still wait for a connection at the end are sent within this time or never.
const GRACE: Duration = Duration::from_secs(5);

/// Before the start, connections are opened for the requests that are in flight at once if answers take this long.
const USUAL_ANSWER: Duration = Duration::from_millis(50);
const MOST_OPENED_BEFORE_START: usize = 64;

/// What the threads of one run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: LoadPlan,
    /// By the index of the kind of request in the mix.
    pub(crate) requests: Vec<PreparedRequest>,
    pub(crate) created: CreatedItems,
    pub(crate) stop: AtomicBool,
}

/// From a sending thread to the generator.
#[derive(Debug)]
pub(crate) enum Message {
    /// The thread waits for the start.
    Ready,
    Second(Second),
    Done(Box<ThreadResult>),
}

/// What one thread has measured and sent.
#[derive(Debug)]
pub(crate) struct ThreadResult {
    /// The number of the thread.
    pub(crate) thread: u64,
    pub(crate) record: ThreadRecord,
    /// Including the warm-up.
    pub(crate) sent: SentRequests,
    pub(crate) opened: u64,
    pub(crate) most_open: usize,
}

/// Runs to the end of the thread's schedule, or until it is stopped.
pub(crate) async fn run(
    shared: Arc<Shared>,
    schedule: ThreadSchedule,
    most_connections: usize,
    reports: mpsc::UnboundedSender<Message>,
    start: oneshot::Receiver<Instant>,
) -> Result<()> {
    let timer = Timer::new().map_err(|e| Error::System(format!("cannot make a timer: {e}")))?;
    let worker = Rc::new(Worker {
        schedule,
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
        waits_for_free: Cell::new(false),
        dispatcher: RefCell::default(),
        created_nothing: RefCell::default(),
        record: RefCell::new(ThreadRecord::new(shared.requests.len())?),
        current: RefCell::new(CurrentSecond::new()?),
        reports,
        shared,
    });
    worker.open_before_start(&timer).await?;
    let _ = worker.reports.send(Message::Ready);
    let Ok(start) = start.await else { return Ok(()) };
    worker.start.set(Some(start));
    worker.run(&timer).await
}

struct Worker {
    shared: Arc<Shared>,
    schedule: ThreadSchedule,
    most: usize,
    connector: Connector,
    start: Cell<Option<Instant>>,
    /// The index in the thread's schedule of the request that is sent next.
    next: Cell<u64>,
    /// Connections that wait for a request. The one that was used last is at the end.
    free: RefCell<Vec<Rc<Slot>>>,
    open: Cell<usize>,
    /// How many of the open ones are not connected yet.
    opening: Cell<usize>,
    opened: Cell<u64>,
    most_open: Cell<usize>,
    over: Cell<bool>,
    /// Set while requests are due and every connection is busy. The first connection that is free then wakes the task that
    /// hands out requests.
    waits_for_free: Cell<bool>,
    dispatcher: RefCell<Option<Waker>>,
    created_nothing: RefCell<NumberSet>,
    record: RefCell<ThreadRecord>,
    current: RefCell<CurrentSecond>,
    reports: mpsc::UnboundedSender<Message>,
}

/// Where a free connection waits for a request.
#[derive(Default)]
struct Slot {
    given: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl Worker {
    async fn open_before_start(self: &Rc<Self>, timer: &Timer) -> Result<()> {
        let under_way = usize::try_from(self.schedule.due(USUAL_ANSWER)).unwrap_or(MOST_OPENED_BEFORE_START);
        let wanted = under_way.clamp(1, MOST_OPENED_BEFORE_START.min(self.most));
        for _ in 0..wanted {
            self.open();
        }
        while self.opening.get() > 0 {
            self.wait(timer, Instant::now() + Duration::from_millis(1)).await?;
        }
        Ok(())
    }

    async fn wait(&self, timer: &Timer, until: Instant) -> Result<()> {
        timer.until(until).await.map_err(|e| Error::System(format!("the timer broke: {e}")))
    }

    /// Waits until this moment, or until a busy connection becomes free if every one is busy.
    async fn wait_or_be_woken(&self, timer: &Timer, until: Instant) -> Result<()> {
        let mut waiting = pin!(self.wait(timer, until));
        let mut polled = false;
        poll_fn(|context| {
            if polled && self.dispatcher.borrow().is_none() {
                return Poll::Ready(Ok(()));
            }
            polled = true;
            self.dispatcher.replace(Some(context.waker().clone()));
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
            if stopped || now > end || self.next.get() == self.schedule.total() {
                break;
            }
            self.hand_out(now);
            let due = self.schedule.due(now);
            let all_busy = self.next.get() < due && self.open.get() == self.most;
            self.waits_for_free.set(all_busy);
            let next = if all_busy || due == self.schedule.total() {
                end
            } else {
                self.shared.plan.schedule.at(self.schedule.number(due))
            };
            self.wait_or_be_woken(timer, start + next.min(now + CHECK_EVERY)).await?;
        }
        // Requests in flight end by themselves: with an answer, or when its time is up.
        self.over.set(true);
        for slot in self.free.borrow().iter() {
            slot.wake();
        }
        while self.open.get() > 0 {
            self.roll(start.elapsed());
            self.wait(timer, Instant::now() + Duration::from_millis(5)).await?;
        }
        let last = self.current.borrow_mut().finish(u32::MAX);
        self.report_second(last);
        let record = self.record.replace(ThreadRecord::new(0)?);
        let _ = self.reports.send(Message::Done(Box::new(ThreadResult {
            thread: self.schedule.number(0),
            record,
            sent: SentRequests { count: self.next.get(), created_nothing: self.created_nothing.take() },
            opened: self.opened.get(),
            most_open: self.most_open.get(),
        })));
        Ok(())
    }

    fn started(&self) -> Instant {
        self.start.get().unwrap_or_else(Instant::now)
    }

    /// Gives due requests to free connections, and opens more connections for the rest.
    fn hand_out(self: &Rc<Self>, now: Duration) {
        let due = self.schedule.due(now);
        while self.next.get() < due {
            let Some(slot) = self.free.borrow_mut().pop() else { break };
            slot.given.set(Some(self.next.get()));
            self.next.set(self.next.get() + 1);
            slot.wake();
        }
        let waiting = usize::try_from(due - self.next.get()).unwrap_or(usize::MAX);
        while self.opening.get() < waiting && self.open.get() < self.most {
            self.open();
        }
    }

    /// Takes the next request, if one is due.
    fn take(&self) -> Option<u64> {
        let next = self.next.get();
        let start = self.start.get()?;
        if self.over.get() || next >= self.schedule.due(start.elapsed()) {
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
            // The request that the connection was opened for has failed.
            Err(failure) => {
                if let Some(index) = self.take() {
                    let sent = self.started().elapsed();
                    self.record_outcome(index, Outcome::Failed(failure), sent);
                }
            }
        }
        self.open.set(self.open.get() - 1);
        if !self.over.get() && self.start.get().is_some() {
            self.hand_out(self.started().elapsed());
        }
    }

    async fn send_all(&self, mut connection: Connection) {
        let slot = Rc::new(Slot::default());
        while !connection.is_closed() {
            let index = match self.take() {
                Some(index) => index,
                None => match self.wait_for_request(&slot, &mut connection).await {
                    Some(index) => index,
                    None => return,
                },
            };
            self.send(index, &mut connection).await;
        }
    }

    /// Waits for a request. Returns `None` when there will be none, or when the other side closes the connection.
    async fn wait_for_request(&self, slot: &Rc<Slot>, connection: &mut Connection) -> Option<u64> {
        self.free.borrow_mut().push(Rc::clone(slot));
        if self.waits_for_free.take()
            && let Some(waker) = self.dispatcher.borrow_mut().take()
        {
            waker.wake();
        }
        poll_fn(|context| {
            if let Some(index) = slot.given.take() {
                return Poll::Ready(Some(index));
            }
            if self.over.get() {
                return Poll::Ready(None);
            }
            if connection.poll_closed(context).is_ready() {
                self.free.borrow_mut().retain(|other| !Rc::ptr_eq(other, slot));
                return Poll::Ready(None);
            }
            slot.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    async fn send(&self, index: u64, connection: &mut Connection) {
        let number = self.schedule.number(index);
        let plan = &self.shared.plan;
        let prepared = &self.shared.requests[plan.mix.index(number)];
        let request = || prepared.request(&plan.run, number, &self.shared.created);
        let sent = self.started().elapsed();
        let mut answer = connection.send(request(), plan.answer_within).await;
        // The other side may close a kept connection just when it is used again. Clients then open another one.
        if answer == Err(RequestFailure::NotSent) {
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
        if prepared.creates_item && outcome.class() == OutcomeClass::Ok {
            self.shared.created.add(number);
        }
        self.record_outcome(index, outcome, sent);
    }

    fn record_outcome(&self, index: u64, outcome: Outcome, sent: Duration) {
        let schedule = &self.shared.plan.schedule;
        let number = self.schedule.number(index);
        let request = self.shared.plan.mix.index(number);
        if outcome.created_nothing() && self.shared.plan.mix.kinds()[request].undo().is_some() {
            self.created_nothing.borrow_mut().add(index);
        }
        let done = self.started().elapsed();
        if number < schedule.of_warmup() {
            self.record.borrow_mut().warmup += 1;
            return;
        }
        self.roll(done);
        let intended = schedule.at(number);
        self.current.borrow_mut().record(outcome.class(), done.saturating_sub(intended));
        self.record.borrow_mut().record(request, outcome, RequestTimes { intended, sent, done });
    }

    /// Ends the current second when it is over, and reports it.
    fn roll(&self, now: Duration) {
        let over = self.current.borrow_mut().roll(now.saturating_sub(self.shared.plan.schedule.warmup));
        self.report_second(over);
    }

    fn report_second(&self, second: Option<Second>) {
        if let Some(second) = second {
            let _ = self.reports.send(Message::Second(second));
        }
    }
}
