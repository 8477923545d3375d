//! A kept-alive HTTP/1.1 connection. The task that uses it also drives it, so that no second task has to be woken for each
//! request.

use crate::file_descriptors::ran_out;
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

/// Load balancers change the addresses behind a name while a run goes on.
const ADDRESSES_FOR: Duration = Duration::from_secs(30);

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RequestFailure {
    /// No connection was made.
    Connect,
    /// This machine had no file descriptor left, which is not the target's fault.
    NoDescriptor,
    /// The TLS handshake failed.
    Tls,
    /// The connection had closed before the request was sent, so it can be sent over another one.
    NotSent,
    /// The connection closed before the answer was complete.
    Closed,
    /// The answer was not HTTP.
    Garbled,
    /// The answer did not come in time.
    TimedOut,
}

impl fmt::Display for RequestFailure {
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
pub(crate) struct Connector {
    target: Target,
    addresses: RefCell<Option<(Instant, Vec<SocketAddr>)>>,
    tried: RefCell<usize>,
}

impl Connector {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, addresses: RefCell::new(None), tried: RefCell::new(0) }
    }

    pub(crate) async fn connect(&self) -> Result<Connection, RequestFailure> {
        let stream = within(CONNECT_WITHIN, self.tcp()).await.ok_or(RequestFailure::Connect)??;
        let _ = stream.set_nodelay(true);
        match self.target.tls() {
            None => Connection::over(stream).await,
            Some((tls, name)) => {
                let shaken = within(CONNECT_WITHIN, tls.connect(name.clone(), stream)).await;
                let stream = shaken.ok_or(RequestFailure::Tls)?.map_err(|_| RequestFailure::Tls)?;
                Connection::over(stream).await
            }
        }
    }

    /// Tries the addresses in turn, each connection from another one on, so that all of them get their share.
    async fn tcp(&self) -> Result<TcpStream, RequestFailure> {
        let addresses = self.addresses().await?;
        let first = self.tried.replace_with(|tried| tried.wrapping_add(1));
        for n in 0..addresses.len() {
            match TcpStream::connect(addresses[(first + n) % addresses.len()]).await {
                Ok(stream) => return Ok(stream),
                Err(error) if ran_out(&error) => return Err(RequestFailure::NoDescriptor),
                Err(_) => {}
            }
        }
        Err(RequestFailure::Connect)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, RequestFailure> {
        if let Some((when, known)) = &*self.addresses.borrow()
            && when.elapsed() < ADDRESSES_FOR
        {
            return Ok(known.clone());
        }
        let found: Vec<SocketAddr> =
            lookup_host(self.target.address()).await.map_err(|_| RequestFailure::Connect)?.collect();
        self.addresses.replace(Some((Instant::now(), found.clone())));
        Ok(found)
    }
}

/// An open connection that sends one request at a time.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes; completes when the connection closes.
    driver: Pin<Box<dyn Future<Output = ()>>>,
    ended: bool,
}

impl Connection {
    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Self, RequestFailure> {
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| RequestFailure::Closed)?;
        // How it ended is what the request that was on it returns.
        let driver = Box::pin(async { drop(driver.await) });
        Ok(Self { sender, driver, ended: false })
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.ended || self.sender.is_closed()
    }

    /// Sends a request, reads its answer to the end and returns the status.
    ///
    /// A request whose answer does not come in time is dropped with its connection. The target may have processed it: it
    /// counts as failed, and its item as created.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        timeout: Duration,
    ) -> Result<u16, RequestFailure> {
        let answered = within(timeout, self.exchange(request)).await;
        match answered {
            Some(Ok(status)) => Ok(status),
            Some(Err(failure)) => {
                self.ended = true;
                Err(failure)
            }
            None => {
                self.ended = true;
                Err(RequestFailure::TimedOut)
            }
        }
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<u16, RequestFailure> {
        let Self { sender, driver, ended } = self;
        let mut work = pin!(async {
            sender.ready().await.map_err(|_| RequestFailure::NotSent)?;
            let answer = sender.send_request(request).await.map_err(|e| classify(&e))?;
            read_to_end(answer).await
        });
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if !*ended && driver.as_mut().poll(context).is_ready() {
                *ended = true;
            }
            // The driver may just have read the answer.
            work.as_mut().poll(context)
        })
        .await
    }

    /// Checks whether the other side has closed it, and registers to be woken when it does.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.ended && self.driver.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
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
        RequestFailure::Garbled
    } else {
        RequestFailure::Closed
    }
}

/// Gives up one part of a request after a time.
async fn within<T>(length: Duration, part: impl Future<Output = T>) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a request of a load is given up like a client gives it up; nothing else is dropped"
    )]
    tokio::time::timeout(length, part).await.ok()
}
