//! What happens to a reservation whose time is over, by what ordering says of its order.

use std::time::Duration;

use contracts::inventory::v1::reserve_reply::Outcome;
use contracts::ordering::v1::{OrderConfirmed, OrderLine};
use futures_util::future::join_all;
use kernel::ErrorKind;

use crate::shop::{Shop, bytes, on_both, order, variant};

#[tokio::test]
async fn units_of_a_confirmed_order_are_kept_until_its_late_event_comes() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.ordering.is(order(1), "confirmed");
        for _ in 0..3 {
            shop.time.advance(Duration::from_hours(5));
            shop.expire().await;
            assert_eq!(shop.status(order(1)).await, "active");
        }
        let other = shop.reserve(order(2), &[(1, 1)]).await;
        assert_eq!(other.outcome(), Outcome::OutOfStock, "they are sold");

        let line = OrderLine { variant_id: bytes(variant(1)), quantity: 3, ..OrderLine::default() };
        let event = OrderConfirmed {
            order_id: bytes(order(1)),
            lines: vec![line],
            ..OrderConfirmed::default()
        };
        shop.tell("ordering", order(1), &event).await;
        let end = (shop.status(order(1)).await, shop.level(1).await);
        assert_eq!(end, ("committed".to_owned(), (0, 0)));
        assert_eq!(shop.movements(1).await[0]["kind"], "sale", "and not an oversale");
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_being_decided_keeps_its_units_and_one_that_is_over_does_not() {
    on_both(async |shop: Shop| {
        shop.receive(1, 4).await;
        for n in 1..=4 {
            shop.reserve(order(n), &[(1, 1)]).await;
        }
        for (n, status) in [(1, "placed"), (2, "rejected"), (3, "cancelled")] {
            shop.ordering.is(order(n), status);
        }
        shop.time.advance(Duration::from_mins(11));
        shop.expire().await;
        let mut ends = Vec::new();
        for n in 1..=4 {
            ends.push(shop.status(order(n)).await);
        }
        assert_eq!(ends, ["active", "expired", "expired", "expired"]);
        shop.ordering.is(order(1), "rejected");
        shop.expire().await;
        assert_eq!(
            (shop.status(order(1)).await.as_str(), shop.level(1).await),
            ("expired", (4, 0))
        );
    })
    .await;
}

#[tokio::test]
async fn without_an_answer_units_are_kept_and_ordering_is_asked_again() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        for n in 1..=3 {
            shop.reserve(order(n), &[(1, 1)]).await;
        }
        shop.ordering.fails(order(1), ErrorKind::Unavailable);
        shop.ordering.fails(order(2), ErrorKind::DeadlineExceeded);
        shop.ordering.is(order(3), "of_a_later_version");
        shop.time.advance(Duration::from_mins(11));
        shop.expire().await;
        shop.expire().await;
        assert_eq!((shop.level(1).await, shop.ordering.asked().len()), ((3, 3), 6));
        for n in 1..=3 {
            shop.ordering.is(order(n), "rejected");
        }
        shop.expire().await;
        assert_eq!(shop.level(1).await, (3, 0));
    })
    .await;
}

#[tokio::test]
async fn before_its_time_nobody_asks_for_an_order() {
    on_both(async |shop: Shop| {
        shop.receive(1, 1).await;
        shop.reserve(order(1), &[(1, 1)]).await;
        shop.time.advance(Duration::from_mins(9));
        shop.expire().await;
        assert!(shop.ordering.asked().is_empty());
    })
    .await;
}

#[tokio::test]
async fn those_that_stay_do_not_hide_those_behind_them() {
    on_both(async |shop: Shop| {
        shop.receive(1, 1_001).await;
        for n in 0..1_000 {
            shop.ordering.is(order(n), if n % 2 == 0 { "confirmed" } else { "placed" });
        }
        join_all((0..1_000).map(|n| shop.reserve(order(n), &[(1, 1)]))).await;
        shop.time.advance(Duration::from_secs(1));
        shop.reserve(order(1_000), &[(1, 1)]).await;
        shop.time.advance(Duration::from_mins(11));

        shop.expire().await;
        assert_eq!(shop.ordering.asked().len(), 600, "a turn does not ask without end in vain");
        shop.expire().await;
        assert_eq!(shop.ordering.asked().len(), 401);
        assert_eq!(shop.status(order(1_000)).await, "expired");
        shop.expire().await;
        let asked = shop.ordering.asked();
        assert_eq!((asked.len(), shop.level(1).await), (600, (1_001, 1_000)), "and from the head");
    })
    .await;
}

#[tokio::test]
async fn while_ordering_is_away_a_turn_asks_once_round_and_gives_way() {
    on_both(async |shop: Shop| {
        shop.receive(1, 450).await;
        join_all((0..450).map(|n| shop.reserve(order(n), &[(1, 1)]))).await;
        for n in 0..450 {
            shop.ordering.fails(order(n), ErrorKind::Unavailable);
        }
        shop.time.advance(Duration::from_mins(11));
        shop.expire().await;
        assert_eq!((shop.ordering.asked().len(), shop.level(1).await), (200, (450, 450)));
    })
    .await;
}
