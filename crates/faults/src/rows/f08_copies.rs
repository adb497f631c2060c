//! F8: half of all events come a second time, some of them much later than what followed them. Each
//! has its effect once.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, select};
use platform::bus::broker::{Broker, BrokerError};
use platform::bus::kafka::{Kafka, KafkaConfig};
use platform::bus::rabbitmq::{RabbitMq, RabbitMqConfig};
use platform::event::Envelope;

use super::weather::Context;
use crate::fleet::BrokerKind;
use crate::load::Load;
use crate::report::RowReport;

const SOURCES: [&str; 5] = ["identity", "catalog", "inventory", "ordering", "payment"];
/// A copy is one of the last so many.
const WINDOW: usize = 100;

pub async fn run(context: &mut Context) -> RowReport {
    let mut report = on(context, BrokerKind::Kafka).await;
    if report.skipped.is_none() && !context.settings.is_short {
        let second = on(context, BrokerKind::RabbitMq).await;
        report.topology = format!("{}, on Kafka and on RabbitMQ", report.topology);
        match second.skipped {
            Some(why) => report.note(format!("not run on RabbitMQ: {why}")),
            None => report.merge(second),
        }
    }
    report
}

async fn on(context: &mut Context, kind: BrokerKind) -> RowReport {
    let load = match context.fleet(kind, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let time = context.settings.pick(Duration::from_secs(6), context.settings.each);
    let report = context
        .weather(&load, async |report| {
            let copied = AtomicU64::new(0);
            let copying = copy_all(context, &load, kind, &copied);
            let copying = std::pin::pin!(copying);
            let timer = std::pin::pin!(context.env.sleep(time));
            if let futures_util::future::Either::Left((outcome, _)) = select(copying, timer).await {
                outcome.map_err(|error| error.to_string())?;
            }
            report.runs = copied.load(Ordering::SeqCst);
            report.note(format!(
                "{} events were published a second time on {}",
                report.runs,
                kind.name()
            ));
            if report.runs == 0 {
                return Err("no event was copied".to_owned());
            }
            Ok(())
        })
        .await;
    context.keep(kind, 2, load, &report);
    report
}

async fn copy_all(
    context: &Context,
    load: &Load,
    kind: BrokerKind,
    copied: &AtomicU64,
) -> Result<(), BrokerError> {
    let prefix = load.house.fleet().prefix();
    let address = kind.address().map_err(BrokerError)?;
    let broker = match kind {
        BrokerKind::Kafka => Kafka::new(&context.env, KafkaConfig::new(address, prefix))?,
        BrokerKind::RabbitMq => RabbitMq::new(&context.env, RabbitMqConfig::new(address, prefix))?,
    };
    let each = SOURCES.map(|source| copy(context, &broker, source, copied));
    join_all(each).await.into_iter().collect()
}

/// Never ends, unless the broker refuses.
async fn copy(
    context: &Context,
    broker: &Arc<dyn Broker>,
    source: &'static str,
    copied: &AtomicU64,
) -> Result<(), BrokerError> {
    let publisher = broker.publisher(source).await?;
    let mut inbound = broker.subscribe("faults.copies", source).await?;
    let mut window: VecDeque<Arc<Envelope>> = VecDeque::new();
    // Copies come here, too, and are not copied again.
    let mut seen = HashSet::new();
    loop {
        let incoming = inbound.next().await;
        inbound.done(incoming.token);
        if !seen.insert(incoming.envelope.id) {
            continue;
        }
        window.push_back(incoming.envelope);
        if window.len() > WINDOW {
            window.pop_front();
        }
        let [coin, which] = context.env.random::<2>();
        if coin.is_multiple_of(2) {
            let copy = &window[usize::from(which) % window.len()];
            publisher.publish(copy).await?;
            copied.fetch_add(1, Ordering::SeqCst);
        }
    }
}
