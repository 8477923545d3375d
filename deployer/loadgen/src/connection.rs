//! Persistent HTTP/1.1 connections. The task that uses a connection also drives it, so that no second task has to be woken
//! for each request.

use crate::file_descriptors::is_exhausted;
use crate::target::Target;
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

/// The time after which addresses are resolved again. Load balancers can change them during a run.
const ADDRESS_TTL: Duration = Duration::from_secs(30);

/// The timeout for a TCP connection, and for a TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RequestFailure {
    /// The TCP connection failed.
    Connect,
    /// This machine had no file descriptor left. The target is not the cause.
    NoDescriptor,
    /// The TLS handshake failed.
    Tls,
    /// The connection closed before the request was sent. It is safe to send it over another one.
    NotSent,
    /// The connection closed before the answer was complete.
    Closed,
    /// The answer was not valid HTTP.
    Malformed,
    /// The answer did not arrive in time.
    TimedOut,
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::NoDescriptor => "no file descriptor was left on this machine",
            Self::Tls => "no TLS connection",
            Self::NotSent | Self::Closed => "the connection was closed",
            Self::Malformed => "the answer is no HTTP",
            Self::TimedOut => "no answer in time",
        })
    }
}

/// Opens connections to one target and caches its addresses.
#[derive(Debug)]
pub(crate) struct Connector {
    target: Target,
    addresses: RefCell<Option<(Instant, Vec<SocketAddr>)>>,
    attempts: RefCell<usize>,
}

impl Connector {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, addresses: RefCell::new(None), attempts: RefCell::new(0) }
    }

    pub(crate) async fn connect(&self) -> Result<Connection, RequestFailure> {
        let stream = with_timeout(CONNECT_TIMEOUT, self.tcp()).await.ok_or(RequestFailure::Connect)??;
        let _ = stream.set_nodelay(true);
        match self.target.tls() {
            None => Connection::new(stream).await,
            Some((tls, name)) => {
                let handshake = with_timeout(CONNECT_TIMEOUT, tls.connect(name.clone(), stream)).await;
                let stream = handshake.ok_or(RequestFailure::Tls)?.map_err(|_| RequestFailure::Tls)?;
                Connection::new(stream).await
            }
        }
    }

    /// Tries all addresses. Each connection starts with the next one, so that the connections are spread evenly.
    async fn tcp(&self) -> Result<TcpStream, RequestFailure> {
        let addresses = self.addresses().await?;
        let first = self.attempts.replace_with(|attempts| attempts.wrapping_add(1));
        for n in 0..addresses.len() {
            match TcpStream::connect(addresses[(first + n) % addresses.len()]).await {
                Ok(stream) => return Ok(stream),
                Err(error) if is_exhausted(&error) => return Err(RequestFailure::NoDescriptor),
                Err(_) => {}
            }
        }
        Err(RequestFailure::Connect)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, RequestFailure> {
        if let Some((resolved_at, addresses)) = &*self.addresses.borrow()
            && resolved_at.elapsed() < ADDRESS_TTL
        {
            return Ok(addresses.clone());
        }
        let addresses: Vec<SocketAddr> =
            lookup_host(self.target.address()).await.map_err(|_| RequestFailure::Connect)?.collect();
        self.addresses.replace(Some((Instant::now(), addresses.clone())));
        Ok(addresses)
    }
}

/// An open connection that sends one request at a time.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes. Completes when the connection closes.
    driver: Pin<Box<dyn Future<Output = ()>>>,
    closed: bool,
}

impl Connection {
    async fn new(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Self, RequestFailure> {
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| RequestFailure::Closed)?;
        // The request on the connection returns its error, so the driver's is dropped.
        let driver = Box::pin(async { drop(driver.await) });
        Ok(Self { sender, driver, closed: false })
    }

    /// Returns whether the connection is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.sender.is_closed()
    }

    /// Sends a request, reads its answer to the end and returns the status.
    ///
    /// A timeout closes the connection. The target may have processed the request, so its item counts as created.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        timeout: Duration,
    ) -> Result<u16, RequestFailure> {
        let result = with_timeout(timeout, self.exchange(request)).await;
        match result {
            Some(Ok(status)) => Ok(status),
            Some(Err(failure)) => {
                self.closed = true;
                Err(failure)
            }
            None => {
                self.closed = true;
                Err(RequestFailure::TimedOut)
            }
        }
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<u16, RequestFailure> {
        let Self { sender, driver, closed } = self;
        let mut exchange = pin!(async {
            sender.ready().await.map_err(|_| RequestFailure::NotSent)?;
            let answer = sender.send_request(request).await.map_err(|e| classify(&e))?;
            read_to_end(answer).await
        });
        poll_fn(|context| {
            if let Poll::Ready(result) = exchange.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            if !*closed && driver.as_mut().poll(context).is_ready() {
                *closed = true;
            }
            // The driver may have read the answer just now.
            exchange.as_mut().poll(context)
        })
        .await
    }

    /// Polls whether the target has closed the connection, and registers the waker for that event.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.closed && self.driver.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.closed = true;
        Poll::Ready(())
    }
}

/// Reads an answer to the end and returns its status.
async fn read_to_end(answer: Response<hyper::body::Incoming>) -> Result<u16, RequestFailure> {
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(|e| classify(&e))?;
    }
    Ok(status)
}

fn classify(error: &hyper::Error) -> RequestFailure {
    if error.is_canceled() {
        RequestFailure::NotSent
    } else if error.is_parse() {
        RequestFailure::Malformed
    } else {
        RequestFailure::Closed
    }
}

/// Runs one step of a request, and returns `None` after the timeout.
async fn with_timeout<T>(timeout: Duration, step: impl Future<Output = T>) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of an API cancels a request after its timeout; nothing else is dropped"
    )]
    tokio::time::timeout(timeout, step).await.ok()
}
