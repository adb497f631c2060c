//! What a shop must be able to do, told once and run in every topology.
//!
//! A story takes a running shop and fails by panicking. The first list shares a shop with other
//! stories at the same time, so each brings goods and buyers of its own and looks at nothing else;
//! the second kills its shop, so each gets one for itself.

mod browsing;
mod cancelling;
mod crashing;
mod importing;
mod owning;
mod paying;
mod racing;
mod repeating;
mod signing_in;
mod undoing;

pub use browsing::*;
pub use cancelling::*;
pub use crashing::*;
pub use importing::*;
pub use owning::*;
pub use paying::*;
pub use racing::*;
pub use repeating::*;
pub use signing_in::*;
pub use undoing::*;

/// Stamps all stories as tests in one topology, as a module of its name:
/// `testkit::stamp_stories!(embedded, Topology::Embedded);`. Those that kill a shop at each crash
/// point are many starts, and stamped apart: `stamp_stories!(crashes: name, topology)`.
#[macro_export]
macro_rules! stamp_stories {
    ($name:ident, $topology:expr) => {
        mod $name {
            $crate::stamp_stories!(@shared $topology;
                browse_cart_pay_confirmed,
                what_is_shipped_needs_an_address_and_costs_shipping_and_tax,
                a_price_that_changed_is_told_before_it_is_paid,
                a_declined_card_releases_the_stock,
                a_provider_that_times_out_charges_once,
                a_provider_that_takes_its_time_confirms_in_the_end,
                the_last_unit_goes_to_one_of_two_buyers,
                a_cart_completed_from_two_connections_is_one_order,
                many_buyers_never_share_a_unit,
                the_same_key_twice_is_one_order,
                a_buyer_who_hangs_up_still_gets_the_order,
                cancelling_gives_back_money_and_goods,
                capture_and_refund_move_the_money_once,
                a_guest_becomes_a_customer_and_keeps_the_cart,
                somebody_elses_order_does_not_exist,
                staff_without_the_permission_are_refused,
                sessions_end_when_they_should,
                bad_rows_are_reported_and_good_products_go_in,
            );
            $crate::stamp_stories!(@own $topology;
                import_edit_import_again,
                what_was_answered_outlives_a_kill,
            );
        }
    };
    (crashes: $name:ident, $topology:expr) => {
        mod $name {
            $crate::stamp_stories!(@own $topology;
                killed_between_any_two_steps_the_order_ends,
                killed_while_cancelling_the_order_is_cancelled_whole,
                killed_while_importing_the_file_can_be_sent_again,
            );
        }
    };
    (@shared $topology:expr; $($story:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            use $crate::Topology;
            if !$crate::servers::are_there($topology) {
                return;
            }
            let shop = $crate::shop::shared(env!("CARGO_BIN_EXE_mercat"), $topology).await;
            $crate::stories::$story(&shop).await;
        }
    )* };
    (@own $topology:expr; $($story:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            use $crate::Topology;
            if !$crate::servers::are_there($topology) {
                return;
            }
            let start = $crate::Start::new(env!("CARGO_BIN_EXE_mercat"), $topology);
            let shop = $crate::Shop::start(start).await;
            $crate::stories::$story(&shop).await;
        }
    )* };
}
