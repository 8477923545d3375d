//! An AWS that can be watched and spoilt: a proxy between the binary and the local AWS.
//!
//! It logs each call, makes it as slow and as scarce as AWS does, and breaks the ones that a test names. What it has
//! begun to pass on it passes on, whatever becomes of the client: so does AWS.

mod call;
mod fault;
mod limits;
mod refusal;
mod wire;

pub use call::{Call, Invocation, mutating, operations};
pub use fault::{At, Fault, Moment};
pub use limits::{Behaviour, quotas_of};

use crate::wait_for;
use bytes::Bytes;
use fault::{Plan, Rules};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::response::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use limits::Limits;
use rustix::process::Signal;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wire::{Exchange, Wire};

type Body = Full<Bytes>;

/// A proxy that runs until it is dropped.
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    target: String,
    client: Client<HttpConnector, Body>,
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    invocations: Vec<Invocation>,
    in_flight: usize,
    rules: Rules,
    limits: Limits,
    /// The process that is killed or interrupted, and when that happened.
    victim: Option<u32>,
    struck: Option<Duration>,
}

/// The connection ends here, without an answer.
#[derive(Debug)]
struct Dropped;

impl Proxy {
    /// Before the AWS at this endpoint.
    pub fn before(target: &str) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (say, said) = std::sync::mpsc::channel();
        let target = target.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let shared = Arc::new(Shared::new(target));
                say.send((listener.local_addr().unwrap(), Arc::clone(&shared))).unwrap();
                let _accepting = tokio::spawn(accept(listener, shared));
                let _ = stopped.await;
            });
        });
        let (address, shared) = said.recv().unwrap();
        Self { url: format!("http://{address}"), shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The clock of the calls.
    pub fn now(&self) -> Duration {
        self.shared.begun.elapsed()
    }

    /// From now on AWS is like this.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.state().limits.behave(behaviour);
    }

    /// Breaks one call.
    pub fn inject(&self, at: At, fault: Fault) {
        self.shared.state().rules.add(at, Plan::Break(fault));
    }

    /// Runs something just before or just after one call is applied; the call goes on when it is done.
    pub fn on_call(&self, at: At, moment: Moment, hook: impl FnOnce() + Send + 'static) {
        self.shared.state().rules.add(at, Plan::Run(moment, Box::new(hook)));
    }

    /// Forgets what was to be broken, and whether credentials have expired. What has not happened was not needed:
    /// true if nothing was left.
    pub fn heal(&self) -> bool {
        let mut state = self.shared.state();
        state.struck = None;
        state.rules.clear()
    }

    /// The process that faults kill and interrupt.
    pub fn victim(&self, pid: Option<u32>) {
        self.shared.state().victim = pid;
    }

    /// When the process was killed or interrupted, on the clock of the calls.
    pub fn struck(&self) -> Option<Duration> {
        self.shared.state().struck
    }

    /// The calls so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// The calls so far, which are forgotten.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.shared.state().calls)
    }

    /// The requests to invoke URLs so far, which are forgotten.
    pub fn take_invocations(&self) -> Vec<Invocation> {
        std::mem::take(&mut self.shared.state().invocations)
    }

    /// Waits until a call of this operation has come.
    pub fn wait_for_call(&self, operation: &str) {
        wait_for(operation, Duration::from_mins(1), || {
            self.shared.state().calls.iter().any(|call| call.operation == operation).then_some(())
        });
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed when it happened.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A connection that ends badly is what tests ask for.
            let _ = connection(stream, shared).await;
        });
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> hyper::Result<()> {
    let _ = stream.set_nodelay(true);
    let wire = Wire::new(stream, shared.begun);
    let current = wire.current();
    let service = service_fn(move |request| {
        let exchange = current.exchange(shared.begun.elapsed());
        let answered = answer(Arc::clone(&shared), exchange, request);
        // In a task of its own, which a client that hangs up does not end.
        async move { tokio::spawn(answered).await.unwrap_or(Err(Dropped)) }
    });
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service).await
}

async fn answer(
    shared: Arc<Shared>,
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(Dropped);
    };
    let request = Request::from_parts(parts, body.to_bytes());
    if request.uri().path().contains("/_user_request_") {
        return shared.invoke(exchange, request).await;
    }
    match Call::identify(&request) {
        Some(call) => shared.call(call, request).await,
        None => shared.forward(request).await,
    }
}

