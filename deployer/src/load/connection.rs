//! One kept connection, driven by the task that uses it: no second task has to be woken for each request.

use super::descriptors::ran_out;
use super::target::Target;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

/// AWS changes the addresses behind a name as it goes.
const ADDRESSES_FOR: Duration = Duration::from_secs(30);

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Failure {
    /// No connection was made.
    Connect,
    /// This machine had no file descriptor for one: no fault of the target's.
    NoDescriptor,
    /// The TLS handshake failed.
    Tls,
    /// The connection had ended before the request was on it, so that it can be sent over another one.
    NotSent,
    /// The connection ended before the answer did.
    Closed,
    /// What came is no HTTP.
    Garbled,
    /// Nothing came in time.
    TimedOut,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::NoDescriptor => "no file descriptor was left on this machine",
            Self::Tls => "no TLS connection",
            Self::NotSent | Self::Closed => "the connection was closed",
            Self::Garbled => "the answer is no HTTP",
            Self::TimedOut => "no answer in time",
        })
    }
}

/// Connects to one target, and remembers its addresses.
#[derive(Debug)]
pub(super) struct Connector {
    target: Target,
    addresses: RefCell<Option<(Instant, Vec<SocketAddr>)>>,
    tried: RefCell<usize>,
}

impl Connector {
    pub(super) fn new(target: Target) -> Self {
        Self { target, addresses: RefCell::new(None), tried: RefCell::new(0) }
    }

    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let stream = within(CONNECT_WITHIN, self.tcp()).await.ok_or(Failure::Connect)??;
        let _ = stream.set_nodelay(true);
        match self.target.tls() {
            None => Connection::over(stream).await,
            Some((tls, name)) => {
                let shaken = within(CONNECT_WITHIN, tls.connect(name.clone(), stream)).await;
                let stream = shaken.ok_or(Failure::Tls)?.map_err(|_| Failure::Tls)?;
                Connection::over(stream).await
            }
        }
    }

    /// Each connection begins with another address, so that all of them get their share.
    async fn tcp(&self) -> Result<TcpStream, Failure> {
        let addresses = self.addresses().await?;
        let first = self.tried.replace_with(|tried| tried.wrapping_add(1));
        for n in 0..addresses.len() {
            match TcpStream::connect(addresses[(first + n) % addresses.len()]).await {
                Ok(stream) => return Ok(stream),
                Err(error) if ran_out(&error) => return Err(Failure::NoDescriptor),
                Err(_) => {}
            }
        }
        Err(Failure::Connect)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        if let Some((when, known)) = &*self.addresses.borrow()
            && when.elapsed() < ADDRESSES_FOR
        {
            return Ok(known.clone());
        }
        let found: Vec<SocketAddr> =
            lookup_host(self.target.address()).await.map_err(|_| Failure::Connect)?.collect();
        self.addresses.replace(Some((Instant::now(), found.clone())));
        Ok(found)
    }
}

/// An open connection that sends one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes; ends when the connection does.
    driver: Pin<Box<dyn Future<Output = ()>>>,
    ended: bool,
}

impl Connection {
    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Self, Failure> {
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Closed)?;
        // How it ended is said by the request that was on it.
        let driver = Box::pin(async { drop(driver.await) });
        Ok(Self { sender, driver, ended: false })
    }

    /// Whether nothing can be sent over it any more.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.sender.is_closed()
    }

    /// Sends a request and reads its answer to the end: the status.
    ///
    /// A request whose answer does not come in time is dropped with its connection. It may have been applied: it
    /// counts as failed, and its item as made.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        within_time: Duration,
    ) -> Result<u16, Failure> {
        let answered = within(within_time, self.exchange(request)).await;
        match answered {
            Some(Ok(status)) => Ok(status),
            Some(Err(failure)) => {
                self.ended = true;
                Err(failure)
            }
            None => {
                self.ended = true;
                Err(Failure::TimedOut)
            }
        }
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<u16, Failure> {
        let Self { sender, driver, ended } = self;
        let mut work = pin!(async {
            sender.ready().await.map_err(|_| Failure::NotSent)?;
            let answer = sender.send_request(request).await.map_err(|e| failure(&e))?;
            read(answer).await
        });
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if !*ended && driver.as_mut().poll(context).is_ready() {
                *ended = true;
            }
            // What was just read may be the answer.
            work.as_mut().poll(context)
        })
        .await
    }

    /// Looks whether the other side has closed it, and keeps watching.
    pub(super) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.ended && self.driver.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
        Poll::Ready(())
    }
}

/// The answer's status, once all of it has come.
async fn read(answer: Response<hyper::body::Incoming>) -> Result<u16, Failure> {
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(|e| failure(&e))?;
    }
    Ok(status)
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_canceled() {
        Failure::NotSent
    } else if error.is_parse() {
        Failure::Garbled
    } else {
        Failure::Closed
    }
}

/// Bounds one part of a request.
async fn within<T>(length: Duration, part: impl Future<Output = T>) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a request of a load is given up like a client gives it up; no call to AWS's control plane is dropped"
    )]
    tokio::time::timeout(length, part).await.ok()
}
