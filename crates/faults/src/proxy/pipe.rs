//! The bytes of one direction of one connection.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use platform::Env;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};

use super::{Filter, Way, Weather};

const PIECE: usize = 16 * 1024;
/// Pieces on their way: the rest stays with whoever sends it.
const UNDER_WAY: usize = 256;
/// Between two slices, so that each is a packet of its own.
const BETWEEN_SLICES: Duration = Duration::from_millis(1);

/// What both directions of a connection have in common.
pub(super) struct Shared {
    pub filter: Mutex<Option<Box<dyn Filter>>>,
    pub carried: Arc<AtomicU64>,
}

pub(super) struct Pipe {
    pub env: Env,
    pub way: Way,
    pub weather: watch::Receiver<Weather>,
    pub shared: Arc<Shared>,
}

struct Piece {
    /// By the monotonic clock.
    due: Duration,
    bytes: Vec<u8>,
}

impl Pipe {
    /// Until the sender has ended and all of it arrived. An error says that the connection is
    /// broken, not ended.
    pub async fn carry(
        self,
        from: impl AsyncRead + Unpin,
        to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel(UNDER_WAY);
        tokio::try_join!(self.read(from, sender), self.write(receiver, to)).map(drop)
    }

    async fn read(
        &self,
        mut from: impl AsyncRead + Unpin,
        sender: mpsc::Sender<Piece>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut last = Duration::ZERO;
        let mut count: u32 = 0;
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let Some(bytes) = self.filtered(&buffer[..read]) else {
                return Err(io::ErrorKind::ConnectionReset.into());
            };
            self.shared.carried.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            if bytes.is_empty() {
                continue;
            }
            count = count.wrapping_add(1);
            // What is later than its follower would overtake it: the follower waits.
            last = last.max(self.env.clock.monotonic() + self.delay(count));
            if sender.send(Piece { due: last, bytes }).await.is_err() {
                return Ok(());
            }
        }
    }

    fn filtered(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut filter = self.shared.filter.lock().unwrap_or_else(PoisonError::into_inner);
        match filter.as_mut() {
            Some(filter) => filter.pass(self.way, bytes),
            None => Some(bytes.to_vec()),
        }
    }

    fn delay(&self, count: u32) -> Duration {
        let weather = *self.weather.borrow();
        let mut delay = weather.latency;
        if !weather.jitter.is_zero() {
            let chance = u32::from_be_bytes(self.env.random());
            delay += weather.jitter.mul_f64(f64::from(chance) / f64::from(u32::MAX));
        }
        if weather.late_one_in.is_some_and(|one_in| count.is_multiple_of(one_in.max(1))) {
            delay += weather.late_by;
        }
        delay
    }

    async fn write(
        &self,
        mut receiver: mpsc::Receiver<Piece>,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        while let Some(piece) = receiver.recv().await {
            let wait = piece.due.saturating_sub(self.env.clock.monotonic());
            if !wait.is_zero() {
                self.env.sleep(wait).await;
            }
            self.deliver(&piece.bytes, &mut to).await?;
        }
        // The other direction may go on.
        to.shutdown().await
    }

    async fn deliver(&self, bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.until_not_silent().await?;
            let weather = *self.weather.borrow();
            let count = weather.slice.unwrap_or(rest.len()).clamp(1, rest.len());
            let (now, later) = rest.split_at(count);
            to.write_all(now).await?;
            rest = later;
            if let Some(rate) = weather.bytes_per_second {
                self.env.sleep(Duration::from_secs_f64(count as f64 / rate.max(1) as f64)).await;
            } else if weather.slice.is_some() {
                self.env.sleep(BETWEEN_SLICES).await;
            }
        }
        Ok(())
    }

    async fn until_not_silent(&self) -> io::Result<()> {
        let mut weather = self.weather.clone();
        let passes = weather.wait_for(|weather| !weather.stops(self.way)).await;
        // A line that is gone takes its connections with it.
        passes.map(drop).map_err(|_| io::ErrorKind::ConnectionReset.into())
    }
}
