//! F5: the database commits, and the service never hears of it. Whoever then thinks that nothing was
//! done does it twice; whoever thinks that all was done may have lost it.

use std::time::Duration;

use super::weather::Context;
use crate::fleet::{BrokerKind, To, Wire};
use crate::report::RowReport;

/// One reply in so many.
const ONE_IN: u32 = 12;
const OWNERS: [&str; 5] = ["ordering", "inventory", "payment", "catalog", "identity"];

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let each = context.settings.pick(Duration::from_secs(3), context.settings.each / 3);
    let report = context
        .weather(&load, async |report| {
            let fleet = load.house.fleet();
            let wires: Vec<&Wire> =
                fleet.wires.iter().filter(|wire| wire.to == To::Database).collect();
            let before: u64 = wires.iter().map(|wire| wire.losses.lost()).sum();
            // One service after another, then all of them.
            for service in OWNERS.map(Some).into_iter().chain([None]) {
                let chosen =
                    || wires.iter().filter(|wire| service.is_none_or(|name| wire.service == name));
                chosen().for_each(|wire| wire.losses.lose_one_in(ONE_IN));
                context.env.sleep(each).await;
                chosen().for_each(|wire| wire.losses.lose_one_in(0));
            }
            let lost: u64 = wires.iter().map(|wire| wire.losses.lost()).sum();
            report.runs = lost - before;
            report.note(format!("the replies to {} commits were lost", report.runs));
            if report.runs == 0 {
                return Err("no reply was lost: the wire does not see commits".to_owned());
            }
            Ok(())
        })
        .await;
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}
