//! Which keys this process may publish: all, or those of the shards that it holds leases on.
//!
//! Replicas of a service share one outbox. Each shard of it has one owner at a time, by a lease in
//! the database that is renewed long before it ends; a replica that could not renew stops by its
//! own clock before another may begin. The epoch of a lease grows with each new owner.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::id::Uuid;
use tokio::sync::Notify;

use crate::crash;
use crate::env::Env;
use crate::event::{PARTITIONS, partition_of};
use crate::executor::Executor;
use crate::shutdown::Shutdown;
use crate::store::Lease;

/// How long a lease holds when it is not renewed.
const LIFE: Duration = Duration::from_secs(6);
/// So long, too, the shards of a replica that died wait for the others.
const RENEW: Duration = Duration::from_secs(1);
/// A replica takes its leases for ended so much earlier than the database does.
const MARGIN: Duration = Duration::from_secs(1);

/// What this process holds. Clones share it.
#[derive(Clone)]
pub(super) struct Tenure(Option<Arc<Shared>>);

struct Shared {
    env: Env,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    leases: Vec<Lease>,
    /// By the monotonic clock.
    until: Duration,
    /// How many processes share the outbox.
    members: u32,
}

impl Tenure {
    /// Nobody else is there.
    pub(super) fn whole() -> Self {
        Self(None)
    }

    /// Nothing yet: [`Tenure::keep`] asks for it.
    pub(super) fn shared(env: Env) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self(Some(Arc::new(Shared { env, state, changed })))
    }

    pub(super) fn of(publisher: &Executor) -> Self {
        if publisher.store().engine().sharing().is_some() {
            Self::shared(publisher.env().clone())
        } else {
            Self::whole()
        }
    }

    /// May events of this aggregate be published now?
    pub(super) fn holds(&self, aggregate: Uuid) -> bool {
        let Some(shared) = &self.0 else { return true };
        let shard = partition_of(aggregate, PARTITIONS);
        shared.shards().contains(&shard)
    }

    /// The shards that are held; `None` when nobody else is there.
    pub(super) fn shards(&self) -> Option<Vec<u32>> {
        self.0.as_ref().map(|shared| shared.shards())
    }

    /// Do other processes write to the same outbox?
    pub(super) fn has_company(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| shared.lock().members > 1)
    }

    /// Resolves when what is held has changed.
    pub(super) async fn changed(&self) {
        match &self.0 {
            Some(shared) => shared.changed.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Takes and renews leases until shutdown, then gives them back.
    pub(super) async fn keep(self, publisher: Executor, shutdown: Shutdown) {
        let Some(shared) = self.0 else { return };
        let env = shared.env.clone();
        let owner = env.uuid();
        let service = publisher.service();
        let held = metrics::gauge!("mercat_relay_shards", "service" => service);
        let mut stopping = std::pin::pin!(shutdown.stopping());
        loop {
            shared.renew(&publisher, owner, &held).await;
            tokio::select! {
                biased;
                () = &mut stopping => break,
                () = env.sleep(RENEW) => {}
            }
        }
        shared.lock().leases.clear();
        if let Some(sharing) = publisher.store().engine().sharing()
            && let Err(error) = sharing.release(owner).await
        {
            tracing::warn!(%error, service, "leases end by themselves in {} s", LIFE.as_secs());
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shards(&self) -> Vec<u32> {
        let state = self.lock();
        if self.env.clock.monotonic() >= state.until {
            return Vec::new();
        }
        state.leases.iter().map(|lease| lease.shard).collect()
    }

    async fn renew(&self, publisher: &Executor, owner: Uuid, held: &metrics::Gauge) {
        let Some(sharing) = publisher.store().engine().sharing() else { return };
        let service = publisher.service();
        let asked = self.env.clock.monotonic();
        crash::point("lease.renew.before");
        let answer = sharing.lease(owner, LIFE).await;
        crash::point("lease.renew.after");
        match answer {
            Ok(holding) => {
                let mut state = self.lock();
                let is_new = state.leases != holding.leases;
                if is_new {
                    let shards: Vec<_> = holding.leases.iter().map(|lease| lease.shard).collect();
                    tracing::info!(service, ?shards, members = holding.members, "relay leases");
                }
                state.leases = holding.leases;
                state.members = holding.members;
                state.until = asked + LIFE.saturating_sub(MARGIN);
                held.set(state.leases.len() as f64);
                drop(state);
                if is_new {
                    self.changed.notify_one();
                }
            }
            Err(error) => tracing::warn!(%error, service, "relay leases cannot be renewed"),
        }
    }
}
