//! A sending thread. It follows its part of the schedule and never waits for earlier answers.
//!
//! The most recently used free connection gets the next due request, so that few connections are open. If none is free, the
//! thread opens another one, up to a limit. Meanwhile the request waits, and the wait counts as latency.

use crate::cleanup::{BitSet, SentRequests};
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

/// The interval at which a thread checks whether it is stopped and whether a second has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The time after the end within which waiting requests are still sent.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// The assumed latency of an answer. It determines how many connections are opened before the start.
const ASSUMED_LATENCY: Duration = Duration::from_millis(50);
/// The maximum number of connections that are opened before the start.
const MAX_INITIAL_CONNECTIONS: usize = 64;

/// The state that all threads of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: LoadPlan,
    /// The requests, by the index of the kind of request in the mix.
    pub(crate) requests: Vec<PreparedRequest>,
    pub(crate) created: CreatedItems,
    pub(crate) stop: AtomicBool,
}

/// A message from a sending thread to the generator.
#[derive(Debug)]
pub(crate) enum Message {
    /// The thread waits for the start.
    Ready,
    /// A second of the thread has ended.
    Second(Second),
    /// The thread has ended.
    Done(Box<ThreadResult>),
}

/// The final result of one thread.
#[derive(Debug)]
pub(crate) struct ThreadResult {
    /// The number of the thread.
    pub(crate) thread: u64,
    pub(crate) record: ThreadRecord,
    /// The sent requests, including the warm-up.
    pub(crate) sent: SentRequests,
    /// The number of connections that were opened.
    pub(crate) opened: u64,
    /// The maximum number of connections that were open at once.
    pub(crate) max_open: usize,
}

/// Sends the requests of the thread's schedule, until its end or until it is stopped.
pub(crate) async fn run(
    shared: Arc<Shared>,
    schedule: ThreadSchedule,
    max_connections: usize,
    messages: mpsc::UnboundedSender<Message>,
    start: oneshot::Receiver<Instant>,
) -> Result<()> {
    let timer = Timer::new().map_err(|e| Error::System(format!("cannot create a timer: {e}")))?;
    let worker = Rc::new(Worker {
        schedule,
        max_connections,
        connector: Connector::new(shared.plan.target.clone()),
        start: Cell::new(None),
        next: Cell::new(0),
        free: RefCell::default(),
        open: Cell::new(0),
        opening: Cell::new(0),
        opened: Cell::new(0),
        max_open: Cell::new(0),
        finished: Cell::new(false),
        awaits_connection: Cell::new(false),
        dispatcher: RefCell::default(),
        created_nothing: RefCell::default(),
        record: RefCell::new(ThreadRecord::new(shared.requests.len())?),
        current: RefCell::new(CurrentSecond::new()?),
        messages,
        shared,
    });
    worker.open_initial_connections(&timer).await?;
    let _ = worker.messages.send(Message::Ready);
    let Ok(start) = start.await else { return Ok(()) };
    worker.start.set(Some(start));
    worker.run(&timer).await
}

struct Worker {
    shared: Arc<Shared>,
    schedule: ThreadSchedule,
    max_connections: usize,
    connector: Connector,
    start: Cell<Option<Instant>>,
    /// The index of the next request in the thread's schedule.
    next: Cell<u64>,
    /// The connections that wait for a request. The most recently used one is last.
    free: RefCell<Vec<Rc<Slot>>>,
    /// The number of connections that are open or being opened.
    open: Cell<usize>,
    /// The number of connections that are being opened.
    opening: Cell<usize>,
    opened: Cell<u64>,
    max_open: Cell<usize>,
    /// Set after the last request was handed out.
    finished: Cell<bool>,
    /// Set while requests are due and every connection is busy. The next free connection then wakes the dispatcher.
    awaits_connection: Cell<bool>,
    /// The waker of the task that hands out requests.
    dispatcher: RefCell<Option<Waker>>,
    created_nothing: RefCell<BitSet>,
    record: RefCell<ThreadRecord>,
    current: RefCell<CurrentSecond>,
    messages: mpsc::UnboundedSender<Message>,
}

/// The slot in which a free connection receives its next request.
#[derive(Default)]
struct Slot {
    request: Cell<Option<u64>>,
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
    async fn open_initial_connections(self: &Rc<Self>, timer: &Timer) -> Result<()> {
        let in_flight =
            usize::try_from(self.schedule.due(ASSUMED_LATENCY)).unwrap_or(MAX_INITIAL_CONNECTIONS);
        let count = in_flight.clamp(1, MAX_INITIAL_CONNECTIONS.min(self.max_connections));
        for _ in 0..count {
            self.open();
        }
        while self.opening.get() > 0 {
            self.wait(timer, Instant::now() + Duration::from_millis(1)).await?;
        }
        Ok(())
    }

    async fn wait(&self, timer: &Timer, deadline: Instant) -> Result<()> {
        timer.until(deadline).await.map_err(|e| Error::System(format!("the timer failed: {e}")))
    }

