//! When the bytes of a request came and when those of its answer went, read off the connection itself: a client waits
//! for what happens in between too, parsing and all, so that a clock within the proxy would run too short.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A request and its answer, since the proxy was started.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) came: Duration,
    went: OnceLock<Duration>,
}

impl Exchange {
    /// From the request's first bytes to the answer's first; zero while there is no answer.
    pub(super) fn took(&self) -> Duration {
        self.went.get().map_or(Duration::ZERO, |went| went.saturating_sub(self.came))
    }
}

/// The exchange that is going on on a connection, which carries one at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Current(Arc<Mutex<Option<Arc<Exchange>>>>);

impl Current {
    /// The one that is going on, which begins now if none is.
    pub(super) fn exchange(&self, now: Duration) -> Arc<Exchange> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = current.get_or_insert_with(|| Arc::new(Exchange { came: now, went: OnceLock::new() }));
        Arc::clone(begun)
    }

    fn answered(&self, now: Duration) {
        if let Some(exchange) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = exchange.went.set(now);
        }
    }
}

/// A connection with a clock.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    begun: Instant,
    current: Current,
}

impl Wire {
    /// The clock began then.
    pub(super) fn new(stream: TcpStream, begun: Instant) -> Self {
        Self { stream, begun, current: Current::default() }
    }

    pub(super) fn current(&self) -> Current {
        self.current.clone()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.current.exchange(self.begun.elapsed());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.current.answered(self.begun.elapsed());
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts));
        self.current.answered(self.begun.elapsed());
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