impl Shared {
    fn new(target: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // No pool: a kept connection that the other side has just closed would look like a fault of AWS's.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { target, client, begun: Instant::now(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn invoke(
        &self,
        exchange: Arc<Exchange>,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Dropped> {
        let path = request.uri().path().to_owned();
        let latency = self.state().limits.answer();
        sleep(latency).await;
        let answer = self.forward(request).await;
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        self.state().invocations.push(Invocation { path, status, exchange });
        answer
    }

    async fn call(&self, mut call: Call, request: Request<Bytes>) -> Result<Response<Body>, Dropped> {
        let (index, plan, latency) = {
            let mut state = self.state();
            state.in_flight += 1;
            call.started = self.begun.elapsed();
            call.in_flight = state.in_flight;
            state.calls.push(call.clone());
            (state.calls.len() - 1, state.rules.plan(&call), state.limits.latency())
        };
        sleep(latency).await;
        let answer = self.follow(plan, &call, request).await;
        let mut state = self.state();
        state.in_flight -= 1;
        // The log may have been taken meanwhile; another run's call must not get this one's end.
        if let Some(logged) = state.calls.get_mut(index).filter(|logged| logged.started == call.started) {
            logged.took = self.begun.elapsed().saturating_sub(call.started);
            logged.status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        }
        answer
    }

    async fn follow(
        &self,
        plan: Plan,
        call: &Call,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Dropped> {
        match plan {
            Plan::Apply => self.apply(call, request).await,
            Plan::Run(moment, hook) => {
                let hook = async { tokio::task::spawn_blocking(hook).await.unwrap_or_default() };
                if moment == Moment::Before {
                    hook.await;
                    return self.apply(call, request).await;
                }
                let answer = self.apply(call, request).await;
                hook.await;
                answer
            }
            Plan::Break(fault) => self.fail(fault, call, request).await,
        }
    }

    async fn fail(
        &self,
        fault: Fault,
        call: &Call,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Dropped> {
        match fault {
            Fault::Dropped(Moment::Before) => Err(Dropped),
            Fault::Dropped(Moment::After) => {
                self.apply(call, request).await?;
                Err(Dropped)
            }
            Fault::Broken(Moment::Before) => Ok(refusal::internal(call)),
            Fault::Broken(Moment::After) => {
                self.apply(call, request).await?;
                Ok(refusal::internal(call))
            }
            Fault::Throttled(_) => Ok(refusal::throttled(call)),
            Fault::Hung(length) => {
                sleep(length).await;
                Err(Dropped)
            }
            Fault::Expired => Ok(refusal::expired(call)),
            Fault::Killed(Moment::Before) => {
                self.strike(Signal::KILL).await;
                Err(Dropped)
            }
            Fault::Killed(Moment::After) => {
                self.apply(call, request).await?;
                self.strike(Signal::KILL).await;
                Err(Dropped)
            }
            Fault::Interrupted(Moment::Before) => {
                self.strike(Signal::INT).await;
                self.apply(call, request).await
            }
            Fault::Interrupted(Moment::After) => {
                let answer = self.apply(call, request).await;
                self.strike(Signal::INT).await;
                answer
            }
        }
    }

    /// A process is known a moment after it was started; its first calls come later than that.
    async fn strike(&self, signal: Signal) {
        for _ in 0..1000 {
            let victim = self.state().victim;
            if let Some(pid) = victim {
                crate::deployer::send(pid, signal);
                self.state().struck = Some(self.begun.elapsed());
                // For a signal to be handled before the answer comes.
                sleep(Duration::from_millis(20)).await;
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody said which process to strike");
    }

    /// As AWS would: within its quotas, and not before what was made is ready.
    async fn apply(&self, call: &Call, request: Request<Bytes>) -> Result<Response<Body>, Dropped> {
        let body = request.body().clone();
        let refused = self.state().limits.refuse(call, &body);
        if let Some(refused) = refused {
            return Ok(refused);
        }
        let (parts, answered) = self.pass_on(request).await?;
        let answered = self.state().limits.settle(call, &body, parts.status.as_u16(), answered);
        Ok(Response::from_parts(parts, Full::new(answered)))
    }

    async fn forward(&self, request: Request<Bytes>) -> Result<Response<Body>, Dropped> {
        let (parts, body) = self.pass_on(request).await?;
        Ok(Response::from_parts(parts, Full::new(body)))
    }

    async fn pass_on(&self, request: Request<Bytes>) -> Result<(Parts, Bytes), Dropped> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.target).parse().map_err(|_| Dropped)?;
        let request = Request::from_parts(parts, Full::new(body));
        let (mut parts, body) = self.client.request(request).await.map_err(|_| Dropped)?.into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        // Of this connection only; and the body's length may change.
        for header in ["transfer-encoding", "connection", "content-length"] {
            parts.headers.remove(header);
        }
        Ok((parts, body))
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

async fn sleep(length: Duration) {
    if !length.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "slowness is what this imitates")]
        tokio::time::sleep(length).await;
    }
}
