//! What happens to an event that cannot be digested: its *key* (the aggregate) is parked in a table
//! of the consumer, this event and all behind it; other keys go on. An operator looks, mends, and
//! replays or skips.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::id::Uuid;

use super::Subscription;
use crate::context::Context;
use crate::env::Env;
use crate::event::{Envelope, HandleError};
use crate::executor::Executor;
use crate::store::{Parked, StoreError};

/// After so many tries an event is parked.
pub(super) const TRIES: u32 = 5;

/// So long a consumer waits for events that should have come before one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Failures so far, and the keys that are parked, per consumer.
#[derive(Default)]
pub(super) struct Ward {
    attempts: Mutex<HashMap<(&'static str, Uuid), u32>>,
    keys: Mutex<HashSet<(&'static str, Uuid)>>,
    /// Events that came too early, and since when they wait, by the monotonic clock.
    early: Mutex<HashMap<(&'static str, Uuid), Duration>>,
}

/// Of events that came too early at most so many are remembered; more begin to wait anew.
const EARLY: usize = 10_000;

impl Ward {
    /// Learns which keys were parked before this process started.
    pub(super) async fn load(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let name = subscription.consumer.name;
        let parked = subscription.executor.store().parked(Some(name)).await?;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.extend(parked.iter().map(|parked| (name, parked.envelope.aggregate_id)));
        Ok(())
    }

    pub(super) fn holds(&self, consumer: &'static str, aggregate: Uuid) -> bool {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.contains(&(consumer, aggregate))
    }

    /// True when the event has now failed often enough to be parked.
    pub(super) fn failed(&self, consumer: &'static str, event: Uuid, error: &HandleError) -> bool {
        if error.transient {
            return false;
        }
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry((consumer, event)).or_insert(0);
        *count += 1;
        let give_up = *count >= TRIES;
        if give_up {
            attempts.remove(&(consumer, event));
        }
        give_up
    }

    /// The event was handled: what it went through before is forgotten.
    pub(super) fn handled(&self, consumer: &'static str, event: Uuid) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).remove(&(consumer, event));
        self.early.lock().unwrap_or_else(PoisonError::into_inner).remove(&(consumer, event));
    }

    /// How many events it remembers something of.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner).len();
        attempts + self.early.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Has this event waited in vain for those before it?
    pub(super) fn lacks_for_long(
        &self,
        consumer: &'static str,
        event: &Envelope,
        env: &Env,
    ) -> bool {
        let now = env.clock.monotonic();
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if early.len() >= EARLY {
            early.retain(|_, since| now.saturating_sub(*since) < PATIENCE * 2);
        }
        let since = *early.entry((consumer, event.id)).or_insert(now);
        let is_over = now.saturating_sub(since) >= PATIENCE;
        if is_over {
            early.remove(&(consumer, event.id));
        }
        is_over
    }

    pub(super) async fn park(
        &self,
        subscription: &Subscription,
        envelope: &Envelope,
        error: &str,
    ) -> Result<(), StoreError> {
        let executor = &subscription.executor;
        let consumer = subscription.consumer.name;
        tracing::error!(
            consumer, event = %envelope.id, event_type = envelope.event_type,
            aggregate = %envelope.aggregate_id, error, "event parked; its key waits for an operator"
        );
        metrics::counter!("mercat_events_parked_total", "consumer" => consumer).increment(1);
        let parked = Parked {
            consumer: consumer.to_owned(),
            envelope: envelope.clone(),
            error: error.chars().take(2000).collect(),
            attempts: TRIES,
            parked_at: executor.env().now(),
        };
        executor.park(vec![parked]).await?;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert((consumer, envelope.aggregate_id));
        Ok(())
    }
}

/// Handles the parked events of one key again, in order; stops at the first that fails. Answers how
/// many were handled. Events of the key that arrive meanwhile queue up behind.
pub async fn replay(subscription: &Subscription, aggregate: Uuid) -> Result<usize, HandleError> {
    let executor = &subscription.executor;
    let consumer = subscription.consumer.name;
    let mut done = 0;
    for parked in executor.store().parked(Some(consumer)).await? {
        if parked.envelope.aggregate_id != aggregate {
            continue;
        }
        let context = context_of(executor, &parked.envelope);
        let outcome = take(subscription, &context, &parked.envelope).await;
        match outcome {
            Err(error) if error.gap.is_some() && done == 0 => {
                take(subscription, &context, &beginning(&parked.envelope)).await?;
            }
            outcome => outcome?,
        }
        executor.unpark(consumer.to_owned(), parked.envelope.id).await?;
        done += 1;
    }
    Ok(done)
}

/// Hands the event to the consumer. A handler that panics is a poison of its key, not the end of the
/// relay, nor of an operator's request.
pub(super) async fn take(
    subscription: &Subscription,
    context: &Context,
    event: &Envelope,
) -> Result<(), HandleError> {
    let handling = subscription.consumer.take(&subscription.executor, context, event);
    let caught = AssertUnwindSafe(handling).catch_unwind().await;
    caught.unwrap_or_else(|_| Err(HandleError::new("the handler panicked")))
}

/// Gives up on one parked event: the inbox moves past it and the row is deleted. Answers whether it
/// was there.
pub async fn skip(subscription: &Subscription, event: Uuid) -> Result<bool, HandleError> {
    let executor = &subscription.executor;
    let consumer = subscription.consumer.name;
    let parked = executor.store().parked(Some(consumer)).await?;
    let Some(at) = parked.iter().position(|parked| parked.envelope.id == event) else {
        return Ok(false);
    };
    let (before, parked) = (&parked[..at], &parked[at]);
    let key = parked.envelope.aggregate_id;
    let is_first = before.iter().all(|other| other.envelope.aggregate_id != key);
    match executor.consume_nothing(consumer, &parked.envelope).await {
        Err(StoreError::Gap { .. }) if is_first => {
            executor.consume_nothing(consumer, &beginning(&parked.envelope)).await?;
        }
        outcome => outcome?,
    }
    executor.unpark(consumer.to_owned(), event).await?;
    Ok(true)
}

/// The first parked event of a key stood at the head of its key when it was parked: what it seems
/// to lack was delivered before the consumer listened.
fn beginning(envelope: &Envelope) -> Envelope {
    Envelope {
        passed_over: envelope.aggregate_version.saturating_sub(1),
        ..Envelope::clone(envelope)
    }
}

/// How long one handling of an event may take.
const HANDLE: Duration = Duration::from_secs(30);

pub(super) fn context_of(executor: &Executor, envelope: &Envelope) -> Context {
    let mut context = Context::background(executor.env(), executor.service(), HANDLE);
    context.correlation = envelope.correlation.clone();
    context.causation = Some(envelope.id);
    context.trace = envelope.traceparent.as_deref().and_then(|text| text.parse().ok());
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_handled_at_last_leaves_nothing_behind() {
        let (ward, event) = (Ward::default(), Uuid::from_u128(7));
        let error = HandleError::new("not now");
        for _ in 1..TRIES {
            assert!(!ward.failed("orders", event, &error));
        }
        assert_eq!(ward.remembered(), 1);
        ward.handled("orders", event);
        assert_eq!(ward.remembered(), 0);
        assert!(!ward.failed("orders", event, &error), "its tries are counted anew");
    }
}
