//! Whether a connection does anything: a head that trickles in, or nothing at all, ends it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{HeadScan, Seen};
use crate::env::Env;

/// No head is being read.
const NONE: u64 = u64::MAX;

/// What a connection has been doing; times are microseconds of monotonic time.
pub(super) struct Activity {
    env: Env,
    in_flight: AtomicUsize,
    /// When the head that is now being read began.
    head_since: AtomicU64,
    /// The last time anything was read or answered.
    last: AtomicU64,
    /// HTTP/2 heads come in frames and are bounded by the idle time-out and the header list size.
    http2: AtomicBool,
    /// Requests that were handed on.
    begun: AtomicU64,
    /// The number of the first request that can be read in two ways.
    ambiguous: AtomicU64,
}

impl Activity {
    /// A new connection owes us a head from the start.
    pub(super) fn new(env: Env) -> Self {
        let now = micros(&env);
        Self {
            env,
            in_flight: AtomicUsize::new(0),
            head_since: AtomicU64::new(now),
            last: AtomicU64::new(now),
            http2: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ambiguous: AtomicU64::new(NONE),
        }
    }

    /// A request's head is complete. The request is in flight until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(NONE, Ordering::Relaxed);
        // Heads of HTTP/1 come one after the other, and so do these calls.
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let is_ambiguous = number >= self.ambiguous.load(Ordering::Relaxed);
        InFlight { activity: self.clone(), is_ambiguous }
    }

    fn saw(&self, head: &mut HeadScan, bytes: &[u8]) {
        let now = micros(&self.env);
        self.last.store(now, Ordering::Relaxed);
        if self.http2.load(Ordering::Relaxed) {
            return;
        }
        match head.take(bytes) {
            Seen::Http2 => {
                self.http2.store(true, Ordering::Relaxed);
                self.head_since.store(NONE, Ordering::Relaxed);
                return;
            }
            Seen::Ambiguous(number) => {
                self.ambiguous.fetch_min(number, Ordering::Relaxed);
            }
            Seen::Nothing => {}
        }
        if self.in_flight.load(Ordering::Relaxed) == 0 {
            let _ =
                self.head_since.compare_exchange(NONE, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// An answer that is still being sent is activity, and no time for the next head.
    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        if !matches!(outcome, Poll::Ready(Ok(_))) {
            return;
        }
        let now = micros(&self.env);
        self.last.store(now, Ordering::Relaxed);
        if self.head_since.load(Ordering::Relaxed) != NONE {
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    /// Completes when a head takes longer than `header` or nothing happens for `idle`. What it
    /// allows may be exceeded by half.
    pub(super) async fn stalls(&self, header: Duration, idle: Duration) {
        let pause = header.min(idle) / 2;
        loop {
            self.env.sleep(pause).await;
            if self.in_flight.load(Ordering::Relaxed) > 0 {
                continue;
            }
            let now = micros(&self.env);
            let head_since = self.head_since.load(Ordering::Relaxed);
            let over = |since: u64, limit: Duration| {
                u128::from(now.saturating_sub(since)) >= limit.as_micros()
            };
            if head_since != NONE && over(head_since, header) {
                tracing::debug!("a connection took too long for its head");
                return;
            }
            if over(self.last.load(Ordering::Relaxed), idle) {
                return;
            }
        }
    }
}

fn micros(env: &Env) -> u64 {
    u64::try_from(env.clock.monotonic().as_micros()).unwrap_or(NONE - 1)
}

pub(super) struct InFlight {
    activity: Arc<Activity>,
    /// The request cannot be trusted to begin and end where it seems to.
    pub(super) is_ambiguous: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        activity.last.store(micros(&activity.env), Ordering::Relaxed);
        activity.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that tells [`Activity`] what it reads.
pub(super) struct Watched<T> {
    inner: T,
    activity: Arc<Activity>,
    head: HeadScan,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, activity: Arc<Activity>) -> Self {
        Self { inner, activity, head: HeadScan::default() }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            this.activity.saw(&mut this.head, &buffer.filled()[before..]);
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.activity.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.activity.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
