//! The bytes of one connection, and how long is waited for the next ones.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that counts what was read, and breaks when nothing can be written for too long.
pub(super) struct Stream {
    inner: TcpStream,
    read: Arc<AtomicUsize>,
    /// How long nothing may be taken of what is written.
    patience: Duration,
    /// Runs while nothing is taken.
    stalled: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Stream {
    pub(super) fn new(inner: TcpStream, patience: Duration) -> Self {
        Self {
            inner,
            read: Arc::default(),
            patience,
            stalled: None,
        }
    }

    /// The bytes read until now, kept up to date.
    pub(super) fn bytes_read(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.read)
    }

    fn unless_stalled(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled
            .as_mut()
            .poll(context)
            .map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        let more = buffer.filled().len() - before;
        this.read.fetch_add(more, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.unless_stalled(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, pieces);
        this.unless_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

/// The timer of one connection. hyper has one limit for the wait for a head, which counts from the answer before:
/// a connection could not be kept for longer than a head may take. This one tells the two apart: what hyper asks
/// for is the time until the next request begins; once it has begun, its head has a limit of its own.
pub(super) struct Patience {
    read: Arc<AtomicUsize>,
    head: Duration,
}

impl Patience {
    pub(super) fn new(read: Arc<AtomicUsize>, head: Duration) -> Self {
        Self { read, head }
    }
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let seen = self.read.load(Ordering::Relaxed);
        // Who connects is about to ask.
        let begun = seen == 0;
        let deadline = if begun {
            self.now() + self.head
        } else {
            deadline
        };
        Box::pin(Wait {
            read: Arc::clone(&self.read),
            seen,
            head: self.head,
            begun,
            over: Box::pin(tokio::time::sleep_until(deadline.into())),
        })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// One wait for a head. hyper looks at it after everything that it read.
struct Wait {
    read: Arc<AtomicUsize>,
    /// Bytes read before.
    seen: usize,
    head: Duration,
    /// The limit of a head counts.
    begun: bool,
    over: Pin<Box<tokio::time::Sleep>>,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if !this.begun && this.read.load(Ordering::Relaxed) != this.seen {
            this.begun = true;
            let deadline = tokio::time::Instant::now() + this.head;
            this.over.as_mut().reset(deadline);
        }
        this.over.as_mut().poll(context)
    }
}

impl Sleep for Wait {}
