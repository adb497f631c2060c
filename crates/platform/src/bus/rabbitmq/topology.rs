//! Exchanges and queues: made when they are missing, refused when they are other than expected.
//!
//! Everything is declared, whether it is there or not: the server compares the settings itself. It
//! closes the channel on which it refuses something, so a channel is not used after an error.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use super::link::Link;
use super::mail::long;
use crate::bus::broker::BrokerError;

const ANSWER: Duration = Duration::from_secs(20);
/// Of the log's files: whole ones are deleted when they are too old.
const SEGMENT_BYTES: i64 = 64 << 20;
/// Newer servers put a message aside that came back 20 times; how often one is tried is not for
/// them to say.
const DELIVERY_LIMIT: i64 = 1_000_000;

/// What publishing needs: the exchange of the service, and its log.
pub(super) async fn ensure_source(
    link: &Link,
    channel: &Channel,
    service: &str,
) -> Result<(), BrokerError> {
    limited(link, declare_source(link, channel, service)).await
}

/// What reading needs beyond that: dead letters, and the queues.
pub(super) async fn ensure_consumer(
    link: &Link,
    channel: &Channel,
    consumer: &str,
    source: &str,
) -> Result<(), BrokerError> {
    let declaring = async {
        declare_source(link, channel, source).await?;
        declare_dead_letters(link, channel).await?;
        let exchange = link.config.exchange(source);
        for partition in 0..link.config.partitions {
            let queue = link.config.queue(consumer, source, partition);
            let mut settings = quorum();
            settings.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
            settings.insert("x-dead-letter-exchange".into(), long(&link.config.dead_letters()));
            settings.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
            declare_queue(link, channel, &queue, settings).await?;
            bind(link, channel, &queue, &exchange, &partition.to_string()).await?;
        }
        let mut one = FieldTable::default();
        one.insert("x-max-length".into(), AMQPValue::LongLongInt(1));
        declare_queue(link, channel, &link.config.began(consumer, source), one).await?;
        let members = link.config.members(consumer, source);
        declare_queue(link, channel, &members, FieldTable::default()).await
    };
    limited(link, declaring).await
}

async fn limited(
    link: &Link,
    declaring: impl Future<Output = Result<(), BrokerError>>,
) -> Result<(), BrokerError> {
    let outcome = link.env.timeout(ANSWER, declaring).await;
    outcome.unwrap_or_else(|| Err(link.failed("topology", &"no answer in time")))
}

async fn declare_source(link: &Link, channel: &Channel, service: &str) -> Result<(), BrokerError> {
    let (config, exchange) = (&link.config, link.config.exchange(service));
    let mut settings = FieldTable::default();
    // Of an exchange's settings this is the only one that the server compares. It names no exchange
    // that exists, and nothing ever goes there, because the log takes every partition.
    let count = format!("{exchange}.partitions-{}", config.partitions);
    settings.insert("alternate-exchange".into(), long(&count));
    declare_exchange(link, channel, &exchange, ExchangeKind::Direct, settings).await?;
    let log = config.log(service);
    let mut settings = FieldTable::default();
    settings.insert("x-queue-type".into(), long("stream"));
    settings.insert("x-max-age".into(), long(&format!("{}s", config.log_age.as_secs())));
    let bytes = i64::try_from(config.log_bytes).unwrap_or(i64::MAX);
    settings.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(bytes));
    let segment = AMQPValue::LongLongInt(SEGMENT_BYTES);
    settings.insert("x-stream-max-segment-size-bytes".into(), segment);
    declare_queue(link, channel, &log, settings).await?;
    for partition in 0..config.partitions {
        bind(link, channel, &log, &exchange, &partition.to_string()).await?;
    }
    Ok(())
}

async fn declare_dead_letters(link: &Link, channel: &Channel) -> Result<(), BrokerError> {
    let name = link.config.dead_letters();
    declare_exchange(link, channel, &name, ExchangeKind::Fanout, FieldTable::default()).await?;
    declare_queue(link, channel, &name, quorum()).await?;
    bind(link, channel, &name, &name, "").await
}

fn quorum() -> FieldTable {
    let mut settings = FieldTable::default();
    settings.insert("x-queue-type".into(), long("quorum"));
    settings
}

async fn declare_exchange(
    link: &Link,
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    settings: FieldTable,
) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let declared = channel.exchange_declare(name.into(), kind, options, settings).await;
    declared.map_err(|error| refused(link, name, &error))
}

async fn declare_queue(
    link: &Link,
    channel: &Channel,
    name: &str,
    settings: FieldTable,
) -> Result<(), BrokerError> {
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    let declared = channel.queue_declare(name.into(), options, settings).await;
    declared.map(|_| ()).map_err(|error| refused(link, name, &error))
}

async fn bind(
    link: &Link,
    channel: &Channel,
    queue: &str,
    exchange: &str,
    key: &str,
) -> Result<(), BrokerError> {
    let options = QueueBindOptions::default();
    let settings = FieldTable::default();
    let bound = channel.queue_bind(queue.into(), exchange.into(), key.into(), options, settings);
    bound.await.map_err(|error| refused(link, queue, &error))
}

/// The server's text names what it was given and what it has.
fn refused(link: &Link, name: &str, error: &lapin::Error) -> BrokerError {
    let text = error.to_string();
    let partitions = link.config.partitions;
    if let Some(found) = other_count(&text, partitions) {
        return link.failed(name, &format!(
            "the exchange was made for {found} partitions, {partitions} are configured; set the \
             number that it was made with, or choose another prefix"
        ));
    }
    link.failed(name, &format!("{text}; if it was made by somebody else, choose another prefix"))
}

/// The number of partitions in the server's text that is not ours.
fn other_count(text: &str, ours: u32) -> Option<u32> {
    let counts = text.split("partitions-").skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    });
    counts.into_iter().find(|count| *count != ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_that_is_not_ours_is_found_wherever_it_stands() {
        let text =
            "inequivalent arg: received 'a.b.partitions-7' but current is 'a.b.partitions-16'";
        assert_eq!(other_count(text, 7), Some(16));
        assert_eq!(other_count(text, 16), Some(7));
        assert_eq!(other_count("no route", 7), None);
    }
}
