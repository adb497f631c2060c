//! One key's events to consumers of this process.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use kernel::id::Uuid;
use tracing::Instrument as _;

use super::Subscription;
use super::poison::{Ward, context_of, take};
use super::pump::{Delivered, Outlet};
use super::tenure::Tenure;
use crate::event::{Envelope, HandleError};
use crate::executor::Executor;
use crate::store::Waiting;
use crate::telemetry;

pub(super) struct Delivery {
    /// Whose events these are, when its outbox is at hand.
    pub publisher: Option<Executor>,
    pub tenure: Tenure,
    pub subscriptions: Vec<Subscription>,
    pub ward: Arc<Ward>,
}

impl Outlet for Delivery {
    /// Without consumers nothing has to wait.
    fn is_wanted(&self, event_type: &str) -> bool {
        self.subscriptions.is_empty()
            || self.subscriptions.iter().any(|s| s.consumer.types.contains(&event_type))
    }

    fn deliver(self: Arc<Self>, key: Uuid, events: Vec<Waiting>) -> BoxFuture<'static, Delivered> {
        self.deliver_to_all(key, events).boxed()
    }
}

impl Delivery {
    pub(super) async fn load_parked(&self) {
        for subscription in &self.subscriptions {
            if let Err(error) = self.ward.load(subscription).await {
                tracing::error!(%error, consumer = subscription.consumer.name, "parked keys unknown");
            }
        }
    }

    /// Hands the events to each consumer, in order, consumers beside each other.
    async fn deliver_to_all(self: Arc<Self>, key: Uuid, mut events: Vec<Waiting>) -> Delivered {
        if !self.tenure.holds(key) {
            return Delivered { key, done: Vec::new(), rest: events, is_lost: true };
        }
        let runs = self.subscriptions.iter().map(|s| self.run(s, &events));
        let taken = join_all(runs).await.into_iter().min().unwrap_or(events.len());
        let rest = events.split_off(taken);
        crate::crash::point("relay.delete.before");
        let done = events.into_iter().map(|event| event.place).collect();
        Delivered { key, done, rest, is_lost: false }
    }

    /// How many of the events, from the first on, the consumer has done with.
    async fn run(&self, subscription: &Subscription, events: &[Waiting]) -> usize {
        let types = subscription.consumer.types;
        let mut taken = 0;
        for (index, event) in events.iter().enumerate() {
            let envelope = &event.envelope;
            if !types.contains(&envelope.event_type.as_str()) {
                continue;
            }
            let passed_over = right_before(envelope, &events[taken..index]);
            if !self.hand_over(subscription, envelope, passed_over).await {
                return taken;
            }
            taken = index + 1;
        }
        match events.last() {
            Some(last) if taken < events.len() => {
                let passed_over = right_before(&last.envelope, &events[taken..events.len() - 1]);
                if self.pass_over(subscription, &last.envelope, passed_over).await {
                    events.len()
                } else {
                    taken
                }
            }
            _ => taken,
        }
    }

    async fn hand_over(
        &self,
        subscription: &Subscription,
        event: &Arc<Envelope>,
        passed_over: u64,
    ) -> bool {
        let event = standing_for(event, passed_over);
        let consumer = subscription.consumer.name;
        let outcome = if self.ward.holds(consumer, event.aggregate_id) {
            self.behind_parked(subscription, &event).await
        } else {
            self.handle(subscription, &event).await
        };
        let Err(error) = outcome else {
            self.ward.handled(consumer, event.id);
            return true;
        };
        tracing::warn!(consumer, event = %event.id, event_type = event.event_type, %error, "not handled");
        if !self.ward.failed(consumer, event.id, &error) {
            return false;
        }
        self.ward.park(subscription, &event, &error.message).await.is_ok()
    }

    /// The inbox moves past events that the consumer has no use for.
    async fn pass_over(
        &self,
        subscription: &Subscription,
        last: &Arc<Envelope>,
        passed_over: u64,
    ) -> bool {
        let consumer = subscription.consumer.name;
        let event = standing_for(last, passed_over);
        let outcome = if self.ward.holds(consumer, event.aggregate_id) {
            self.behind_parked(subscription, &event).await
        } else {
            self.handle(subscription, &event).await
        };
        if let Err(error) = &outcome {
            tracing::warn!(consumer, event = %event.id, %error, "not passed over");
        }
        outcome.is_ok()
    }

    async fn handle(
        &self,
        subscription: &Subscription,
        event: &Arc<Envelope>,
    ) -> Result<(), HandleError> {
        let error = match once(subscription, event).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let Some(after) = error.gap else {
            // A handler may fail before its inbox is asked, at what was handled or given up long ago.
            let again = !error.transient && self.is_behind(subscription, event).await?;
            return if again { Ok(()) } else { Err(error) };
        };
        // What it lacks may be parked; then it has to wait for the operator, too.
        if self.queue_up(subscription, event).await? {
            return Ok(());
        }
        match self.gap(subscription, event, after).await {
            Gap::Fills => Err(error),
            Gap::Begins => {
                let consumer = subscription.consumer.name;
                tracing::warn!(
                    consumer, aggregate = %event.aggregate_id, version = event.aggregate_version,
                    "begins with this event: those before it were delivered before it listened"
                );
                metrics::counter!("mercat_events_baseline_total", "consumer" => consumer)
                    .increment(1);
                let passed_over = event.aggregate_version.saturating_sub(1);
                once(subscription, &standing_for(event, passed_over)).await
            }
            Gap::Stays => {
                let text = format!(
                    "events {} to {} of the aggregate never came: this database is older than what \
                     was acknowledged from it",
                    after + 1,
                    event.aggregate_version - event.passed_over - 1
                );
                Ok(self.ward.park(subscription, event, &text).await?)
            }
        }
    }

