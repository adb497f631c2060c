//! F2: one service after another is killed, every two seconds, while buyers buy.

use std::time::Duration;

use super::weather::Context;
use crate::fleet::BrokerKind;
use crate::report::RowReport;

const EVERY: Duration = Duration::from_secs(2);
/// What supervisors take to notice.
const NOTICED: Duration = Duration::from_millis(100);

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let storm = context.settings.pick(Duration::from_secs(16), context.settings.each);
    let mut report = context
        .weather(&load, async |report| {
            let fleet = load.house.fleet();
            let begun = context.env.clock.monotonic();
            let mut turn = 0;
            while context.env.clock.monotonic().saturating_sub(begun) < storm {
                // Eight places and steps of three: all of them, in a changing company.
                let place = &fleet.places[turn * 3 % fleet.places.len()];
                fleet.kill(place);
                context.env.sleep(NOTICED).await;
                fleet.spawn(place)?;
                context.env.sleep(EVERY.saturating_sub(NOTICED)).await;
                turn += 1;
            }
            report.runs = turn as u64;
            fleet.all_ready().await;
            Ok(())
        })
        .await;
    if let Some(percent) = report.availability {
        context.at_least(&mut report, "checkouts answered at the first try", percent, 90.0);
    }
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}
