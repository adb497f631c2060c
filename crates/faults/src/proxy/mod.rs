//! A wire between two processes, for TCP, that goes bad when told.
//!
//! [`Line`] listens and connects onward; its [`Weather`] may change at any time and holds for what
//! is connected already. [`pipe`] moves the bytes of one direction. A [`Filter`] understands the
//! protocol: [`kafka`] keeps clients on the wire, [`postgres`] loses the replies to commits.

pub mod kafka;
mod line;
mod pipe;
pub mod postgres;

use std::time::Duration;

pub use line::Line;

/// How a wire behaves. The default is a good one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Each piece takes this long, and up to `jitter` longer. Order is kept.
    pub latency: Duration,
    pub jitter: Duration,
    /// One piece in so many is late by `late_by`, as a lost packet is that is sent again.
    pub late_one_in: Option<u32>,
    pub late_by: Duration,
    /// Pieces of so many bytes at most, each in a packet of its own.
    pub slice: Option<usize>,
    pub bytes_per_second: Option<u64>,
    pub silence: Silence,
    /// Who connects is turned away at once.
    pub refuses: bool,
}

/// What does not pass. Connections stay open, and nobody is told; what was sent arrives when the
/// silence is over, as TCP does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    #[default]
    None,
    /// Nothing at all: a partition.
    Both,
    /// Requests arrive and answers do not: half-open.
    Answers,
    /// Requests do not arrive.
    Questions,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From whoever connected.
    Question,
    Answer,
}

/// Reads along on one connection, and may change or end it.
pub trait Filter: Send {
    /// What goes on instead of these bytes, be it nothing yet. `None` ends the connection without
    /// passing them on.
    fn pass(&mut self, way: Way, bytes: &[u8]) -> Option<Vec<u8>>;
}

/// Makes the filter of a new connection.
pub type Filters = Box<dyn Fn() -> Box<dyn Filter> + Send + Sync>;

impl Weather {
    pub const GOOD: Self = Self {
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        late_one_in: None,
        late_by: Duration::ZERO,
        slice: None,
        bytes_per_second: None,
        silence: Silence::None,
        refuses: false,
    };

    pub fn slow(latency: Duration, jitter: Duration) -> Self {
        Self { latency, jitter, ..Self::GOOD }
    }

    pub fn silent(silence: Silence) -> Self {
        Self { silence, ..Self::GOOD }
    }

    /// One packet in `one_in` comes late.
    pub fn lossy(one_in: u32, late_by: Duration) -> Self {
        Self { late_one_in: Some(one_in), late_by, ..Self::GOOD }
    }

    pub fn sliced(bytes: usize) -> Self {
        Self { slice: Some(bytes), ..Self::GOOD }
    }

    pub fn refusing() -> Self {
        Self { refuses: true, ..Self::GOOD }
    }

    fn stops(&self, way: Way) -> bool {
        match self.silence {
            Silence::None => false,
            Silence::Both => true,
            Silence::Answers => way == Way::Answer,
            Silence::Questions => way == Way::Question,
        }
    }
}
