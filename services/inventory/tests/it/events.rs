//! What other services tell, delivered twice each time.

use std::time::Duration;

use contracts::catalog::v1::{PriceChanged, ProductPublished};
use contracts::inventory::v1::reserve_reply::Outcome;
use contracts::ordering::v1::{
    OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced, OrderRejected,
};
use kernel::id::Uuid;

use serde_json::json;

use crate::shop::{LOCATIONS, RECEIPTS, Shop, bytes, on_both, order, var, variant};

fn lines(lines: &[(u128, u32)]) -> Vec<OrderLine> {
    let line = |(n, quantity): &(u128, u32)| OrderLine {
        variant_id: bytes(variant(*n)),
        quantity: *quantity,
        price_minor: 1999,
    };
    lines.iter().map(line).collect()
}

fn confirmed(id: Uuid, goods: &[(u128, u32)]) -> OrderConfirmed {
    OrderConfirmed { order_id: bytes(id), lines: lines(goods), ..OrderConfirmed::default() }
}

fn cancelled(id: Uuid, goods: &[(u128, u32)]) -> OrderCancelled {
    OrderCancelled { order_id: bytes(id), lines: lines(goods), ..OrderCancelled::default() }
}

fn rejected(id: Uuid) -> OrderRejected {
    OrderRejected { order_id: bytes(id), reason: "payment_declined".to_owned() }
}

#[tokio::test]
async fn a_confirmed_order_takes_its_units_once() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.receive(2, 2).await;
        shop.reserve(order(1), &[(1, 3), (2, 2)]).await;
        let placed = OrderPlaced { order_id: bytes(order(1)), ..OrderPlaced::default() };
        shop.tell("ordering", order(1), &placed).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 3), (2, 2)])).await;
        assert_eq!((shop.level(1).await, shop.level(2).await), ((2, 0), (0, 0)));
        let ledger = shop.movements(1).await;
        assert_eq!(
            (ledger.len(), &ledger[0]["kind"], &ledger[0]["delta"]),
            (2, &"sale".into(), &(-3).into())
        );
        assert_eq!(ledger[0]["reference"], kernel::id::encode("ord", order(1)));
        assert_eq!(shop.status(order(1)).await, "committed");

        // Whatever comes late changes nothing: not a release, not the end of its time.
        shop.release(order(1)).await;
        shop.time.advance(Duration::from_hours(1));
        shop.expire().await;
        assert_eq!(shop.level(1).await, (2, 0));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_order_gives_its_units_back_once() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 3)])).await;
        shop.tell("ordering", order(1), &cancelled(order(1), &[(1, 3)])).await;
        assert_eq!(shop.level(1).await, (5, 0));
        let kinds: Vec<_> = shop.movements(1).await.iter().map(|m| m["kind"].clone()).collect();
        assert_eq!(kinds.len(), 3);
        assert!(kinds.contains(&"return".into()) && kinds.contains(&"sale".into()));
        assert_eq!(shop.status(order(1)).await, "returned");
        assert_eq!(shop.reserve(order(1), &[(1, 1)]).await.outcome(), Outcome::Released);
    })
    .await;
}

#[tokio::test]
async fn a_rejected_order_gives_back_what_it_holds_and_bars_what_comes_late() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.tell("ordering", order(1), &rejected(order(1))).await;
        assert_eq!(
            (shop.level(1).await, shop.status(order(1)).await.as_str()),
            ((5, 0), "released")
        );
        shop.tell("ordering", order(2), &rejected(order(2))).await;
        assert_eq!(shop.reserve(order(2), &[(1, 1)]).await.outcome(), Outcome::Released);
    })
    .await;
}

#[tokio::test]
async fn an_order_confirmed_after_its_time_takes_what_is_there() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.time.advance(Duration::from_hours(1));
        shop.expire().await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 3)])).await;
        assert_eq!((shop.level(1).await, shop.movements(1).await.len()), ((0, 0), 2));
        assert_eq!(shop.status(order(1)).await, "committed");
    })
    .await;
}

#[tokio::test]
async fn an_order_confirmed_after_its_units_went_to_another_is_not_lost() {
    on_both(async |shop: Shop| {
        shop.receive(1, 3).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        shop.time.advance(Duration::from_hours(1));
        shop.expire().await;
        shop.reserve(order(2), &[(1, 2)]).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 3)])).await;
        assert_eq!(shop.level(1).await, (0, 2));
        let ledger = shop.movements(1).await;
        let total: i64 = ledger.iter().map(|m| m["delta"].as_i64().unwrap()).sum();
        let oversold: Vec<_> = ledger.iter().filter(|m| m["kind"] == "oversold").collect();
        assert_eq!((total, oversold.len(), &oversold[0]["delta"]), (0, 1, &(-2).into()));

        // The other order has its units too, and the next goods pay all back.
        shop.tell("ordering", order(2), &confirmed(order(2), &[(1, 2)])).await;
        assert_eq!(shop.level(1).await, (-2, 0));
        shop.receive(1, 5).await;
        assert_eq!((shop.level(1).await, shop.available(1).await.available), ((3, 0), 3));
        shop.tell("ordering", order(1), &cancelled(order(1), &[(1, 3)])).await;
        assert_eq!(shop.level(1).await, (6, 0));
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_out_of_nothing_still_books_its_units() {
    on_both(async |shop: Shop| {
        shop.tell("ordering", order(1), &confirmed(order(1), &[(7, 2)])).await;
        assert_eq!((shop.level(7).await, shop.movements(7).await.len()), ((-2, 0), 1));
        assert_eq!(shop.status(order(1)).await, "committed");
    })
    .await;
}

