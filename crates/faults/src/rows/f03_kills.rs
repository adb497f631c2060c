//! F3: `kill -9` of a shop in one process, again and again, at any moment of a purchase.

use super::weather::Context;
use crate::report::RowReport;

pub async fn run(context: &mut Context) -> RowReport {
    let load = context.embedded(|start| start).await;
    let kills = context.settings.pick(10, 200);
    context
        .weather(&load, async |report| {
            let shop = load.house.shop();
            for round in 0..kills {
                // A different number of purchases each time, so that the moments differ.
                load.purchases_go_on(1 + round * 7 % 11, "the last kill").await;
                shop.restart().await;
                report.ready(std::time::Duration::from_millis(shop.ready_ms()));
                report.runs += 1;
            }
            let slowest = report.ready_ms.take().unwrap_or_default();
            report.note(format!("the slowest start after a kill took {slowest} ms"));
            Ok(())
        })
        .await
}
