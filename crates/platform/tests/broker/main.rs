//! One contract, both brokers: each test here runs on Kafka and on RabbitMQ, on real servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

/// Stamps a contract test on each broker.
macro_rules! on_every_broker {
    ($($module:ident :: $name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn kafka() {
                crate::bench::on_kafka(crate::$module::$name).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn rabbitmq() {
                crate::bench::on_rabbitmq(crate::$module::$name).await;
            }
        })*
    };
}

mod bench;
mod contract;
mod encrypted;
mod malformed;
mod members;
mod outages;
mod proxy;
mod raw;
mod remembered;

on_every_broker! {
    contract::every_field_of_an_envelope_arrives,
    contract::events_of_an_aggregate_come_in_order_among_many,
    contract::what_was_not_done_comes_again,
    contract::what_is_done_in_any_order_does_not_come_again,
    contract::one_that_is_not_done_comes_again_whatever_was_done_after_it,
    contract::a_new_consumer_begins_with_the_oldest_event,
    contract::every_consumer_gets_every_event,
    contract::events_that_nobody_reads_do_not_hold_up_their_publisher,
    contract::what_waits_is_counted,
    contract::a_topology_with_other_settings_is_refused,
    contract::publishers_and_consumers_may_be_made_twice,
    malformed::a_message_that_is_no_event_goes_to_the_dead_letters,
    malformed::a_publisher_whose_clock_is_days_off_is_heard,
    members::members_share_partitions_and_nothing_is_lost_when_one_leaves,
    members::a_member_that_takes_nothing_keeps_its_partitions,
    outages::a_publisher_fails_while_the_broker_is_away_and_recovers,
    outages::a_consumer_comes_back_and_misses_nothing,
    outages::a_wire_that_swallows_everything_is_noticed,
    outages::a_member_that_vanishes_is_replaced,
    outages::nothing_that_was_confirmed_is_lost_by_broken_connections,
}
