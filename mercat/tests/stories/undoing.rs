//! The story of a void, which wants a shop that is in a hurry.

use testkit::stories::{in_a_hurry, killed_around_a_void_the_order_ends_and_nothing_is_held};
use testkit::{Shop, Start, Topology};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_around_a_void_the_order_ends_and_nothing_is_held_embedded() {
    killed_around_a_void(Topology::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_around_a_void_the_order_ends_and_nothing_is_held_loopback() {
    killed_around_a_void(Topology::Loopback).await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_around_a_void_the_order_ends_and_nothing_is_held_kafka() {
    if testkit::servers::are_there(Topology::Kafka) {
        killed_around_a_void(Topology::Kafka).await;
    }
}

async fn killed_around_a_void(topology: Topology) {
    let start = in_a_hurry(Start::new(env!("CARGO_BIN_EXE_mercat"), topology));
    killed_around_a_void_the_order_ends_and_nothing_is_held(&Shop::start(start).await).await;
}
