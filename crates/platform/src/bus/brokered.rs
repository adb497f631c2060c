//! The bus of a service that runs as a process of its own: what it publishes goes to a broker, what
//! it consumes comes from there.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, OptionFuture};
use kernel::id::Uuid;
use tokio::sync::{OnceCell, watch};

use super::Subscription;
use super::broker::{Broker, BrokerError, Inbound, Incoming, Publisher};
use super::delivery::Delivery;
use super::poison::Ward;
use super::pump::{Delivered, Outlet, Pump};
use super::relay::Relay;
use super::tenure::Tenure;
use crate::env::Env;
use crate::executor::Executor;
use crate::shutdown::Shutdown;
use crate::store::Waiting;

/// A broker that is away is asked again after this, doubled each time, up to [`PAUSES_END`].
const PAUSE: Duration = Duration::from_millis(200);
const PAUSES_END: Duration = Duration::from_secs(5);
/// How often the events that wait for a consumer are counted.
const COUNT: Duration = Duration::from_secs(2);

/// One service's events, to and from a broker.
pub struct BrokeredBus {
    env: Env,
    broker: Arc<dyn Broker>,
    publisher: Executor,
    subscriptions: Vec<Subscription>,
    /// How many of the consumers' sources have not been caught up with since the start.
    behind: watch::Sender<usize>,
}

impl BrokeredBus {
    pub fn new(
        env: Env,
        broker: Arc<dyn Broker>,
        publisher: Executor,
        subscriptions: Vec<Subscription>,
    ) -> Self {
        let sources = subscriptions.iter().map(|s| s.consumer.sources.len()).sum();
        Self { env, broker, publisher, subscriptions, behind: watch::Sender::new(sources) }
    }

    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// Starts the relay and a reader for each source of each consumer. They end at shutdown. None of
    /// them needs a broker that answers: they wait for it, and the outbox keeps what is committed.
    pub fn start(&self, shutdown: &Shutdown) {
        let tenure = Tenure::of(&self.publisher);
        let keep = tenure.clone().keep(self.publisher.clone(), shutdown.clone());
        self.env.spawn("leases", keep);
        let outlet = Publishing {
            service: self.publisher.service(),
            broker: self.broker.clone(),
            publisher: OnceCell::new(),
            tenure: tenure.clone(),
        };
        let relay = Relay::new(self.env.clone(), self.publisher.clone(), Arc::new(outlet), tenure);
        self.env.spawn("relay", relay.run(shutdown.clone()));
        for subscription in &self.subscriptions {
            let ward = Arc::new(Ward::default());
            for source in subscription.consumer.sources {
                let intake = Intake {
                    env: self.env.clone(),
                    broker: self.broker.clone(),
                    subscription: subscription.clone(),
                    source,
                    ward: ward.clone(),
                    behind: Some(self.behind.clone()),
                };
                self.env.spawn("intake", intake.run(shutdown.clone()));
            }
        }
    }

    /// Resolves when each consumer has once handled all that the broker held for it.
    pub async fn caught_up(&self) {
        let mut behind = self.behind.subscribe();
        // The sender lives in `self`.
        let _ = behind.wait_for(|behind| *behind == 0).await;
    }
}

/// An outlet to a broker.
struct Publishing {
    service: &'static str,
    broker: Arc<dyn Broker>,
    publisher: OnceCell<Arc<dyn Publisher>>,
    tenure: Tenure,
}

impl Publishing {
    /// How many of the events the broker holds now, from the first on.
    async fn publish(&self, events: &[Waiting]) -> Result<usize, (usize, BrokerError)> {
        let publisher = self.publisher.get_or_try_init(|| self.broker.publisher(self.service));
        let publisher = publisher.await.map_err(|error| (0, error))?;
        for (at, event) in events.iter().enumerate() {
            // A lease may end while its events are on their way.
            if !self.tenure.holds(event.envelope.aggregate_id) {
                crate::sometimes::reached("a lease ended before its events were published");
                return Ok(at);
            }
            crate::crash::point("relay.publish.before");
            publisher.publish(&event.envelope).await.map_err(|error| (at, error))?;
            crate::crash::point("relay.publish.after");
        }
        Ok(events.len())
    }

