//! The outbox of two replicas in trouble: many writers, leases that are lost, a replica that dies,
//! and a transaction of another database on the same server that stays open all the time.
//!
//! The one load that does not go through a shop's public API: what it measures, from the decision
//! to the broker's confirmation, no shop shows alone. The replicas are the platform's own executor,
//! engine and relay over a made-up aggregate, each on a runtime of its own, so that one can be
//! dropped as a killed process is.

mod journal;
mod place;
mod replica;

use std::sync::Arc;
use std::time::Duration;

pub use journal::Delivered;

use crate::cli::Outbox;
use crate::{Outcome, clock};
use journal::Journal;
use place::Place;
use replica::{Load, Replica};

/// How often a third of the leases is taken away.
const LOSE: Duration = Duration::from_secs(5);
/// How long a killed replica is away.
const AWAY: Duration = Duration::from_secs(3);
/// What was committed is published by then, or counts as lost.
const DRAIN: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(100);

/// What was seen.
pub struct Seen {
    pub time: Duration,
    /// Commands that were answered, and those that were rejected as they should be.
    pub commands: u64,
    pub rejected: u64,
    /// Commands that were answered with another error.
    pub failed: u64,
    /// Events in the database's count.
    pub committed: u64,
    pub delivered: Delivered,
    pub leases_taken: u32,
    /// From the last commit to the last event of it.
    pub drain: Duration,
}

/// Blocks: the replicas have threads of their own.
pub fn run(load: &Outbox, postgres: &str, broker: Option<&str>) -> Outcome<Seen> {
    let place = Place::new(postgres)?;
    let seen = in_place(load, &place, broker);
    place.remove();
    seen
}

fn in_place(load: &Outbox, place: &Place, broker: Option<&str>) -> Outcome<Seen> {
    let journal = Arc::new(Journal::default());
    let half = Load { writers: load.writers.div_ceil(2), pause: load.pause(), things: load.things };
    let start = |name| Replica::start(name, place, &half, broker, &journal);
    let (one, mut two) = (start("one")?, Some(start("two")?));
    let foreign = place.hold_open_elsewhere()?;

    let began = clock::now();
    let length = Duration::from_secs(load.seconds.into());
    let (mut lost, mut taken, mut killed) = (Duration::ZERO, 0, None);
    while began.elapsed() < length {
        std::thread::sleep(STEP);
        let now = began.elapsed();
        if now >= lost + LOSE {
            lost = now;
            place.take_leases(taken % 3)?;
            taken += 1;
        }
        if killed.is_none() && now >= length / 2 {
            killed = Some(now);
            two.take().into_iter().for_each(Replica::kill);
        }
        if two.is_none() && killed.is_some_and(|at| now >= at + AWAY) {
            two = Some(start("three")?);
        }
    }
    for replica in [Some(&one), two.as_ref()].into_iter().flatten() {
        replica.stop_writing();
    }
    let time = began.elapsed();
    let drain = place.drained(DRAIN)?;
    drop(foreign);
    let committed = place.committed()?;
    for replica in [Some(one), two].into_iter().flatten() {
        replica.end();
    }
    let [commands, rejected, failed] = journal.answered();
    let delivered = journal.delivered(&committed);
    let committed = committed.values().sum();
    let leases_taken = taken;
    Ok(Seen { time, commands, rejected, failed, committed, delivered, leases_taken, drain })
}
