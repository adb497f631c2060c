//! The same storm on a shop of processes with two of ordering, both of which are killed in it.

use futures_util::future::join;
use testkit::{Shop, Start, Topology, servers, until};

use crate::Storm;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_checkouts_are_one_order_over_two_processes_that_both_die() {
    if !servers::are_there(Topology::Replicas) {
        return;
    }
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Replicas);
    let shop = Shop::start(start).await;
    for round in 0..3 {
        let mut storm = Storm::over(&shop).await;
        // The first one to be hit is the one that has begun: it is not known which.
        join(storm.strike(&shop), killed(&shop, round)).await;
        storm.settle(&shop, &format!("round {round}")).await;
    }
}

/// Not at all, then one after the other, then both.
async fn killed(shop: &Shop, round: usize) {
    let mut processes = shop.processes();
    processes.retain(|process| process.service == "ordering");
    assert_eq!(processes.len(), 2, "{processes:?}");
    if round == 0 {
        return;
    }
    for victim in processes {
        victim.kill();
        if round == 1 {
            until("the next one lives", async || {
                let now = shop.processes().into_iter();
                let mut again = now.filter(|p| p.service == "ordering" && p.nth == victim.nth);
                again.find(|process| process.pid != victim.pid && process.is_alive()).map(drop)
            })
            .await;
        }
    }
    until("both live again", async || {
        let now = shop.processes().into_iter().filter(|process| process.service == "ordering");
        (now.filter(testkit::processes::Process::is_alive).count() == 2).then_some(())
    })
    .await;
}
