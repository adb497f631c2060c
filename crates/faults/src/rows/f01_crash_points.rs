//! F1: the shop kills itself at each crash point that its sources name, in one process and in many.
//! The stories that do so are those of the test suite; this row runs them and counts.

use std::path::Path;

use testkit::stories::{
    killed_between_any_two_steps_the_order_ends,
    killed_while_cancelling_the_order_is_cancelled_whole,
};
use testkit::{Shop, Start, Topology, crash_points, servers};

use super::weather::Context;
use crate::report::RowReport;

pub async fn run(context: &mut Context) -> RowReport {
    let mut report = RowReport::default();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let points = crash_points::named_in(&workspace);
    let mut topologies = Vec::new();
    for topology in [Topology::Embedded, Topology::Kafka] {
        if !servers::are_there(topology) {
            report.note(format!("not run in {}: its servers are missing", topology.name()));
            continue;
        }
        let start = || Start::new(&context.settings.program, topology);
        // Each kills its shop, so each gets one for itself; they panic when something is lost.
        let shop = Shop::start(start()).await;
        killed_between_any_two_steps_the_order_ends(&shop).await;
        drop(shop);
        let shop = Shop::start(start()).await;
        killed_while_cancelling_the_order_is_cancelled_whole(&shop).await;
        topologies.push(topology.name());
        report.runs += points.len() as u64;
    }
    report.topology = topologies.join(", ");
    report.note(format!("{} crash points, each in every topology", points.len()));
    report
}
