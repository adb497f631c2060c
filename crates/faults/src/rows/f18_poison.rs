//! F18: messages that no consumer can digest. Only their keys are parked; everything else goes on.
//! An operator looks at them, tries them again, and gives them up.

use std::time::Duration;

use http::Method;
use kernel::id::Uuid;
use platform::bus::kafka::{Kafka, KafkaConfig};
use platform::event::Envelope;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use testkit::{Client, until_within};

use super::f18_panicking;
use super::weather::Context;
use crate::fleet::{BrokerKind, Fleet};
use crate::report::RowReport;

const SOURCE: &str = "ordering";
const KNOWN: &str = "mercat.ordering.OrderConfirmed.v1";
const NEWER: &str = "mercat.ordering.OrderConfirmed.v99";
const STRANGE: &str = "mercat.ordering.OrderExploded.v1";
const PATIENCE: Duration = Duration::from_mins(2);
const EACH: usize = 3;

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let report = context
        .weather(&load, async |report| {
            let fleet = load.house.fleet();
            let poisoned = poison(context, fleet).await?;
            report.runs = (3 * EACH + poisoned.len()) as u64;
            load.purchases_go_on(10, "there was poison").await;
            let parked = parked_are(fleet, &poisoned).await?;
            report.note(format!(
                "{} keys were parked, by {} consumers",
                poisoned.len(),
                parked.len() / poisoned.len()
            ));
            free(fleet, &parked).await?;
            load.purchases_go_on(3, "the poison was given up").await;
            if context.settings.has_bugs() {
                f18_panicking::run(context, &load).await?;
                report.runs += 1;
                report.note("a handler panicked: its key was parked, and replayed afterwards");
            } else {
                report.note("no handler panicked: this program makes no mistakes on purpose");
            }
            Ok(())
        })
        .await;
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}

/// Messages that are no events, events of a type that nobody knows, and events that hold nonsense.
/// Answers the aggregates that have to be parked.
async fn poison(context: &Context, fleet: &Fleet) -> Result<Vec<Uuid>, String> {
    let address = BrokerKind::Kafka.address()?;
    let mut config = ClientConfig::new();
    let producer: BaseProducer =
        config.set("bootstrap.servers", &address).create().map_err(|error| error.to_string())?;
    let topic = format!("{}.{SOURCE}.events", fleet.prefix());
    for nth in 0..EACH {
        let payload = vec![0xff; 1 + nth * 1_000];
        let record = BaseRecord::<[u8], [u8]>::to(&topic).payload(&payload);
        let sent = producer.send(record.partition(nth as i32));
        sent.map_err(|(error, _)| error.to_string())?;
    }
    tokio::task::block_in_place(|| producer.flush(PATIENCE)).map_err(|error| error.to_string())?;
    let broker = Kafka::new(&context.env, KafkaConfig::new(address, fleet.prefix()));
    let failed = |error: platform::bus::broker::BrokerError| error.to_string();
    let publisher = broker.map_err(failed)?.publisher(SOURCE).await.map_err(failed)?;
    let mut poisoned = Vec::new();
    for nth in 0..EACH {
        // No protobuf at all, and one that says nothing.
        for data in [vec![0xff; 9 + nth], Vec::new()] {
            let event = event(context, KNOWN, data);
            publisher.publish(&event).await.map_err(failed)?;
            poisoned.push(event.aggregate_id);
        }
        for strange in [NEWER, STRANGE] {
            publisher.publish(&event(context, strange, vec![8, 1])).await.map_err(failed)?;
        }
    }
    Ok(poisoned)
}

fn event(context: &Context, event_type: &str, data: Vec<u8>) -> Envelope {
    let env = &context.env;
    Envelope {
        id: env.uuid(),
        event_type: event_type.to_owned(),
        source: SOURCE.to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: env.uuid(),
        aggregate_version: 1,
        time: env.now(),
        correlation: "poison".into(),
        causation: None,
        traceparent: None,
        data,
        passed_over: 0,
    }
}

/// Where something is parked: the internal address of a process, the consumer, the event.
pub(super) struct Parked {
    at: Client,
    consumer: String,
    pub event: Value,
}

/// Each poisoned key at each consumer that takes such events, and no other key anywhere.
async fn parked_are(fleet: &Fleet, poisoned: &[Uuid]) -> Result<Vec<Parked>, String> {
    let expected: Vec<String> = poisoned.iter().map(ToString::to_string).collect();
    let found = until_within(PATIENCE, "the poison is parked", async || {
        let found = parked(fleet).await?;
        let consumers: Vec<&str> = found.iter().map(|parked| &*parked.consumer).collect();
        let all = consumers.iter().all(|consumer| {
            let of = consumers.iter().filter(|other| *other == consumer);
            of.count() >= expected.len()
        });
        (all && !found.is_empty()).then_some(found)
    })
    .await;
    let aggregate = |parked: &Parked| parked.event["aggregate_id"].as_str().map(str::to_owned);
    let strangers: Vec<_> =
        found.iter().filter_map(aggregate).filter(|id| !expected.contains(id)).collect();
    if strangers.is_empty() { Ok(found) } else { Err(format!("parked, too: {strangers:?}")) }
}

/// What is parked at the first process of each service.
pub(super) async fn parked(fleet: &Fleet) -> Option<Vec<Parked>> {
    let mut found = Vec::new();
    let firsts = fleet.places.iter().filter(|place| place.name.ends_with("-1"));
    for place in firsts.filter(|place| place.service != "gateway") {
        let at = Client::new(format!("http://{}", place.internal));
        let reply = at.request(Method::GET, "/events/parked").try_send().await.ok()?;
        for row in reply.body.as_array()? {
            let consumer = row["consumer"].as_str()?.to_owned();
            found.push(Parked { at: at.clone(), consumer, event: row["event"].clone() });
        }
    }
    Some(found)
}

/// Trying again does not help, so they are given up.
async fn free(fleet: &Fleet, parked_now: &[Parked]) -> Result<(), String> {
    for Parked { at, consumer, event } in parked_now {
        let again = json!({ "consumer": consumer, "aggregate": event["aggregate_id"] });
        let reply = at.post("/events/replay", &again).await;
        if reply.body["handled"] != 0 || reply.body["error"].is_null() {
            return Err(format!("poison was digested: {reply}"));
        }
        let give_up = json!({ "consumer": consumer, "event": event["id"] });
        let reply = at.post("/events/skip", &give_up).await;
        if !reply.status.is_success() {
            return Err(format!("poison was not given up: {reply}"));
        }
    }
    let none = until_within(PATIENCE, "nothing is parked", async || {
        parked(fleet).await.filter(Vec::is_empty)
    });
    none.await;
    Ok(())
}
