//! F1: the shop kills itself at each crash point that its sources name, in one process and in many.
//! The stories that do so are those of the test suite; this row runs them and counts.

use testkit::crash_points::{Way, passed};
use testkit::stories::{
    killed_between_any_two_steps_the_order_ends,
    killed_while_cancelling_the_order_is_cancelled_whole,
    killed_while_importing_the_file_can_be_sent_again,
};
use testkit::{Shop, Start, Topology, servers};

use super::weather::Context;
use crate::report::RowReport;

const WAYS: [Way; 5] = [Way::Paid, Way::Declined, Way::Voided, Way::Cancelled, Way::Imported];

pub async fn run(context: &mut Context) -> RowReport {
    let mut report = RowReport::default();
    let mut topologies = Vec::new();
    for topology in [Topology::Embedded, Topology::Kafka] {
        let name = topology.name();
        if !servers::are_there(topology) {
            report.note(format!("not run in {name}: its servers are missing"));
            continue;
        }
        let start = || Start::new(&context.settings.program, topology);
        // Each kills its shop, so each gets one for itself; they panic when something is lost.
        let shop = Shop::start(start()).await;
        killed_between_any_two_steps_the_order_ends(&shop).await;
        drop(shop);
        let shop = Shop::start(start()).await;
        killed_while_cancelling_the_order_is_cancelled_whole(&shop).await;
        drop(shop);
        let shop = Shop::start(start()).await;
        killed_while_importing_the_file_can_be_sent_again(&shop).await;
        let points: usize = WAYS.into_iter().map(|way| passed(topology, way).len()).sum();
        report.runs += points as u64;
        report.note(format!("{name}: {points} crash points"));
        topologies.push(name);
    }
    report.topology = topologies.join(", ");
    report
}
