//! Reserve, release, expire.

use std::time::Duration;

use contracts::inventory::v1::{self, reserve_reply::Outcome};
use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{LOCATIONS, RECEIPTS, Shop, bytes, on_both, order, var, variant};

#[tokio::test]
async fn two_buyers_of_the_last_unit_one_gets_it() {
    on_both(async |shop: Shop| {
        shop.receive(1, 1).await;
        let (a, b) =
            tokio::join!(shop.reserve(order(1), &[(1, 1)]), shop.reserve(order(2), &[(1, 1)]));
        let mut outcomes = [a.outcome(), b.outcome()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, [Outcome::Reserved, Outcome::OutOfStock]);
        let loser = if a.outcome() == Outcome::OutOfStock { a } else { b };
        assert_eq!((loser.shortages[0].requested, loser.shortages[0].available), (1, 0));
        assert_eq!(shop.level(1).await, (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_hot_sku_is_sold_to_the_last_unit_and_no_further() {
    on_both(async |shop: Shop| {
        shop.receive(1, 40).await;
        let asks = (0..64).map(|n| {
            let shop = &shop;
            async move { shop.reserve(order(n), &[(1, 1)]).await.outcome() }
        });
        let outcomes = join_all(asks).await;
        assert_eq!(outcomes.iter().filter(|o| **o == Outcome::Reserved).count(), 40);
        assert_eq!(outcomes.iter().filter(|o| **o == Outcome::OutOfStock).count(), 24);
        assert_eq!(shop.level(1).await, (40, 40));
        assert_eq!(shop.available(1).await.available, 0);
    })
    .await;
}

#[tokio::test]
async fn one_line_that_falls_short_refuses_all_of_them() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.receive(2, 1).await;
        let reply = shop.reserve(order(1), &[(1, 5), (2, 2), (3, 1)]).await;
        assert_eq!(reply.outcome(), Outcome::OutOfStock);
        let short: Vec<_> =
            reply.shortages.iter().map(|s| (s.variant_id.clone(), s.available)).collect();
        assert_eq!(short, [(bytes(variant(2)), 1), (bytes(variant(3)), 0)]);
        assert_eq!((shop.level(1).await, shop.level(2).await), ((5, 0), (1, 0)));
    })
    .await;
}

#[tokio::test]
async fn asking_again_gets_the_first_answer() {
    on_both(async |shop: Shop| {
        shop.receive(1, 2).await;
        for _ in 0..3 {
            assert_eq!(shop.reserve(order(1), &[(1, 2)]).await.outcome(), Outcome::Reserved);
            assert_eq!(shop.reserve(order(2), &[(1, 1)]).await.outcome(), Outcome::OutOfStock);
        }
        assert_eq!(shop.level(1).await, (2, 2));
        shop.receive(1, 5).await;
        let late = shop.reserve(order(2), &[(1, 1)]).await;
        assert_eq!((late.outcome(), late.shortages.len()), (Outcome::OutOfStock, 1));
    })
    .await;
}

#[tokio::test]
async fn lines_of_one_variant_are_added_up() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        let outcome = shop.reserve(order(1), &[(1, 2), (1, 2)]).await.outcome();
        assert_eq!(outcome, Outcome::OutOfStock);
        let outcome = shop.reserve(order(2), &[(1, 2), (1, 1)]).await.outcome();
        assert_eq!((outcome, shop.level(1).await), (Outcome::Reserved, (3, 3)));
    })
    .await;
}

#[tokio::test]
async fn a_release_that_comes_first_refuses_the_late_reserve() {
    on_both(async |shop: Shop| {
        shop.receive(1, 2).await;
        shop.release(order(1)).await;
        shop.release(order(1)).await;
        assert_eq!(shop.reserve(order(1), &[(1, 1)]).await.outcome(), Outcome::Released);
        assert_eq!(shop.level(1).await, (2, 0));

        shop.reserve(order(2), &[(1, 2)]).await;
        shop.release(order(2)).await;
        shop.release(order(2)).await;
        assert_eq!(shop.level(1).await, (2, 0));
        assert_eq!(shop.reserve(order(2), &[(1, 2)]).await.outcome(), Outcome::Released);
        assert_eq!(shop.status(order(2)).await, "released");
    })
    .await;
}

#[tokio::test]
async fn reservations_lapse_when_their_time_is_over_and_not_before() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.time.advance(Duration::from_secs(599));
        shop.expire().await;
        assert_eq!(shop.status(order(1)).await, "active");
        shop.time.advance(Duration::from_secs(1));
        shop.expire().await;
        shop.expire().await;
        assert_eq!(
            (shop.status(order(1)).await.as_str(), shop.level(1).await),
            ("expired", (3, 0))
        );
        assert_eq!(shop.published("mercat.inventory.ReservationExpired.v1").await, 1);
        assert_eq!(shop.reserve(order(1), &[(1, 3)]).await.outcome(), Outcome::Released);
    })
    .await;
}

#[tokio::test]
async fn hundreds_of_overdue_reservations_end_in_one_turn() {
    on_both(async |shop: Shop| {
        shop.receive(1, 450).await;
        join_all((0..450).map(|n| {
            let shop = &shop;
            async move { shop.reserve(order(n), &[(1, 1)]).await }
        }))
        .await;
        assert_eq!(shop.level(1).await, (450, 450));
        shop.time.advance(Duration::from_hours(1));
        shop.expire().await;
        assert_eq!(shop.level(1).await, (450, 0));
    })
    .await;
}

