//! The ports of one node: its clock, its ids, its tasks; chance and time are the world's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::Env;
use platform::env::{BoxFuture, Clock, Ids, Rng, Spawn, Timer};

use crate::core::{Core, Node};

/// 2026-01-01T00:00:00Z in microseconds.
const START: i64 = 1_767_225_600_000_000;

struct NodeEnv {
    core: Core,
    node: Node,
    life: u64,
    /// The milliseconds and the counter of the last id.
    last_id: Mutex<(u64, u16)>,
}

/// The ports of a node in its present life.
pub fn env_of(core: &Core, node: Node) -> Env {
    let life = core.state().nodes[node].life;
    let ports = Arc::new(NodeEnv { core: core.clone(), node, life, last_id: Mutex::default() });
    Env {
        clock: ports.clone(),
        rng: ports.clone(),
        ids: ports.clone(),
        spawn: ports.clone(),
        timer: ports,
    }
}

impl Clock for NodeEnv {
    fn now(&self) -> Timestamp {
        let state = self.core.state();
        let passed = i64::try_from(state.now).unwrap_or(i64::MAX);
        Timestamp::from_micros(START + passed + state.nodes[self.node].clock_off)
    }

    fn monotonic(&self) -> Duration {
        self.core.now()
    }
}

impl Rng for NodeEnv {
    fn fill(&self, bytes: &mut [u8]) {
        self.core.state().chance.fill(bytes);
    }
}

/// As those of a real process: in the order in which they were made, whatever the clock does.
impl Ids for NodeEnv {
    fn next(&self) -> Uuid {
        let now_ms = u64::try_from(self.now().as_micros() / 1000).unwrap_or(0);
        let (ms, counter) = {
            let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
            *last = match *last {
                (ms, _) if now_ms > ms => (now_ms, 0),
                (ms, 0xfff) => (ms + 1, 0),
                (ms, counter) => (ms, counter + 1),
            };
            *last
        };
        let mut bytes = [0; 10];
        self.fill(&mut bytes[2..]);
        bytes[..2].copy_from_slice(&counter.to_be_bytes());
        kernel::id::v7(ms, bytes)
    }
}

impl Spawn for NodeEnv {
    fn spawn(&self, _name: &'static str, future: BoxFuture<()>) {
        self.core.spawn_in(self.node, self.life, future);
    }
}

impl Timer for NodeEnv {
    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(self.core.sleep(duration))
    }
}

/// The time by a clock that is right.
pub fn wall(core: &Core) -> Timestamp {
    Timestamp::from_micros(START + i64::try_from(core.state().now).unwrap_or(i64::MAX))
}
