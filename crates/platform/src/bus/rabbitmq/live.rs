//! A connection over which a consumer reads.
//!
//! A new consumer reads the log first, up to a message of its own that it writes there once its
//! queues take what is published; then the queues. What is in both is taken from the log, and dropped
//! when it comes from its queue: the log is read again until all that came from it is done.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{SelectAll, once};
use futures_util::{Stream, StreamExt as _};
use kernel::id::Uuid;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Acker, Channel, Connection};
use tokio::sync::mpsc;

use super::beginning::Beginning;
use super::link::Link;
use super::session::Session;
use super::{mail, outlet, topology};
use crate::bus::broker::{BrokerError, Incoming};
use crate::event::Envelope;
use crate::recent::Recent;

/// How often a process looks whether others have joined.
const LOOK: Duration = Duration::from_secs(2);
/// Of events from the log that are remembered. What is in the log and in a queue was published while
/// the consumer joined, so it is among the last.
const REMEMBERED: usize = 1 << 17;
/// Of anything that is asked of the server.
const ANSWER: Duration = Duration::from_secs(5);
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

pub(super) enum Ended {
    /// The consumer was dropped.
    Dropped,
    Lost(BrokerError),
}

pub(super) struct Live<'a> {
    pub session: &'a Session,
    /// Which of the session's connections this is.
    number: u64,
    pub connection: Connection,
    /// On which the queues are read.
    pub reading: Channel,
    /// On which dead letters and the mark in the log are written, with confirmations.
    pub writing: Channel,
    readers: SelectAll<Reader>,
    /// The consumer's tag of each queue that is read. Another one is another reader to the server.
    pub tags: HashMap<u32, String>,
    open: HashMap<u64, Open>,
    last_token: u64,
    pub beginning: Option<Beginning>,
    /// Which events came from the log.
    from_log: Recent<Uuid, ()>,
    pub members: u32,
}

type Reader = Pin<Box<dyn Stream<Item = Came> + Send + Sync>>;

/// What there is to do.
enum Turn {
    Done(u64),
    Came(Option<Box<Came>>),
    Look,
}

