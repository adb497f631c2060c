//! What a consumer reads from, and what it shares with the thread that is a member of its group.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc, oneshot};

use super::client::Outage;
use super::ledger::Ledger;
use super::mail::Mail;
use super::member::{Member, Post};
use super::outlet::Outlet;
use super::settings::KafkaConfig;
use crate::bus::broker::{BrokerError, Inbound, Incoming};
use crate::env::Env;
use crate::event::Envelope;

/// How many events wait to be asked for.
const WAITING: usize = 256;
/// How many are with the consumer, or wait. Beyond it nothing is fetched until some are done.
const OPEN: usize = 4096;
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
const LAG_LIMIT: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct KafkaInbound {
    env: Env,
    shared: Arc<Shared>,
}

/// Joins the group. The first partitions come when the group has agreed on them.
pub(super) fn open(
    env: &Env,
    config: Arc<KafkaConfig>,
    outlet: Arc<Outlet>,
    consumer: &'static str,
    source: &'static str,
) -> Result<KafkaInbound, BrokerError> {
    let shared = Arc::new(Shared::default());
    let (dead, letters) = mpsc::unbounded_channel();
    let group = config.group(consumer, source);
    let post = Post {
        topic: config.events(source),
        outage: Outage::new(group.as_str(), env.clock.clone()),
        group,
        consumer,
        config,
    };
    let member = Member::join(post, shared.clone(), dead)?;
    let thread = std::thread::Builder::new().name("kafka-inbound".to_owned());
    let started = thread.spawn(move || member.run());
    started.map_err(|error| BrokerError(format!("kafka: no thread for {consumer}: {error}")))?;
    env.spawn("kafka.dead-letters", bury(env.clone(), outlet, shared.clone(), letters));
    Ok(KafkaInbound { env: env.clone(), shared })
}

#[async_trait]
impl Inbound for KafkaInbound {
    async fn next(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.shared.take() {
                return incoming;
            }
            self.shared.filled.notified().await;
        }
    }

    fn done(&mut self, token: u64) {
        self.shared.lock().ledger.done(token);
        self.shared.room.notify_one();
    }

    fn lag(&mut self) -> BoxFuture<'static, Result<u64, BrokerError>> {
        let (asked, answer) = oneshot::channel();
        self.shared.lock().lag.push(asked);
        self.shared.room.notify_one();
        let env = self.env.clone();
        let counted = async move {
            match env.timeout(LAG_LIMIT, answer).await {
                Some(Ok(lag)) => lag,
                _ => Err(BrokerError("kafka: nobody counts what waits".to_owned())),
            }
        };
        counted.boxed()
    }
}

impl Drop for KafkaInbound {
    /// Waits a moment for the member to leave: a process that ends now would be missed only after
    /// its session's limit, and until then nobody would read its partitions.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closing = true;
        self.shared.room.notify_one();
        let left = self.shared.left.wait_timeout_while(state, LEAVE_LIMIT, |state| !state.left);
        drop(left);
    }
}

/// Malformed messages are written to the topic of dead letters before they count as done.
async fn bury(
    env: Env,
    outlet: Arc<Outlet>,
    shared: Arc<Shared>,
    mut letters: mpsc::UnboundedReceiver<(u64, Mail)>,
) {
    while let Some((token, letter)) = letters.recv().await {
        let mut pause = Duration::from_millis(100);
        while let Err(error) = outlet.send(letter.copy()).await {
            if letters.is_closed() {
                // Nobody reads here any more: the message comes again to whoever does next.
                return;
            }
            tracing::warn!(%error, "a malformed message waits for its place among the dead letters");
            env.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        shared.lock().ledger.done(token);
    }
}

/// Between the consumer and the member's thread. The lock is held for moments only.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// There may be room, something to do, or an end.
    room: Condvar,
    /// The member is out of its group.
    left: Condvar,
    filled: Notify,
    /// Nothing is fetched, because there is no room.
    pub paused: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    queue: VecDeque<Incoming>,
    pub ledger: Ledger,
    /// Who asked how much waits.
    pub lag: Vec<oneshot::Sender<Result<u64, BrokerError>>>,
    pub closing: bool,
    left: bool,
}

impl State {
    fn is_full(&self) -> bool {
        self.queue.len() >= WAITING || self.ledger.len() >= OPEN
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Incoming> {
        let mut state = self.lock();
        let incoming = state.queue.pop_front()?;
        drop(state);
        self.room.notify_one();
        Some(incoming)
    }

    pub(super) fn put(&self, partition: i32, offset: i64, envelope: Envelope) {
        let mut state = self.lock();
        let token = state.ledger.begin(partition, offset);
        state.queue.push_back(Incoming { token, envelope: Arc::new(envelope) });
        drop(state);
        self.filled.notify_one();
    }

    /// The partitions belong to somebody else now. What waits of them is theirs, too.
    pub(super) fn forget(&self, partitions: impl Iterator<Item = i32>) {
        let mut state = self.lock();
        partitions.for_each(|partition| state.ledger.forget(partition));
        let State { queue, ledger, .. } = &mut *state;
        queue.retain(|incoming| ledger.holds(incoming.token));
    }

    /// Is there room for more? Waits up to `patience` for it, or until there is something to do.
    pub(super) fn wait_for_room(&self, patience: Duration) -> bool {
        let waits = |state: &mut State| state.is_full() && !state.closing && state.lag.is_empty();
        let waited = self.room.wait_timeout_while(self.lock(), patience, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.is_full()
    }

    pub(super) fn leave(&self) {
        self.lock().left = true;
        self.left.notify_all();
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }
}
