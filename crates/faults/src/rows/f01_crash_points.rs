//! F1: the shop kills itself at each crash point that its sources name, in one process and in many.
//! The stories that do so are those of the test suite; this row runs them and counts.

use testkit::stories::{
    Deaths, in_a_hurry, killed_around_a_void_the_order_ends_and_nothing_is_held,
    killed_between_any_two_steps_the_order_ends,
    killed_while_cancelling_the_order_is_cancelled_whole,
    killed_while_importing_the_file_can_be_sent_again,
};
use testkit::{Shop, Start, Topology, servers};

use super::weather::Context;
use crate::report::RowReport;

pub async fn run(context: &mut Context) -> RowReport {
    let mut report = RowReport::default();
    let mut topologies = Vec::new();
    for topology in [Topology::Embedded, Topology::Loopback, Topology::Kafka] {
        let name = topology.name();
        if !servers::are_there(topology) {
            report.note(format!("not run in {name}: its servers are missing"));
            continue;
        }
        let start = || Start::new(&context.settings.program, topology);
        for (story, deaths) in stories(start).await {
            let died = deaths.moments - deaths.missed.len();
            report.runs += died as u64;
            report.note(format!("{name}, {story}: killed at {died} moments"));
            if !deaths.missed.is_empty() {
                report.note(format!("{name}, {story}: not come by: {}", deaths.missed.join(", ")));
            }
        }
        topologies.push(name);
    }
    report.topology = topologies.join(", ");
    report
}

/// Each kills its shop, so each gets one for itself; they panic when something is lost.
async fn stories(start: impl Fn() -> Start) -> [(&'static str, Deaths); 4] {
    let shop = Shop::start(start()).await;
    let bought = killed_between_any_two_steps_the_order_ends(&shop).await;
    drop(shop);
    let shop = Shop::start(in_a_hurry(start())).await;
    let voided = killed_around_a_void_the_order_ends_and_nothing_is_held(&shop).await;
    drop(shop);
    let shop = Shop::start(start()).await;
    let cancelled = killed_while_cancelling_the_order_is_cancelled_whole(&shop).await;
    drop(shop);
    let shop = Shop::start(start()).await;
    let imported = killed_while_importing_the_file_can_be_sent_again(&shop).await;
    [
        ("a checkout", bought),
        ("a void", voided),
        ("a cancellation", cancelled),
        ("an import", imported),
    ]
}
