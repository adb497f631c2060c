//! The thread that is a member of a consumer group.
//!
//! It polls all the time, also when nobody takes what came: then partitions are paused, so that the
//! member stays in its group and memory does not grow. Offsets are stored here and nowhere else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use tokio::sync::mpsc;

use super::client::{Outage, Told};
use super::inbound::Shared;
use super::mail::{self, Mail};
use super::settings::KafkaConfig;
use crate::bus::broker::BrokerError;

/// How soon a request or an end is noticed while nothing comes.
const POLL: Duration = Duration::from_millis(100);
/// A consumer that is only a little slow is waited for: a pause throws away what was fetched.
const PATIENCE: Duration = Duration::from_millis(500);
const ANSWER: Duration = Duration::from_secs(3);
const AFTER_BREAK: Duration = Duration::from_secs(1);

/// What a member reads, and for whom.
pub(super) struct Post {
    pub topic: String,
    pub group: String,
    pub consumer: &'static str,
    pub config: Arc<KafkaConfig>,
    pub outage: Arc<Outage>,
}

pub(super) struct Member {
    post: Arc<Post>,
    shared: Arc<Shared>,
    dead: mpsc::UnboundedSender<(u64, Mail)>,
    client: Arc<Client>,
    /// Asks how much waits, now or lately.
    counting: Option<JoinHandle<()>>,
}

type Client = BaseConsumer<Watch>;

/// Why a member stopped polling.
enum End {
    Closed,
    /// The client can do nothing more and has to be made again.
    Broken,
}

impl Member {
    pub(super) fn join(
        post: Post,
        shared: Arc<Shared>,
        dead: mpsc::UnboundedSender<(u64, Mail)>,
    ) -> Result<Self, BrokerError> {
        let post = Arc::new(post);
        let client = Arc::new(make(&post, &shared)?);
        Ok(Self { post, shared, dead, client, counting: None })
    }

    /// Until the consumer is dropped. Leaves the group with all that is done committed.
    pub(super) fn run(mut self) {
        while let End::Broken = self.serve() {
            self.shared.forget(0..i32::try_from(self.post.config.partitions).unwrap_or(i32::MAX));
            match make(&self.post, &self.shared) {
                Ok(client) => self.client = Arc::new(client),
                Err(error) => tracing::error!(%error, "kafka: a member cannot come back yet"),
            }
            std::thread::park_timeout(AFTER_BREAK);
        }
        let Self { post, shared, client, counting, .. } = self;
        store(&client, &post.topic, &shared);
        // The client leaves with its last owner.
        counting.map(JoinHandle::join);
        drop(client);
        shared.leave();
    }

    fn serve(&mut self) -> End {
        loop {
            let paused = self.shared.is_paused();
            let has_room =
                self.shared.wait_for_room(if paused { Duration::ZERO } else { PATIENCE });
            if self.shared.lock().closing {
                return End::Closed;
            }
            if has_room == paused {
                self.pause(!has_room);
            }
            match self.client.poll(POLL) {
                Some(Ok(message)) => self.take(&message),
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    tracing::warn!(%code, group = self.post.group, "kafka: a member is made again");
                    return End::Broken;
                }
                Some(Err(error)) => self.post.outage.complain(&error, "polling"),
                None => {}
            }
            store(&self.client, &self.post.topic, &self.shared);
            self.count();
        }
    }

    fn take(&self, message: &BorrowedMessage<'_>) {
        self.post.outage.works();
        let (partition, offset) = (message.partition(), message.offset());
        match mail::read(message) {
            Ok(envelope) => self.shared.put(partition, offset, envelope),
            Err(malformed) => {
                let (topic, consumer) = (self.post.topic.as_str(), self.post.consumer);
                tracing::error!(topic, partition, offset, consumer, %malformed, "not an event");
                metrics::counter!("mercat_events_malformed_total", "consumer" => consumer)
                    .increment(1);
                let token = self.shared.lock().ledger.begin(partition, offset);
                let topic = self.post.config.dead_letters();
                let letter = mail::of_dead_letter(message, topic, consumer, &malformed.to_string());
                // Its reader lives as long as this thread.
                let _ = self.dead.send((token, letter));
            }
        }
    }

    fn pause(&self, pause: bool) {
        self.shared.paused.store(pause, Ordering::Relaxed);
        let outcome = self.client.assignment().and_then(|partitions| {
            if pause { self.client.pause(&partitions) } else { self.client.resume(&partitions) }
        });
        if let Err(error) = outcome {
            self.post.outage.complain(&error, "pausing");
        }
    }

    /// Answers whoever asked how much waits. On another thread: Kafka answers on a connection where
    /// it first answers what is fetched there, perhaps after half a second without an event, and
    /// meanwhile those that come are not to wait.
    fn count(&mut self) {
        if self.counting.as_ref().is_some_and(|counting| !counting.is_finished()) {
            return;
        }
        let asked = std::mem::take(&mut self.shared.lock().lag);
        if asked.is_empty() {
            return;
        }
        let (client, post) = (self.client.clone(), self.post.clone());
        let counting = std::thread::Builder::new().name("kafka-lag".to_owned()).spawn(move || {
            let lag = Counting { client: &client, post: &post }.lag().map_err(|error| {
                let (brokers, group) = (&post.config.brokers, &post.group);
                let unknown = format!("what waits for {group} is unknown: {error}");
                BrokerError(format!("kafka at {brokers}: {unknown}"))
            });
            for asked in asked {
                let _ = asked.send(lag.clone());
            }
        });
        // Without a thread whoever asked learns that there is no answer.
        self.counting = counting.ok();
    }
}