    /// Waits until the deadline, or until a connection becomes free if every one is busy.
    async fn wait_or_wake(&self, timer: &Timer, deadline: Instant) -> Result<()> {
        let mut waiting = pin!(self.wait(timer, deadline));
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
        let start = self.start_time();
        let end = self.shared.plan.schedule.length() + GRACE_PERIOD;
        loop {
            let now = start.elapsed();
            self.advance(now);
            let stopped = self.shared.stop.load(Ordering::Relaxed);
            if stopped || now > end || self.next.get() == self.schedule.total() {
                break;
            }
            self.dispatch(now);
            let due = self.schedule.due(now);
            let all_busy = self.next.get() < due && self.open.get() == self.max_connections;
            self.awaits_connection.set(all_busy);
            let deadline = if all_busy || due == self.schedule.total() {
                end
            } else {
                self.shared.plan.schedule.due_time(self.schedule.number(due))
            };
            self.wait_or_wake(timer, start + deadline.min(now + CHECK_INTERVAL)).await?;
        }
        // Requests in flight end with an answer or at their timeout.
        self.finished.set(true);
        for slot in self.free.borrow().iter() {
            slot.wake();
        }
        while self.open.get() > 0 {
            self.advance(start.elapsed());
            self.wait(timer, Instant::now() + Duration::from_millis(5)).await?;
        }
        let last = self.current.borrow_mut().finish(u32::MAX);
        self.report_second(last);
        let record = self.record.replace(ThreadRecord::new(0)?);
        let _ = self.messages.send(Message::Done(Box::new(ThreadResult {
            thread: self.schedule.number(0),
            record,
            sent: SentRequests { count: self.next.get(), created_nothing: self.created_nothing.take() },
            opened: self.opened.get(),
            max_open: self.max_open.get(),
        })));
        Ok(())
    }

    fn start_time(&self) -> Instant {
        self.start.get().unwrap_or_else(Instant::now)
    }

    /// Gives due requests to free connections, and opens more connections for the rest.
    fn dispatch(self: &Rc<Self>, now: Duration) {
        let due = self.schedule.due(now);
        while self.next.get() < due {
            let Some(slot) = self.free.borrow_mut().pop() else { break };
            slot.request.set(Some(self.next.get()));
            self.next.set(self.next.get() + 1);
            slot.wake();
        }
        let waiting = usize::try_from(due - self.next.get()).unwrap_or(usize::MAX);
        while self.opening.get() < waiting && self.open.get() < self.max_connections {
            self.open();
        }
    }

    /// Takes the next request, if one is due.
    fn take_due(&self) -> Option<u64> {
        let next = self.next.get();
        let start = self.start.get()?;
        if self.finished.get() || next >= self.schedule.due(start.elapsed()) {
            return None;
        }
        self.next.set(next + 1);
        Some(next)
    }

    fn open(self: &Rc<Self>) {
        self.open.set(self.open.get() + 1);
        self.opening.set(self.opening.get() + 1);
        self.max_open.set(self.max_open.get().max(self.open.get()));
        tokio::task::spawn_local(Rc::clone(self).serve());
    }

    /// Runs one connection from opening to closing.
    async fn serve(self: Rc<Self>) {
        let connected = self.connector.connect().await;
        self.opening.set(self.opening.get() - 1);
        match connected {
            Ok(connection) => {
                self.opened.set(self.opened.get() + 1);
                self.send_all(connection).await;
            }
            // The failure counts for the request that needed the connection.
            Err(failure) => {
                if let Some(index) = self.take_due() {
                    let sent = self.start_time().elapsed();
                    self.record_outcome(index, Outcome::Failed(failure), sent);
                }
            }
        }
        self.open.set(self.open.get() - 1);
        if !self.finished.get() && self.start.get().is_some() {
            self.dispatch(self.start_time().elapsed());
        }
    }

    async fn send_all(&self, mut connection: Connection) {
        let slot = Rc::new(Slot::default());
        while !connection.is_closed() {
            let index = match self.take_due() {
                Some(index) => index,
                None => match self.wait_for_request(&slot, &mut connection).await {
                    Some(index) => index,
                    None => return,
                },
            };
            self.send(index, &mut connection).await;
        }
    }

    /// Waits for a request. Returns `None` if there are no more requests, or if the target closes the connection.
    async fn wait_for_request(&self, slot: &Rc<Slot>, connection: &mut Connection) -> Option<u64> {
        self.free.borrow_mut().push(Rc::clone(slot));
        if self.awaits_connection.take()
            && let Some(waker) = self.dispatcher.borrow_mut().take()
        {
            waker.wake();
        }
        poll_fn(|context| {
            if let Some(index) = slot.request.take() {
                return Poll::Ready(Some(index));
            }
            if self.finished.get() {
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
        let sent = self.start_time().elapsed();
        let mut answer = connection.send(request(), plan.timeout).await;
        // The target may close a persistent connection just before it is used again. A client then opens another one.
        if answer == Err(RequestFailure::NotSent) {
            answer = match self.connector.connect().await {
                Ok(new) => {
                    self.opened.set(self.opened.get() + 1);
                    *connection = new;
                    connection.send(request(), plan.timeout).await
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
        let done = self.start_time().elapsed();
        if number < schedule.warmup_requests() {
            self.record.borrow_mut().warmup += 1;
            return;
        }
        self.advance(done);
        let due = schedule.due_time(number);
        self.current.borrow_mut().record(outcome.class(), done.saturating_sub(due));
        self.record.borrow_mut().record(request, outcome, RequestTimes { due, sent, done });
    }

    /// Ends the current second if it is over, and reports it.
    fn advance(&self, now: Duration) {
        let ended = self.current.borrow_mut().advance(now.saturating_sub(self.shared.plan.schedule.warmup));
        self.report_second(ended);
    }

    fn report_second(&self, second: Option<Second>) {
        if let Some(second) = second {
            let _ = self.messages.send(Message::Second(second));
        }
    }
}
