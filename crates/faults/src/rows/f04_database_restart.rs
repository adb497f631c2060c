//! F4: PostgreSQL crashes and is started again, under load.

use std::time::Duration;

use super::weather::Context;
use crate::fleet::BrokerKind;
use crate::report::RowReport;

const FIRST_SUCCESS: Duration = Duration::from_secs(3);

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let times = context.settings.pick(1, 5);
    let mut slowest = Duration::ZERO;
    let mut report = context
        .weather(&load, async |report| {
            for _ in 0..times {
                context.settings.server("restart", "postgres", &["--immediate"]).await?;
                let back = context.env.clock.monotonic();
                load.purchases_go_on(3, "PostgreSQL crashed").await;
                let first = load.tally.sold_after(back).unwrap_or(back);
                slowest = slowest.max(first.saturating_sub(back));
                report.runs += 1;
            }
            Ok(())
        })
        .await;
    let what = "first success after PostgreSQL took connections again";
    context.at_most(&mut report, what, slowest, FIRST_SUCCESS);
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}