#[tokio::test]
async fn a_backordered_variant_goes_below_zero_when_it_is_confirmed() {
    on_both(async |shop: Shop| {
        shop.policy(1, true, true).await;
        shop.receive(1, 1).await;
        shop.reserve(order(1), &[(1, 4)]).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 4)])).await;
        assert_eq!(shop.level(1).await, (-3, 0));
        let ledger = shop.movements(1).await;
        assert!(ledger.iter().all(|m| m["kind"] != "oversold"), "it was allowed to");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_counted_is_sold_without_a_trace_in_the_ledger() {
    on_both(async |shop: Shop| {
        shop.policy(1, false, false).await;
        shop.reserve(order(1), &[(1, 4)]).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 4)])).await;
        shop.tell("ordering", order(1), &cancelled(order(1), &[(1, 4)])).await;
        assert_eq!((shop.level(1).await, shop.movements(1).await.len()), ((0, 0), 0));
        assert_eq!(shop.status(order(1)).await, "returned");
    })
    .await;
}

#[tokio::test]
async fn published_variants_get_a_row_with_nothing_on_hand_and_keep_it() {
    on_both(async |shop: Shop| {
        shop.receive(2, 4).await;
        let product = Uuid::from_u128(77);
        let published = ProductPublished {
            product_id: bytes(product),
            variant_ids: vec![bytes(variant(1)), bytes(variant(2))],
            counts_follow: false,
        };
        shop.tell("catalog", product, &published).await;
        shop.tell("catalog", product, &PriceChanged::default()).await;
        shop.tell("catalog", product, &published).await;
        assert_eq!((shop.level(1).await, shop.level(2).await), ((0, 0), (4, 0)));
        let told = [(1, 0, 0), (2, 0, 0)];
        assert_eq!(
            shop.told().await,
            told,
            "the other one can be sold; told again with the product"
        );
        assert!(shop.available(1).await.tracked);
        assert_eq!(shop.reserve(order(1), &[(1, 1)]).await.outcome(), Outcome::OutOfStock);
    })
    .await;
}

#[tokio::test]
async fn variants_whose_units_an_import_tells_get_an_empty_row_only_if_it_does_not() {
    on_both(async |shop: Shop| {
        let product = Uuid::from_u128(77);
        let published = ProductPublished {
            product_id: bytes(product),
            variant_ids: vec![bytes(variant(1)), bytes(variant(2))],
            counts_follow: true,
        };
        shop.tell("catalog", product, &published).await;
        shop.receive(2, 4).await;
        shop.enrol().await;
        assert_eq!(shop.told().await, [], "nothing is sold out while the import may come");
        shop.time.advance(Duration::from_secs(6));
        shop.enrol().await;
        assert_eq!((shop.level(1).await, shop.level(2).await), ((0, 0), (4, 0)));
        assert_eq!(shop.told().await, [(1, 0, 0)]);
        shop.enrol().await;
        assert_eq!(shop.told().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_selling_out_and_coming_back_are_told() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.reserve(order(1), &[(1, 3)]).await;
        assert_eq!(shop.told().await, [], "believed to be sellable, and so it is");
        shop.reserve(order(2), &[(1, 2)]).await;
        shop.tell("ordering", order(1), &confirmed(order(1), &[(1, 3)])).await;
        shop.receive(1, 1).await;
        shop.receive(1, 1).await;
        assert_eq!(shop.told().await, [(1, 5, 5), (2, 3, 2)]);
    })
    .await;
}

#[tokio::test]
async fn a_variant_at_several_places_tells_of_each_of_them() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        assert_eq!(shop.told().await, []);
        let made = shop
            .clerk()
            .post(LOCATIONS, json!({"name": "Attic", "active": true, "priority": 2}))
            .await
            .expect(201);
        let lines = json!([{"variant_id": var(1), "quantity": 2}]);
        let body = json!({"location_id": made.body["id"], "lines": lines});
        shop.clerk().post(RECEIPTS, body).await.expect(201);
        let mut told = shop.told().await;
        told.sort_unstable();
        assert_eq!(told, [(1, 2, 0), (1, 5, 0)], "what was only believed is said, too");
    })
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_not_a_loss() {
    on_both(async |shop: Shop| {
        let mut envelope = shop.envelope("ordering", order(1), &confirmed(order(1), &[(1, 1)]));
        envelope.data = vec![0xff; 7];
        let handler =
            &shop.service.consumers.iter().find(|c| c.name == "inventory.orders").unwrap().handler;
        let error = handler.handle(&shop.context(), &envelope).await.unwrap_err();
        assert!(!error.transient);
    })
    .await;
}
