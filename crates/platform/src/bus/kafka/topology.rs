//! Topics: made when they are missing, refused when they are other than expected.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;

use super::settings::KafkaConfig;
use crate::bus::broker::BrokerError;
use crate::env::Env;

const ANSWER: Duration = Duration::from_secs(5);
/// A topic that was just made is not known to every broker at once.
const LOOKS: u32 = 20;

/// The topic of a service's events, with as many partitions as configured.
pub(super) async fn ensure_events(
    env: &Env,
    config: &Arc<KafkaConfig>,
    topic: &str,
) -> Result<(), BrokerError> {
    ensure(env, config, topic, config.partitions).await
}

pub(super) async fn ensure_dead_letters(
    env: &Env,
    config: &Arc<KafkaConfig>,
) -> Result<(), BrokerError> {
    ensure(env, config, &config.dead_letters(), 1).await
}

async fn ensure(
    env: &Env,
    config: &Arc<KafkaConfig>,
    topic: &str,
    partitions: u32,
) -> Result<(), BrokerError> {
    let (env, config, topic) = (env.clone(), config.clone(), topic.to_owned());
    // Half of the client's calls block.
    let handle = Handle::current();
    let work = move || {
        let topic = Topic { env: &env, config: &config, name: &topic };
        handle.block_on(topic.ensure(partitions))
    };
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| Err(BrokerError(format!("kafka: topology: {error}"))))
}

struct Topic<'a> {
    env: &'a Env,
    config: &'a KafkaConfig,
    name: &'a str,
}

impl Topic<'_> {
    async fn ensure(&self, partitions: u32) -> Result<(), BrokerError> {
        let client = self.config.finish(self.config.client());
        let admin: AdminClient<DefaultClientContext> =
            client.create().map_err(|error| self.failed("settings are refused", &error))?;
        // Made first and looked at afterwards: looking first could make it, with other settings.
        let made = self.create(&admin, partitions).await;
        let found = self.look(&admin, made.is_ok()).await?;
        match (found, made) {
            (Some(found), _) if found == partitions => Ok(()),
            (Some(found), _) => Err(BrokerError(format!(
                "kafka at {}: topic {} has {found} partitions, {partitions} are configured; set \
                 the number that the topic was made with, or choose another prefix",
                self.config.brokers, self.name
            ))),
            (None, Err(refusal)) => Err(self.failed("the topic cannot be made", &refusal)),
            (None, Ok(())) => Err(self.failed("the topic was made and is not there", &"no answer")),
        }
    }

    /// Fine when it is there already.
    async fn create(
        &self,
        admin: &AdminClient<DefaultClientContext>,
        partitions: u32,
    ) -> Result<(), String> {
        let copies = self.config.replication.map_or(-1, i32::from);
        let retention = self.config.retention.as_millis().to_string();
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let topic = NewTopic::new(self.name, partitions, TopicReplication::Fixed(copies))
            .set("cleanup.policy", "delete")
            .set("retention.ms", &retention)
            // A publisher's clock may be wrong: the broker would refuse what is of the future, and
            // forget at once what is of the past.
            .set("message.timestamp.type", "LogAppendTime");
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        let answers = admin.create_topics([&topic], &options).await;
        match answers.map_err(|error| error.to_string())?.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
            Some(Err((_, code))) => Err(code.to_string()),
            _ => Ok(()),
        }
    }

    /// How many partitions it has; `None` when it is not there.
    async fn look(
        &self,
        admin: &AdminClient<DefaultClientContext>,
        expected: bool,
    ) -> Result<Option<u32>, BrokerError> {
        for _ in 0..if expected { LOOKS } else { 1 } {
            let metadata = admin.inner().fetch_metadata(Some(self.name), ANSWER);
            let metadata = metadata.map_err(|error| self.unreachable(&error))?;
            let found = metadata.topics().iter().find(|topic| topic.name() == self.name);
            let count = found.map_or(0, |topic| topic.partitions().len());
            if count > 0 {
                return Ok(Some(u32::try_from(count).unwrap_or(u32::MAX)));
            }
            if expected {
                self.env.sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(None)
    }

    fn unreachable(&self, error: &KafkaError) -> BrokerError {
        self.failed("no answer; is it up, and is the address right?", error)
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> BrokerError {
        BrokerError(format!(
            "kafka at {}: topic {}: {what} ({error})",
            self.config.brokers, self.name
        ))
    }
}
