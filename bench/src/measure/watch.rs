//! CPU and counters between two moments, and the most memory that a process had.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::counters::StoreCounters;
use super::delays::Delays;
use super::proc::{self, Machine};
use crate::Outcome;
use crate::client::Connection;
use crate::clock;
use crate::shop::Shop;

const POLL: Duration = Duration::from_millis(50);
const QUIET: Duration = Duration::from_secs(1);
const QUIET_AT_LAST: Duration = Duration::from_mins(10);

/// One moment of a running shop.
pub struct Moment {
    at: Instant,
    machine: Machine,
    server: Duration,
    threads: BTreeMap<String, Duration>,
    client: Duration,
    /// Of the shop's processes and its servers, by part and process.
    parts: BTreeMap<(String, u32), Duration>,
    counters: StoreCounters,
    delays: Delays,
}

/// What was spent between two moments.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    pub time: Duration,
    /// By everything on this machine.
    pub machine: Duration,
    pub stolen: Duration,
    pub server: Duration,
    /// The server's, by the names of its threads.
    pub threads: BTreeMap<String, Duration>,
    pub client: Duration,
    /// By the shop's processes and its servers, where it has some.
    pub parts: BTreeMap<String, Duration>,
    pub counters: StoreCounters,
    /// Of the events that had their effect meanwhile.
    pub delays: Delays,
}

impl Moment {
    /// Asks for the counters first: what is read last is closest to the moment of return.
    pub async fn read(shop: &Shop, internals: &mut [Connection]) -> Outcome<Self> {
        let (mut counters, mut delays) = (StoreCounters::default(), Delays::default());
        for internal in internals {
            let text = metrics(internal).await?;
            counters.add(&StoreCounters::parse(&text));
            delays.add(&Delays::parse(&text));
        }
        let parts = shop.parts().into_iter().filter_map(|(part, pid)| {
            let cpu = proc::cpu_of(pid)?;
            Some(((part, pid), cpu))
        });
        Ok(Self {
            counters,
            delays,
            parts: parts.collect(),
            threads: proc::cpu_by_thread(shop.pid),
            server: shop.cpu().ok_or("the shop is gone")?,
            client: proc::cpu_of(std::process::id()).unwrap_or_default(),
            machine: Machine::read().ok_or("/proc/stat cannot be read")?,
            at: clock::now(),
        })
    }

    /// What was spent from this moment to `end`.
    pub fn until(&self, end: &Self) -> Spent {
        let thread = |(name, cpu): (&String, &Duration)| {
            let before = self.threads.get(name).copied().unwrap_or_default();
            (name.clone(), cpu.saturating_sub(before))
        };
        let mut parts = BTreeMap::new();
        for (key, cpu) in &end.parts {
            // One that is new has spent all of its time since.
            let before = self.parts.get(key).copied().unwrap_or_default();
            *parts.entry(key.0.clone()).or_default() += cpu.saturating_sub(before);
        }
        Spent {
            parts,
            delays: end.delays.since(&self.delays),
            time: end.at - self.at,
            machine: end.machine.busy.saturating_sub(self.machine.busy),
            stolen: end.machine.stolen.saturating_sub(self.machine.stolen),
            server: end.server.saturating_sub(self.server),
            threads: end.threads.iter().map(thread).collect(),
            client: end.client.saturating_sub(self.client),
            counters: end.counters.since(&self.counters),
        }
    }
}

/// Waits until the shop has committed nothing for a second: what follows from events is done.
/// Answers how long it still worked.
pub async fn quiet(shop: &Shop) -> Outcome<Duration> {
    let mut internal = Connection::new(shop.internal);
    let began = clock::now();
    let (mut commits, mut worked) = (counters(&mut internal).await?.commits, Duration::ZERO);
    while began.elapsed() < QUIET_AT_LAST && began.elapsed() < worked + QUIET {
        clock::sleep(POLL).await;
        let now = counters(&mut internal).await?.commits;
        if now != commits {
            (commits, worked) = (now, began.elapsed());
        }
    }
    Ok(worked)
}

async fn counters(internal: &mut Connection) -> Outcome<StoreCounters> {
    Ok(StoreCounters::parse(&metrics(internal).await?))
}

async fn metrics(internal: &mut Connection) -> Outcome<String> {
    let reply = internal.ask("GET", "/metrics", &[], "").await;
    let reply = reply.map_err(|error| format!("/metrics: {error}"))?.expect(200)?;
    Ok(String::from_utf8_lossy(reply.body).into_owned())
}
