//! Use cases, one a file.
//!
//! Every one follows the same path: record what is wanted (a commit), ask the provider under our
//! own key, record what it said (a commit). No transaction is open while the provider is asked. A
//! crash in between leaves an attempt with a due time behind, and [`reconcile`] takes it from
//! there; so nothing here retries.

pub mod authorize;
pub mod cancel;
pub mod capture;
pub mod error;
pub mod follow_orders;
pub mod get_payment;
pub mod list_ledger;
pub mod list_payments;
pub mod perform;
pub mod receive_notification;
pub mod reconcile;
pub mod refund;
pub mod transition;
pub mod void;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use platform::context::Deadline;
use platform::executor::Executor;
use platform::{Context, Env};
use tokio::sync::Semaphore;

use crate::domain::PaymentId;
use crate::ports::{Outside, Provider};
pub use error::Error;

/// Payments that are resolved in the background at the same time.
const WORKERS: usize = 64;
/// What was heard from the provider is recorded even when nobody waits for it any more.
const RECORDING_TIME: Duration = Duration::from_secs(30);
/// How much longer than the provider's time-out an attempt is left alone.
const MARGIN: Duration = Duration::from_secs(2);

/// The use cases and what they share. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    executor: Executor,
    provider: Arc<dyn Provider>,
    outside: Outside,
    provider_timeout: Duration,
    in_flight: Arc<Mutex<HashSet<PaymentId>>>,
    workers: Arc<Semaphore>,
}

impl Payments {
    pub fn new(
        executor: Executor,
        provider: Arc<dyn Provider>,
        outside: Outside,
        provider_timeout: Duration,
    ) -> Self {
        Self {
            executor,
            provider,
            outside,
            provider_timeout,
            in_flight: Arc::default(),
            workers: Arc::new(Semaphore::new(WORKERS)),
        }
    }

    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    fn env(&self) -> &Env {
        self.executor.env()
    }

    /// How long whoever records an attempt has to record its outcome.
    fn patience(&self) -> Duration {
        self.provider_timeout + MARGIN
    }

    /// The same context, with time enough to record an outcome.
    fn recording(&self, context: &Context) -> Context {
        Context { deadline: Deadline::after(self.env(), RECORDING_TIME), ..context.clone() }
    }

    /// Claims a payment for this process' own conversation with the provider about it. `None` when
    /// one is going on. A matter of thrift: two conversations would do no harm.
    fn claim(&self, payment_id: PaymentId) -> Option<Claim> {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        in_flight
            .insert(payment_id)
            .then(|| Claim { payment_id, in_flight: self.in_flight.clone() })
    }
}

/// Ends with the conversation, however it ends.
struct Claim {
    payment_id: PaymentId,
    in_flight: Arc<Mutex<HashSet<PaymentId>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.payment_id);
    }
}