    async fn hand_on(self: Arc<Self>, key: Uuid, mut events: Vec<Waiting>) -> Delivered {
        let held = match self.publish(&events).await {
            Ok(held) => held,
            Err((held, error)) => {
                let service = self.service;
                tracing::warn!(%error, service, aggregate = %key, "not published; it is tried again");
                metrics::counter!("mercat_publish_errors_total", "service" => service).increment(1);
                held
            }
        };
        let rest = events.split_off(held);
        let done = events.into_iter().map(|event| event.place).collect();
        let is_lost = !rest.is_empty() && !self.tenure.holds(key);
        Delivered { key, done, rest, is_lost }
    }
}

impl Outlet for Publishing {
    fn is_wanted(&self, _: &str) -> bool {
        true
    }

    fn deliver(self: Arc<Self>, key: Uuid, events: Vec<Waiting>) -> BoxFuture<'static, Delivered> {
        self.hand_on(key, events).boxed()
    }
}

/// From a broker to one consumer.
struct Intake {
    env: Env,
    broker: Arc<dyn Broker>,
    subscription: Subscription,
    source: &'static str,
    ward: Arc<Ward>,
    /// Told once, when nothing waits any more.
    behind: Option<watch::Sender<usize>>,
}

impl Intake {
    async fn run(mut self, shutdown: Shutdown) {
        let delivery = Arc::new(Delivery {
            publisher: None,
            tenure: Tenure::whole(),
            subscriptions: vec![self.subscription.clone()],
            ward: self.ward.clone(),
        });
        tokio::select! {
            biased;
            () = shutdown.stopping() => {}
            () = async {
                delivery.load_parked().await;
                let mut inbound = self.subscribed().await;
                self.pump(inbound.as_mut(), delivery).await;
            } => {}
        }
    }

    async fn subscribed(&self) -> Box<dyn Inbound> {
        let consumer = self.subscription.consumer.name;
        let mut pause = PAUSE;
        let mut told = String::new();
        loop {
            match self.broker.subscribe(consumer, self.source).await {
                Ok(inbound) => return inbound,
                Err(error) => {
                    let source = self.source;
                    // One line for each reason, not one for each try.
                    if error.0 != told {
                        tracing::error!(%error, consumer, source, "not subscribed; it is tried again");
                        told = error.0;
                    }
                    self.env.sleep(pause).await;
                    pause = (pause * 2).min(PAUSES_END);
                }
            }
        }
    }

    async fn pump(&mut self, inbound: &mut dyn Inbound, delivery: Arc<Delivery>) {
        let mut pump = Pump::new(self.env.clone(), delivery);
        let mut count = self.env.timer.sleep(Duration::ZERO);
        let mut counting: Option<BoxFuture<'static, _>> = None;
        loop {
            // A backlog at the broker must not keep what is done from being told.
            tokio::select! {
                biased;
                () = &mut count, if counting.is_none() => {
                    let (env, lag) = (self.env.clone(), inbound.lag());
                    counting = Some(async move { env.timeout(COUNT, lag).await }.boxed());
                }
                Some(lag) = OptionFuture::from(counting.as_mut()) => {
                    counting = None;
                    self.counted(lag, pump.queued() == 0);
                    count = self.env.timer.sleep(COUNT);
                }
                ended = pump.turn() => {
                    crate::crash::point("intake.ack.before");
                    for place in ended.done {
                        inbound.done(place as u64);
                    }
                    crate::crash::point("intake.ack.after");
                }
                incoming = inbound.next(), if pump.has_room() => {
                    let Incoming { token, envelope } = incoming;
                    pump.accept(Waiting { place: token as i64, envelope });
                }
            }
        }
    }

    fn counted(&mut self, lag: Option<Result<u64, BrokerError>>, is_idle: bool) {
        let Some(Ok(lag)) = lag else { return };
        let (consumer, source) = (self.subscription.consumer.name, self.source);
        metrics::gauge!("mercat_consumer_lag_events", "consumer" => consumer, "source" => source)
            .set(lag as f64);
        if lag == 0
            && is_idle
            && let Some(behind) = self.behind.take()
        {
            behind.send_modify(|behind| *behind -= 1);
        }
    }
}
