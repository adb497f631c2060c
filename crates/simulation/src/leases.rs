//! Who publishes which shard of an outbox, as a database server keeps it.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::id::Uuid;
use platform::event::PARTITIONS;
use platform::store::{Holding, Lease};

use crate::core::Node;

#[derive(Clone, Copy, Default)]
struct Shard {
    epoch: u64,
    held: Option<(Uuid, Duration)>,
}

/// A process in one of its lives.
type Process = (Node, u64);

#[derive(Default)]
pub struct Leases {
    shards: [Shard; PARTITIONS as usize],
    members: BTreeMap<Uuid, (Process, Duration)>,
}

impl Leases {
    /// As `platform::store::Sharing::lease` promises. A server notices that a process died by its
    /// connection, and need not wait for the end of its leases.
    pub fn renew(
        &mut self,
        owner: Uuid,
        process: Process,
        now: Duration,
        life: Duration,
        is_alive: impl Fn(Process) -> bool,
    ) -> Holding {
        self.members.insert(owner, (process, now + life));
        self.members.retain(|_, (process, until)| *until > now && is_alive(*process));
        let share = PARTITIONS.div_ceil((self.members.len() as u32).max(1)) as usize;
        for shard in &mut self.shards {
            let ends = |(holder, until): (Uuid, Duration)| {
                until <= now || !self.members.contains_key(&holder)
            };
            if shard.held.is_some_and(ends) {
                shard.held = None;
            }
        }
        let mut held = 0;
        for shard in &mut self.shards {
            if shard.held.is_some_and(|(holder, _)| holder == owner) {
                held += 1;
                shard.held = (held <= share).then_some((owner, now + life));
            }
        }
        for shard in self.shards.iter_mut().filter(|shard| shard.held.is_none()) {
            if held < share {
                held += 1;
                shard.epoch += 1;
                shard.held = Some((owner, now + life));
            }
        }
        let ours = self.shards.iter().enumerate();
        let ours = ours.filter(|(_, shard)| shard.held.is_some_and(|(holder, _)| holder == owner));
        let leases = ours.map(|(at, shard)| Lease { shard: at as u32, epoch: shard.epoch });
        Holding { leases: leases.collect(), members: self.members.len() as u32 }
    }

    pub fn release(&mut self, owner: Uuid) {
        self.members.remove(&owner);
        for shard in &mut self.shards {
            if shard.held.is_some_and(|(holder, _)| holder == owner) {
                shard.held = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(6);

    #[test]
    fn two_share_and_one_takes_over_what_the_other_did_not_renew() {
        let mut leases = Leases::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let at = Duration::from_secs;
        let all = leases.renew(one, (1, 0), at(0), LIFE, |_| true);
        assert_eq!(all.leases.len(), 16);
        assert_eq!(leases.renew(two, (2, 0), at(1), LIFE, |_| true).leases.len(), 0);
        assert_eq!(leases.renew(one, (1, 0), at(2), LIFE, |_| true).leases.len(), 8);
        assert_eq!(leases.renew(two, (2, 0), at(3), LIFE, |_| true).leases.len(), 8);
        let alone = leases.renew(two, (2, 0), at(8), LIFE, |_| true);
        assert_eq!((alone.leases.len(), alone.members), (16, 1));
        assert_eq!(alone.leases[0].epoch, 2);
    }

    #[test]
    fn the_leases_of_a_dead_process_are_free_at_once() {
        let mut leases = Leases::default();
        leases.renew(Uuid::from_u128(1), (1, 0), Duration::ZERO, LIFE, |_| true);
        let next = leases.renew(Uuid::from_u128(2), (1, 1), Duration::ZERO, LIFE, |p| p == (1, 1));
        assert_eq!(next.leases.len(), 16);
    }
}
