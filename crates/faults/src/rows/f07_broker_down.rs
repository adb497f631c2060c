//! F7: the broker is away for a while. Orders are taken all the time, and told of afterwards.

use std::time::Duration;

use http::Method;
use testkit::{Client, until_within};

use super::weather::Context;
use crate::fleet::{BrokerKind, Fleet};
use crate::load::Load;
use crate::report::RowReport;

const DRAINED: Duration = Duration::from_secs(30);
/// With buyers at work there is always an event on its way; what is older waited for the broker.
const FRESH_SECONDS: f64 = 2.0;
const OLDEST: &str = "mercat_outbox_oldest_seconds";

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let mut report = outage(context, &load, "kafka").await;
    context.keep(BrokerKind::Kafka, 2, load, &report);
    if context.settings.is_short {
        return report;
    }
    match context.fleet(BrokerKind::RabbitMq, 2).await {
        Ok(load) => {
            let second = outage(context, &load, "rabbitmq").await;
            report.topology = format!("{}, on Kafka and on RabbitMQ", report.topology);
            report.merge(second);
        }
        Err(error) => report.note(format!("not run on RabbitMQ: {error}")),
    }
    report
}

async fn outage(context: &Context, load: &Load, broker: &str) -> RowReport {
    let outage = context.settings.pick(Duration::from_secs(10), Duration::from_mins(1));
    let mut gap = Duration::ZERO;
    let mut drained = Duration::ZERO;
    let mut report = context
        .weather(load, async |report| {
            let clock = &context.env.clock;
            context.settings.server("stop", broker, &["--immediate"]).await?;
            let gone = clock.monotonic();
            context.env.sleep(outage).await;
            let over = clock.monotonic();
            gap = load.tally.longest_gap(gone, over);
            context.settings.server("start", broker, &[]).await?;
            let back = clock.monotonic();
            drain(load.house.fleet()).await;
            drained = clock.monotonic().saturating_sub(back);
            report.runs = 1;
            Ok(())
        })
        .await;
    report.note(format!(
        "{broker} was away for {outage:?}: the longest time without a sale was {gap:.1?}"
    ));
    if gap >= outage {
        report.violations.push(format!("nothing was sold while {broker} was away"));
    }
    let what = format!("outboxes drained after {broker} came back");
    context.at_most(&mut report, &what, drained, DRAINED);
    report
}

/// Until no outbox holds an event that is older than those under way.
async fn drain(fleet: &Fleet) {
    for place in fleet.places.iter().filter(|place| place.service != "gateway") {
        let client = Client::new(format!("http://{}", place.internal));
        let what = format!("the outbox of {} is drained", place.name);
        until_within(Duration::from_mins(3), &what, async || {
            let reply = client.request(Method::GET, "/metrics").try_send().await.ok()?;
            let text = String::from_utf8_lossy(&reply.bytes).into_owned();
            let ages = text.lines().filter(|line| line.starts_with(OLDEST));
            let ages = ages.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            let oldest = ages.fold(0.0, f64::max);
            (oldest < FRESH_SECONDS).then_some(())
        })
        .await;
    }
}