#[tokio::test]
async fn a_reservation_whose_time_is_over_before_it_begins_holds_nothing() {
    on_both(async |shop: Shop| {
        shop.receive(1, 1).await;
        let request = v1::ReserveRequest {
            order_id: bytes(order(1)),
            lines: vec![v1::StockLine { variant_id: bytes(variant(1)), quantity: 1 }],
            expires_at_us: shop.now().as_micros(),
        };
        let reply = shop.api.reserve(shop.context(), request).await.unwrap();
        assert_eq!((reply.outcome(), shop.level(1).await), (Outcome::Released, (1, 0)));
    })
    .await;
}

#[tokio::test]
async fn policies_decide_what_may_be_sold() {
    on_both(async |shop: Shop| {
        shop.policy(1, false, false).await;
        assert_eq!(shop.reserve(order(1), &[(1, 9999)]).await.outcome(), Outcome::Reserved);
        assert_eq!(shop.level(1).await, (0, 0));
        assert!(!shop.available(1).await.tracked);

        shop.policy(2, true, true).await;
        assert_eq!(shop.reserve(order(2), &[(2, 7)]).await.outcome(), Outcome::Reserved);
        assert_eq!(shop.level(2).await, (0, 7));
        let told = shop.available(2).await;
        assert_eq!((told.available, told.backorder, told.tracked), (0, true, true));

        let unknown = shop.available(3).await;
        assert_eq!((unknown.available, unknown.backorder, unknown.tracked), (0, false, true));
        assert_eq!(shop.reserve(order(3), &[(3, 1)]).await.outcome(), Outcome::OutOfStock);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_served_from_several_locations_by_priority() {
    on_both(async |shop: Shop| {
        let clerk = shop.clerk();
        let near = json!({"name": "Near", "priority": -5});
        let near = clerk.post(LOCATIONS, near).await.expect(201).body["id"].clone();
        let far = json!({"name": "Far", "priority": 9, "active": false});
        let far = clerk.post(LOCATIONS, far).await.expect(201).body["id"].clone();
        for (location, units) in [(&near, 2), (&far, 9)] {
            let lines = json!([{"variant_id": var(1), "quantity": units}]);
            let body = json!({"location_id": location, "lines": lines});
            clerk.post(RECEIPTS, body).await.expect(201);
        }
        shop.receive(1, 2).await;
        assert_eq!(shop.available(1).await.available, 4, "inactive locations do not serve");
        assert_eq!(shop.reserve(order(1), &[(1, 5)]).await.outcome(), Outcome::OutOfStock);
        assert_eq!(shop.reserve(order(2), &[(1, 3)]).await.outcome(), Outcome::Reserved);
        let path = format!(
            "{}?order_id={}",
            crate::shop::RESERVATIONS,
            kernel::id::encode("ord", order(2))
        );
        let splits = clerk.get(&path).await.body["items"][0]["lines"][0]["splits"].clone();
        assert_eq!(splits[0], json!({"location_id": near, "quantity": 2}));
        assert_eq!(splits[1]["quantity"], 1);
        shop.release(order(2)).await;
        assert_eq!(shop.level(1).await, (13, 0));
    })
    .await;
}

#[tokio::test]
async fn a_location_that_another_process_added_serves_when_units_run_short() {
    on_both(async |shop: Shop| {
        shop.receive(1, 2).await;
        shop.reserve(order(1), &[(1, 1)]).await;
        let twin = shop.twin();
        let made = twin.clerk().post(LOCATIONS, json!({"name": "New"})).await.expect(201);
        let lines = json!([{"variant_id": var(1), "quantity": 5}]);
        let body = json!({"location_id": made.body["id"], "lines": lines});
        twin.clerk().post(RECEIPTS, body).await.expect(201);
        let outcome = shop.reserve(order(2), &[(1, 6)]).await.outcome();
        assert_eq!((outcome, shop.level(1).await), (Outcome::Reserved, (7, 7)));
    })
    .await;
}

#[tokio::test]
async fn messages_that_make_no_sense_are_refused_by_field() {
    on_both(async |shop: Shop| {
        let line = |quantity| v1::StockLine { variant_id: bytes(variant(1)), quantity };
        let good = v1::ReserveRequest {
            order_id: bytes(order(1)),
            lines: vec![line(1)],
            expires_at_us: 1,
        };
        let bad = [
            (v1::ReserveRequest { order_id: vec![1], ..good.clone() }, "order_id"),
            (v1::ReserveRequest { lines: vec![], ..good.clone() }, "lines"),
            (v1::ReserveRequest { lines: vec![line(0)], ..good.clone() }, "quantity"),
            (v1::ReserveRequest { lines: vec![line(10_000)], ..good.clone() }, "quantity"),
            (v1::ReserveRequest { lines: vec![line(1); 501], ..good.clone() }, "lines"),
            (v1::ReserveRequest { expires_at_us: 0, ..good }, "expires_at_us"),
        ];
        for (request, field) in bad {
            let error = shop.api.reserve(shop.context(), request).await.unwrap_err();
            assert_eq!(error.kind, kernel::ErrorKind::Invalid);
            assert!(error.detail.contains(field), "{}", error.detail);
        }
        let request = v1::GetAvailabilityRequest { variant_ids: vec![bytes(variant(1)); 501] };
        assert!(shop.api.get_availability(shop.context(), request).await.is_err());
    })
    .await;
}