struct Counting<'a> {
    client: &'a Client,
    post: &'a Post,
}

impl Counting<'_> {
    /// The ends of all partitions less what the group has committed, whoever reads them.
    fn lag(&self) -> KafkaResult<u64> {
        let committed = self.client.committed_offsets(self.partitions(), ANSWER)?;
        let ends = self.offsets(Offset::End)?;
        let unknown = committed.elements().iter().any(|place| raw(place.offset()).is_none());
        let begins = if unknown { Some(self.offsets(Offset::Beginning)?) } else { None };
        let mut lag = 0;
        for end in ends.elements() {
            let place = |list: &TopicPartitionList| {
                list.find_partition(end.topic(), end.partition()).and_then(|at| raw(at.offset()))
            };
            let from = place(&committed).or_else(|| place(begins.as_ref()?));
            if let (Some(from), Some(end)) = (from, raw(end.offset())) {
                lag += u64::try_from(end - from).unwrap_or(0);
            }
        }
        Ok(lag)
    }

    fn offsets(&self, which: Offset) -> KafkaResult<TopicPartitionList> {
        let mut list = self.partitions();
        list.set_all_offsets(which)?;
        self.client.offsets_for_times(list, ANSWER)
    }

    fn partitions(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        let last = i32::try_from(self.post.config.partitions).unwrap_or(i32::MAX) - 1;
        list.add_partition_range(&self.post.topic, 0, last);
        list
    }
}

fn raw(offset: Offset) -> Option<i64> {
    match offset {
        Offset::Offset(at) => Some(at),
        _ => None,
    }
}

fn make(post: &Arc<Post>, shared: &Arc<Shared>) -> Result<Client, BrokerError> {
    let watch =
        Watch { told: Told(post.outage.clone()), post: post.clone(), shared: shared.clone() };
    let failed = |error: KafkaError| {
        BrokerError(format!("kafka: group {} cannot be joined: {error}", post.group))
    };
    let config = post.config.member(&post.group);
    let client = Client::from_config_and_context(&config, watch).map_err(failed)?;
    client.subscribe(&[&post.topic]).map_err(failed)?;
    Ok(client)
}

/// Tells the client how far each partition is done. It commits that by itself, soon.
fn store(client: &Client, topic: &str, shared: &Shared) {
    let ready = shared.lock().ledger.take_ready();
    for (partition, offset) in ready {
        let mut list = TopicPartitionList::new();
        let stored = list
            .add_partition_offset(topic, partition, Offset::Offset(offset))
            .and_then(|()| client.store_offsets(&list));
        if let Err(error) = stored {
            // The partition has just gone to another member, who reads this part again.
            tracing::debug!(topic, partition, offset, %error, "an offset was not stored");
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(TopicPartitionListElem::partition).collect()
}

/// Watches partitions come and go. Runs on the member's thread, inside its polling.
struct Watch {
    told: Told,
    post: Arc<Post>,
    shared: Arc<Shared>,
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.told.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.told.error(error, reason);
    }
}

impl ConsumerContext for Watch {
    /// The client commits what is stored before it lets a partition go.
    fn pre_rebalance(&self, client: &Client, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else { return };
        store(client, &self.post.topic, &self.shared);
        let gone = numbers(partitions);
        tracing::info!(group = self.post.group, partitions = ?gone, "partitions go to others");
        self.shared.forget(gone.into_iter());
    }

    fn post_rebalance(&self, client: &Client, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        if partitions.count() == 0 {
            return;
        }
        self.post.outage.works();
        let came = numbers(partitions);
        tracing::info!(group = self.post.group, partitions = ?came, "partitions are read here");
        if self.shared.is_paused()
            && let Err(error) = client.pause(partitions)
        {
            self.post.outage.complain(&error, "pausing");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        match result {
            Ok(()) => self.post.outage.works(),
            Err(error) => tracing::debug!(group = self.post.group, %error, "a commit failed"),
        }
    }
}
