//! How a process ends: not ready, drain, stop. Nothing is lost if it is killed instead.

use std::time::Duration;

use tokio::sync::watch;

use crate::env::Env;

/// Where a process stands. It only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not serving yet.
    Starting,
    Ready,
    /// `/readyz` says no, so that no new traffic is sent; what comes is still served.
    NotReady,
    /// Listeners are closed, requests in flight end, periodic work stops.
    Draining,
    /// Everything is to end now.
    Stopping,
}

/// The phase of this process, for all of its parts. Clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: watch::Sender<Phase>,
}

/// How long the phases of an orderly end last at most.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// Time for load balancers to notice `/readyz`. Zero for a single process.
    pub not_ready: Duration,
    /// Time for requests in flight.
    pub drain: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { not_ready: Duration::ZERO, drain: Duration::from_secs(25) }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Starting) }
    }

    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub fn is_ready(&self) -> bool {
        self.phase() == Phase::Ready
    }

    /// Start-up is complete. Does nothing once shutdown began.
    pub fn ready(&self) {
        self.advance(Phase::Ready);
    }

    /// Moves on to `phase`, never back.
    pub fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
            let later = phase > *current;
            if later {
                *current = phase;
            }
            later
        });
    }

    /// Waits until `phase` or a later one.
    pub async fn reached(&self, phase: Phase) {
        let mut receiver = self.phase.subscribe();
        // The sender lives in `self`, so the wait ends by the phase alone.
        let _ = receiver.wait_for(|current| *current >= phase).await;
    }

    /// Waits until listeners have to close.
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    pub async fn stopping(&self) {
        self.reached(Phase::Stopping).await;
    }

    /// Goes through the phases. `drained` completes when nothing is in flight any more; it is
    /// waited for no longer than the grace allows.
    pub async fn run(&self, env: &Env, grace: Grace, drained: impl Future<Output = ()>) {
        self.advance(Phase::NotReady);
        if !grace.not_ready.is_zero() {
            env.sleep(grace.not_ready).await;
        }
        self.advance(Phase::Draining);
        if env.timeout(grace.drain, drained).await.is_none() {
            tracing::warn!("requests in flight did not end in time and are dropped");
        }
        self.advance(Phase::Stopping);
    }
}

/// Completes at the first SIGTERM or SIGINT (Ctrl-C elsewhere).
pub async fn signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_move_forward_and_wake_who_waits() {
        let shutdown = Shutdown::new();
        let waiter = shutdown.clone();
        let (woken, ()) = tokio::join!(
            async {
                waiter.draining().await;
                waiter.phase()
            },
            async {
                shutdown.ready();
                assert!(shutdown.is_ready());
                shutdown.advance(Phase::Stopping);
                shutdown.ready();
            }
        );
        assert_eq!(woken, Phase::Stopping);
    }

    #[tokio::test]
    async fn an_orderly_end_waits_for_what_is_in_flight() {
        let shutdown = Shutdown::new();
        let env = Env::test().env;
        shutdown
            .run(&env, Grace::default(), async {
                assert_eq!(shutdown.phase(), Phase::Draining);
            })
            .await;
        assert_eq!(shutdown.phase(), Phase::Stopping);
    }
}