/// A message, an error, or the end of one reader.
type Came = (From, Option<lapin::Result<Delivery>>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum From {
    Log,
    /// By its partition and the reader's tag.
    Queue(u32, String),
    /// Where nothing is ever sent; each process listens there to be counted.
    Presence,
}

struct Open {
    acker: Acker,
    of_log: bool,
}

impl<'a> Live<'a> {
    pub(super) async fn open(session: &'a Session, number: u64) -> Result<Self, BrokerError> {
        let link = &session.link;
        let connection = link.connect(session.consumer).await?;
        let channel = async || {
            let made = connection.create_channel().await;
            made.map_err(|error| link.failed("no channel", &error))
        };
        let (reading, writing) = (channel().await?, channel().await?);
        topology::ensure_consumer(link, &reading, session.consumer, session.source).await?;
        outlet::confirm(link, &writing).await?;
        let qos = reading.basic_qos(link.config.prefetch, BasicQosOptions::default()).await;
        qos.map_err(|error| link.failed("prefetch", &error))?;
        let mut live = Self {
            session,
            number,
            connection,
            reading,
            writing,
            readers: SelectAll::new(),
            tags: HashMap::new(),
            open: HashMap::new(),
            last_token: number << 40,
            beginning: None,
            from_log: Recent::new(REMEMBERED),
            members: 1,
        };
        if live.began().await? {
            session.shared.is_new.store(false, Ordering::Relaxed);
            live.read_queues().await?;
            live.be_counted().await?;
        } else {
            live.begin().await?;
        }
        Ok(live)
    }

    pub(super) async fn run(&mut self, done: &mut mpsc::UnboundedReceiver<u64>) -> Ended {
        let env = self.session.link.env.clone();
        let mut look = env.timer.sleep(LOOK);
        loop {
            let turn = tokio::select! {
                biased;
                () = &mut look => {
                    look = env.timer.sleep(LOOK);
                    Turn::Look
                }
                token = done.recv() => match token {
                    Some(token) => Turn::Done(token),
                    None => return Ended::Dropped,
                },
                came = self.readers.next() => Turn::Came(came.map(Box::new)),
            };
            // A call on a connection that breaks meanwhile may never be answered.
            match env.timeout(ANSWER, self.turn(turn)).await {
                Some(Ok(())) => {}
                Some(Err(error)) => return Ended::Lost(error),
                None => return Ended::Lost(self.lost(&"no answer in time")),
            }
        }
    }

    async fn turn(&mut self, turn: Turn) -> Result<(), BrokerError> {
        match turn {
            Turn::Done(token) => self.acknowledge(token).await,
            Turn::Came(Some(came)) => self.take(*came).await,
            Turn::Came(None) => Err(self.lost(&"nothing is read any more")),
            Turn::Look if !self.connection.status().connected() => {
                Err(self.lost(&"the connection is gone"))
            }
            Turn::Look => self.share().await,
        }
    }

    /// What is not acknowledged goes to the next reader.
    pub(super) async fn close(self) {
        let closing = self.connection.close(200, "the consumer leaves".into());
        if let Some(Err(error)) = self.session.link.env.timeout(CLOSE_LIMIT, closing).await {
            tracing::debug!(%error, "a connection was not closed in order");
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.session.link
    }

    pub(super) fn lost(&self, error: &dyn std::fmt::Display) -> BrokerError {
        self.link().failed(self.session.consumer, error)
    }

    pub(super) async fn look_at(&self, queue: &str) -> Result<lapin::Queue, BrokerError> {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let asked = self.reading.queue_declare(queue.into(), options, FieldTable::default()).await;
        asked.map_err(|error| self.link().failed(queue, &error))
    }

    pub(super) async fn read_queues(&mut self) -> Result<(), BrokerError> {
        for partition in 0..self.link().config.partitions {
            self.read_queue(partition).await?;
        }
        Ok(())
    }

    pub(super) async fn read_queue(&mut self, partition: u32) -> Result<(), BrokerError> {
        let Session { consumer, source, .. } = self.session;
        let queue = self.link().config.queue(consumer, source, partition);
        let tag = self.link().env.uuid().to_string();
        self.tags.insert(partition, tag.clone());
        let channel = self.reading.clone();
        self.read(&channel, &queue, From::Queue(partition, tag), FieldTable::default()).await
    }

    pub(super) async fn read(
        &mut self,
        channel: &Channel,
        queue: &str,
        from: From,
        settings: FieldTable,
    ) -> Result<(), BrokerError> {
        let tag = match &from {
            From::Queue(_, tag) => tag.as_str(),
            From::Log | From::Presence => "",
        };
        let options = BasicConsumeOptions::default();
        let reader = channel.basic_consume(queue.into(), tag.into(), options, settings).await;
        let reader = reader.map_err(|error| self.link().failed(queue, &error))?;
        let ended = once(std::future::ready(None));
        let came = reader.map(Some).chain(ended).map(move |came| (from.clone(), came));
        self.readers.push(Box::pin(came));
        Ok(())
    }

    async fn take(&mut self, (from, came): Came) -> Result<(), BrokerError> {
        let delivery = match came {
            Some(Ok(delivery)) => delivery,
            // Its channel was closed, or the reader cancelled, by us.
            Some(Err(_)) | None if self.is_expected_to_end(&from) => return Ok(()),
            Some(Err(error)) => return Err(self.lost(&error)),
            None => return Err(self.lost(&"the server cancelled a reader")),
        };
        if from == From::Log {
            if self.beginning.as_ref().is_none_or(|beginning| beginning.read) {
                // What is behind the mark comes from the queues.
                return Ok(());
            }
            if self.ends_beginning(&delivery).await? {
                return Ok(());
            }
        }
        match mail::read(&delivery) {
            Ok(event) => self.hand_over(event, delivery.acker, from == From::Log).await,
            Err(malformed) => self.bury(delivery, &malformed.to_string()).await,
        }
    }

    async fn hand_over(
        &mut self,
        event: Envelope,
        acker: Acker,
        of_log: bool,
    ) -> Result<(), BrokerError> {
        if !of_log && self.from_log.remove(&event.id).is_some() {
            return self.acknowledge_by(&acker).await;
        }
        if let (true, Some(beginning)) = (of_log, &mut self.beginning) {
            beginning.open += 1;
            self.from_log.put(event.id, ());
        }
        self.last_token += 1;
        self.open.insert(self.last_token, Open { acker, of_log });
        self.count();
        let incoming = Incoming { token: self.last_token, envelope: Arc::new(event) };
        // Nobody takes it when the consumer is dropped; then it goes to the next reader.
        let _ = self.session.deliver.send((self.number, incoming));
        Ok(())
    }

    fn is_expected_to_end(&self, from: &From) -> bool {
        match from {
            From::Log => self.beginning.is_none(),
            From::Queue(partition, tag) => self.tags.get(partition) != Some(tag),
            From::Presence => false,
        }
    }

    async fn acknowledge(&mut self, token: u64) -> Result<(), BrokerError> {
        let Some(open) = self.open.remove(&token) else { return Ok(()) };
        self.count();
        self.acknowledge_by(&open.acker).await?;
        if let (true, Some(beginning)) = (open.of_log, &mut self.beginning) {
            beginning.open -= 1;
            self.end_beginning().await?;
        }
        Ok(())
    }

    pub(super) async fn acknowledge_by(&self, acker: &Acker) -> Result<(), BrokerError> {
        let acknowledged = acker.ack(BasicAckOptions::default()).await;
        acknowledged.map(|_| ()).map_err(|error| self.lost(&error))
    }

    fn count(&self) {
        self.session.shared.open.store(self.open.len() as u64, Ordering::Relaxed);
    }

    /// It is acknowledged when it stands among the dead letters.
    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), BrokerError> {
        let consumer = self.session.consumer;
        let (exchange, partition) = (&delivery.exchange, &delivery.routing_key);
        tracing::error!(%exchange, %partition, consumer, reason, "not an event");
        metrics::counter!("mercat_events_malformed_total", "consumer" => consumer).increment(1);
        let letter = mail::of_dead_letter(&delivery, consumer, reason);
        let name = self.link().config.dead_letters();
        outlet::send(self.link(), &self.writing, &name, "", &delivery.data, letter).await?;
        self.acknowledge_by(&delivery.acker).await
    }
}
