//! F12: a process stands still for a while and goes on as if nothing had been. Meanwhile others may
//! have taken its leases and its partitions: nothing is done twice.

use std::time::Duration;

use super::weather::Context;
use crate::fleet::BrokerKind;
use crate::report::RowReport;

/// One of two, one of one, and the entry.
const SHORT: [(&str, u64); 3] = [("ordering-1", 12), ("inventory-2", 5), ("payment-1", 5)];
const LONG: [(&str, u64); 9] = [
    ("gateway-1", 5),
    ("identity-1", 10),
    ("catalog-1", 10),
    ("inventory-1", 20),
    ("ordering-1", 20),
    ("payment-1", 20),
    ("payment-1", 60),
    ("inventory-2", 60),
    ("ordering-2", 60),
];

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let stops: &[(&str, u64)] = context.settings.pick(&SHORT, &LONG);
    let report = context
        .weather(&load, async |report| {
            let fleet = load.house.fleet();
            for (name, seconds) in stops {
                let place = fleet.place(name);
                fleet.signal(place, "-STOP")?;
                context.env.sleep(Duration::from_secs(*seconds)).await;
                fleet.signal(place, "-CONT")?;
                load.purchases_go_on(3, &format!("{name} goes on")).await;
                report.runs += 1;
            }
            Ok(())
        })
        .await;
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}
