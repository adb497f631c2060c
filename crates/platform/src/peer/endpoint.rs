//! One address of a peer: connected, connecting, or not to be had right now.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::PeerConfig;
use super::address::Origin;
use super::connection::{Connection, Sender, connect};
use super::failure::root;
use super::supervise::Names;
use crate::env::Env;
use crate::tls::ClientTls;

/// A connection that broke sooner than this is followed by a pause.
const SHORT: Duration = Duration::from_secs(1);

pub(super) struct Endpoint {
    pub(super) origin: Origin,
    pub(super) address: SocketAddr,
    state: Mutex<State>,
    in_flight: AtomicUsize,
    /// Cancelled when the address is no longer one of the peer's.
    pub(super) gone: CancellationToken,
}

#[derive(Clone)]
pub(super) enum State {
    Connecting,
    Ready(Sender),
    Failed(Arc<str>),
}

/// What an endpoint's task works with.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) env: Env,
    pub(super) config: Arc<PeerConfig>,
    pub(super) tls: Option<ClientTls>,
    pub(super) names: Arc<dyn Names>,
    /// Tells those who wait for a connection that some endpoint's state is another.
    pub(super) changed: watch::Sender<()>,
}

impl Endpoint {
    pub(super) fn new(origin: Origin, address: SocketAddr, gone: CancellationToken) -> Self {
        Self {
            origin,
            address,
            state: Mutex::new(State::Connecting),
            in_flight: AtomicUsize::new(0),
            gone,
        }
    }

    pub(super) fn state(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            // Its task has not noticed yet.
            State::Ready(sender) if sender.is_closed() => State::Connecting,
            state => state.clone(),
        }
    }

    fn set(&self, state: State, changed: &watch::Sender<()>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        changed.send_replace(());
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connects, and again when the connection ends, until the address is gone. What is in flight
    /// then may still end.
    pub(super) async fn run(self: Arc<Self>, means: Means) {
        let Means { env, config, tls, changed, .. } = &means;
        let (least, most) = config.backoff;
        let mut pause = least;
        let mut is_away = false;
        while !self.gone.is_cancelled() {
            let begun = env.clock.monotonic();
            match connect(env, config, tls.as_ref(), &self.origin, self.address).await {
                Ok((sender, connection)) => {
                    if is_away {
                        is_away = false;
                        tracing::info!(peer = config.name, address = %self.address, "connected");
                    }
                    self.set(State::Ready(sender), changed);
                    self.drive(connection, &means).await;
                    let lasted = env.clock.monotonic().saturating_sub(begun);
                    if lasted >= SHORT {
                        pause = least;
                        continue;
                    }
                }
                Err(reason) => {
                    // One line for each outage, not one for each try.
                    if !is_away {
                        is_away = true;
                        tracing::warn!(peer = config.name, reason, "no connection to a peer");
                    }
                    self.set(State::Failed(reason.into()), changed);
                }
            }
            tokio::select! {
                biased;
                () = self.gone.cancelled() => return,
                () = env.sleep(jittered(env, pause)) => {}
            }
            pause = (pause * 2).min(most);
        }
    }

    async fn drive(&self, mut connection: Connection, means: &Means) {
        let Means { config, changed, .. } = means;
        let outcome = tokio::select! {
            biased;
            outcome = &mut connection => outcome,
            () = self.gone.cancelled() => {
                // Nobody else holds the sender, so the connection ends after what is in flight.
                self.set(State::Connecting, changed);
                connection.await
            }
        };
        if let Err(error) = outcome {
            let address = self.address;
            let error = root(&error);
            tracing::warn!(peer = config.name, %address, error, "a connection to a peer broke");
        }
        self.set(State::Connecting, changed);
    }
}

/// Between half of it and all of it.
pub(crate) fn jittered(env: &Env, pause: Duration) -> Duration {
    let [byte] = env.random::<1>();
    pause.mul_f64(0.5 + f64::from(byte) / 512.0)
}
