//! The end of a process, in phases: not ready, drain, stop.

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Running,
    /// `/readyz` says no; requests are still served, so that load balancers can turn away.
    NotReady,
    /// No new connections; those open end their requests.
    Draining,
    /// Background work ends.
    Stopping,
}

/// Tells every part of a process in which phase it is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: watch::Sender<Phase>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Running) }
    }

    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Moves on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
            let forward = phase > *current;
            if forward {
                *current = phase;
            }
            forward
        });
    }

    /// Completes once `phase` or a later one is reached.
    pub async fn reached(&self, phase: Phase) {
        let mut receiver = self.phase.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|current| *current >= phase).await;
    }

    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    pub async fn stopping(&self) {
        self.reached(Phase::Stopping).await;
    }
}
