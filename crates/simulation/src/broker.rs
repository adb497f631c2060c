//! A broker that is late, loses answers, gives the same event again, and one before another.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use platform::bus::broker::{Broker, BrokerError, Inbound, Incoming, Publisher};
use platform::bus::memory::MemoryBroker;
use platform::env::BoxFuture;
use platform::event::Envelope;

use crate::core::Core;
use crate::fault::Fault;

const SLOW: Duration = Duration::from_secs(4);
const USUAL: Duration = Duration::from_millis(3);
/// So long an event waits to be overtaken: much less than a consumer waits for what it lacks.
const HELD: Duration = Duration::from_millis(200);

/// The broker as the processes see it.
#[derive(Clone)]
pub struct SimBroker {
    pub core: Core,
    pub inner: MemoryBroker,
}

#[async_trait]
impl Broker for SimBroker {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        let inner = self.inner.publisher(service).await?;
        Ok(Arc::new(SimPublisher { core: self.core.clone(), inner }))
    }

    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError> {
        let inner = self.inner.subscribe(consumer, source).await?;
        let (core, again) = (self.core.clone(), VecDeque::new());
        Ok(Box::new(SimInbound { core, inner, again, pause: None, held: None }))
    }
}

struct SimPublisher {
    core: Core,
    inner: Arc<dyn Publisher>,
}

#[async_trait]
impl Publisher for SimPublisher {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        let pause = self.core.draw(|chance| chance.pause(USUAL));
        self.core.sleep(pause).await;
        if self.core.strikes(Fault::PublishFails) {
            return Err(BrokerError("simulated: not published".to_owned()));
        }
        self.inner.publish(event).await?;
        let pause = self.core.draw(|chance| chance.pause(USUAL));
        self.core.sleep(pause).await;
        if self.core.strikes(Fault::PublishUnknown) {
            return Err(BrokerError("simulated: no confirmation came".to_owned()));
        }
        Ok(())
    }
}

struct SimInbound {
    core: Core,
    inner: Box<dyn Inbound>,
    again: VecDeque<Incoming>,
    /// Kept here, because whoever waits for the next event may stop waiting and ask anew.
    pause: Option<BoxFuture<()>>,
    /// Given after the one behind it, or when the time is over.
    held: Option<(Incoming, BoxFuture<()>)>,
}

impl SimInbound {
    fn given(&mut self, incoming: Incoming) -> Incoming {
        if self.core.strikes(Fault::Duplicate) {
            self.again.push_back(incoming.clone());
        }
        if self.core.strikes(Fault::SlowDelivery) {
            let pause = self.core.draw(|chance| chance.pause(SLOW));
            self.pause = Some(Box::pin(self.core.sleep(pause)));
        }
        incoming
    }
}

#[async_trait]
impl Inbound for SimInbound {
    async fn next(&mut self) -> Incoming {
        if let Some(pause) = &mut self.pause {
            pause.as_mut().await;
            self.pause = None;
        }
        if let Some(incoming) = self.again.pop_front() {
            return self.given(incoming);
        }
        if self.held.is_none() {
            let incoming = self.inner.next().await;
            if !self.core.strikes(Fault::Overtaken) {
                return self.given(incoming);
            }
            self.held = Some((incoming, Box::pin(self.core.sleep(HELD))));
        }
        let overtaking = match &mut self.held {
            Some((_, time)) => tokio::select! {
                biased;
                incoming = self.inner.next() => Some(incoming),
                () = time.as_mut() => None,
            },
            None => None,
        };
        if let Some((held, _)) = self.held.take() {
            self.again.push_front(held);
        }
        match overtaking {
            Some(incoming) => incoming,
            None => self.next().await,
        }
    }

    fn done(&mut self, token: u64) {
        self.inner.done(token);
    }

    fn lag(&mut self) -> BoxFuture<Result<u64, BrokerError>> {
        self.inner.lag()
    }
}
