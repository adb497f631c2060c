//! What a consumer reads from; its session does the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::{Notify, mpsc};

use super::link::SharedLink;
use super::session::{OPEN_LIMIT, Session};
use crate::bus::broker::{BrokerError, Inbound, Incoming};

const LAG_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct RabbitMqInbound {
    link: SharedLink,
    queues: Vec<String>,
    /// Bounded by what the server hands out before something is acknowledged.
    incoming: mpsc::UnboundedReceiver<(u64, Incoming)>,
    done: mpsc::UnboundedSender<u64>,
    shared: Arc<Shared>,
}

/// Between a consumer and its session.
pub(super) struct Shared {
    /// It may still have to read what was published before its queues were made.
    pub is_new: AtomicBool,
    /// Which connection counts: what came over one before it will come again.
    pub connection: AtomicU64,
    /// Events that came over it and are not done.
    pub open: AtomicU64,
    /// The first connection reads.
    pub reads: Notify,
}

/// What is published from now on comes from the queues.
pub(super) async fn open(
    link: &SharedLink,
    consumer: &'static str,
    source: &'static str,
) -> Result<RabbitMqInbound, BrokerError> {
    let (deliver, incoming) = mpsc::unbounded_channel();
    let (done, acknowledged) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        is_new: AtomicBool::new(true),
        connection: AtomicU64::new(0),
        open: AtomicU64::new(0),
        reads: Notify::new(),
    });
    let session = Session { link: link.clone(), consumer, source, shared: shared.clone(), deliver };
    link.env.spawn("rabbitmq.session", session.run(acknowledged));
    if link.env.timeout(OPEN_LIMIT, shared.reads.notified()).await.is_none() {
        return Err(link.failed(consumer, &"the queues cannot be read"));
    }
    let partitions = 0..link.config.partitions;
    let queues = partitions.map(|partition| link.config.queue(consumer, source, partition));
    Ok(RabbitMqInbound { link: link.clone(), queues: queues.collect(), incoming, done, shared })
}

#[async_trait]
impl Inbound for RabbitMqInbound {
    async fn next(&mut self) -> Incoming {
        loop {
            match self.incoming.recv().await {
                Some((connection, incoming)) => {
                    if connection == self.shared.connection.load(Ordering::Acquire) {
                        return incoming;
                    }
                }
                // The session lives as long as this does; without it there is nothing to wait for.
                None => std::future::pending().await,
            }
        }
    }

    fn done(&mut self, token: u64) {
        // Without a session there is no connection on which it could mean something.
        let _ = self.done.send(token);
    }

    /// What is ready in the queues, and what is with this process. What is with others the server
    /// does not tell. How much a new consumer begins with neither: it counts as one.
    fn lag(&mut self) -> BoxFuture<'static, Result<u64, BrokerError>> {
        let (link, queues, shared) = (self.link.clone(), self.queues.clone(), self.shared.clone());
        let counted = async move {
            let Some(ready) = link.env.timeout(LAG_LIMIT, ready(&link, &queues)).await else {
                return Err(link.failed("what waits is unknown", &"no answer in time"));
            };
            let unread = u64::from(shared.is_new.load(Ordering::Relaxed));
            Ok(ready? + shared.open.load(Ordering::Relaxed) + unread)
        };
        counted.boxed()
    }
}

/// How many messages of the queues are with nobody.
async fn ready(link: &SharedLink, queues: &[String]) -> Result<u64, BrokerError> {
    let channel = link.channel().await?;
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let mut ready = 0;
    for queue in queues {
        let asked = channel.queue_declare(queue.as_str().into(), options, FieldTable::default());
        let found = asked.await.map_err(|error| link.failed(queue, &error))?;
        ready += u64::from(found.message_count());
    }
    Ok(ready)
}