    /// A consumer that is younger than its publisher, or whose database is from a backup, has not
    /// seen the events before this one.
    async fn gap(&self, subscription: &Subscription, event: &Envelope, after: u64) -> Gap {
        let Some(publisher) = &self.publisher else {
            // A broker keeps the order of a key, so what is missing was there and is gone; unless
            // somebody between reordered, which does not last.
            let env = subscription.executor.env();
            if !self.ward.lacks_for_long(subscription.consumer.name, event, env) {
                return Gap::Fills;
            }
            return if after == 0 { Gap::Begins } else { Gap::Stays };
        };
        // When none of them waits in the outbox any more, they were done with before its time.
        let engine = publisher.store().engine();
        let Ok(first) = engine.outbox_first(event.aggregate_id).await else { return Gap::Fills };
        let earliest = event.aggregate_version - event.passed_over;
        if first.is_some_and(|first| first < earliest) { Gap::Fills } else { Gap::Begins }
    }

    /// The key is parked: this event queues up behind, unless an operator has freed the key.
    async fn behind_parked(
        &self,
        subscription: &Subscription,
        event: &Arc<Envelope>,
    ) -> Result<(), HandleError> {
        if self.queue_up(subscription, event).await? {
            return Ok(());
        }
        self.handle(subscription, event).await
    }

    /// Parks the event when its key is parked, unless it comes again; false when it is not.
    async fn queue_up(
        &self,
        subscription: &Subscription,
        event: &Arc<Envelope>,
    ) -> Result<bool, HandleError> {
        let name = subscription.consumer.name;
        let engine = subscription.executor.store().engine();
        let parked = engine.is_parked(name, event.aggregate_id).await;
        let parked = parked.map_err(HandleError::transient)?;
        if parked && !self.is_behind(subscription, event).await? {
            self.ward.park(subscription, event, "waits behind a parked event").await?;
        }
        Ok(parked)
    }

    /// Whether the consumer has this event behind it: a broker gave it once more.
    async fn is_behind(
        &self,
        subscription: &Subscription,
        event: &Envelope,
    ) -> Result<bool, HandleError> {
        let engine = subscription.executor.store().engine();
        let last = engine.inbox_version(subscription.consumer.name, event.aggregate_id).await;
        Ok(event.aggregate_version <= last.map_err(HandleError::transient)?)
    }
}

/// What is to become of an event whose predecessors were not applied.
enum Gap {
    /// They are on their way.
    Fills,
    /// The consumer begins here.
    Begins,
    /// They are lost to this consumer: an operator has to know.
    Stays,
}

/// How many versions right before the event's are those of `skipped`, which is sorted by version. A
/// broker may give one twice, and one that is missing between them must stay missing.
fn right_before(event: &Envelope, skipped: &[Waiting]) -> u64 {
    let mut first = event.aggregate_version;
    for version in skipped.iter().rev().map(|skipped| skipped.envelope.aggregate_version) {
        if version + 1 == first {
            first = version;
        } else if version + 1 < first {
            break;
        }
    }
    event.aggregate_version - first
}

fn standing_for(event: &Arc<Envelope>, passed_over: u64) -> Arc<Envelope> {
    if passed_over == event.passed_over {
        return event.clone();
    }
    Arc::new(Envelope { passed_over, ..Envelope::clone(event) })
}

/// What an event took from its publisher's decision to the effect is counted; a duplicate, whose
/// effect is older, is counted again.
async fn once(subscription: &Subscription, event: &Envelope) -> Result<(), HandleError> {
    let mut context = context_of(&subscription.executor, event);
    let (span, told) = telemetry::of_event(subscription.consumer.name, event, &mut context);
    let event = told.as_ref().unwrap_or(event);
    take(subscription, &context, event).instrument(span).await?;
    let consumer = &subscription.consumer;
    if consumer.types.contains(&event.event_type.as_str()) {
        let delay = subscription.executor.env().now().since(event.time);
        metrics::histogram!("mercat_event_delay_seconds", "consumer" => consumer.name)
            .record(delay.as_secs_f64());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that stood for a version that is still to come would make it come too late.
    #[test]
    fn an_event_stands_for_the_versions_right_before_it_and_for_none_that_is_missing() {
        let stands_for = |skipped: &[u64], version: u64| {
            let skipped: Vec<Waiting> =
                skipped.iter().map(|version| Waiting::of_a_thing(0, *version)).collect();
            right_before(&Waiting::of_a_thing(0, version).envelope, &skipped)
        };
        assert_eq!(stands_for(&[], 7), 0);
        assert_eq!(stands_for(&[1, 2], 3), 2);
        assert_eq!(stands_for(&[1, 1], 2), 1, "one that came twice is one version");
        assert_eq!(stands_for(&[1, 1], 3), 0, "the second is missing");
        assert_eq!(stands_for(&[1, 3, 3, 4], 5), 2);
        assert_eq!(stands_for(&[2, 3, 3], 3), 1, "it came before, and comes again");
    }
}
