//! Imports and exports of counts.

use contracts::inventory::v1;
use contracts::inventory::v1::reserve_reply::Outcome;
use serde_json::json;

use crate::shop::{LOCATIONS, Shop, TRANSFERS, bytes, on_both, order, var, variant};

fn count(n: u128, on_hand: i64) -> v1::Count {
    v1::Count {
        variant_id: bytes(variant(n)),
        sku: format!("SKU-{n}"),
        on_hand,
        tracked: true,
        backorder: false,
    }
}

async fn import(shop: &Shop, counts: Vec<v1::Count>) -> (u32, u32) {
    let request = v1::ApplyCountsRequest { counts };
    let reply = shop.api.apply_counts(shop.context(), request).await.unwrap();
    (reply.changed, reply.unchanged)
}

async fn export(shop: &Shop, variants: &[u128]) -> Vec<v1::Count> {
    let request =
        v1::GetCountsRequest { variant_ids: variants.iter().map(|n| bytes(variant(*n))).collect() };
    shop.api.get_counts(shop.context(), request).await.unwrap().counts
}

#[tokio::test]
async fn an_equal_count_changes_nothing_whatever_was_sold_since() {
    on_both(async |shop: Shop| {
        assert_eq!(import(&shop, vec![count(1, 5), count(2, 0)]).await, (2, 0));
        assert_eq!(shop.reserve(order(1), &[(1, 2)]).await.outcome(), Outcome::Reserved);
        assert_eq!(import(&shop, vec![count(1, 5), count(2, 3)]).await, (1, 1));
        assert_eq!((shop.level(1).await, shop.level(2).await), ((5, 2), (3, 0)));
        let ledger = shop.movements(1).await;
        assert_eq!(
            (ledger.len(), &ledger[0]["kind"], &ledger[0]["sku"]),
            (1, &json!("import"), &json!("SKU-1"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_thousand_counts_go_in_at_once_and_come_out_as_they_were() {
    on_both(async |shop: Shop| {
        let counts: Vec<_> = (0..1000).map(|n| count(n, n as i64)).collect();
        assert_eq!(import(&shop, counts.clone()).await, (1000, 0));
        assert_eq!(import(&shop, counts.clone()).await, (0, 1000));
        let all: Vec<u128> = (0..1000).collect();
        assert_eq!(export(&shop, &all).await, counts);
    })
    .await;
}

#[tokio::test]
async fn what_was_exported_after_a_sale_imports_as_no_movement() {
    on_both(async |shop: Shop| {
        import(&shop, vec![count(1, 5)]).await;
        shop.clerk()
            .post(
                crate::shop::ADJUSTMENTS,
                json!({"variant_id": var(1), "delta": -2, "reason": "damage"}),
            )
            .await
            .expect(201);
        let exported = export(&shop, &[1, 9]).await;
        assert_eq!(exported, [count(1, 3)], "unknown variants are left out");
        import(&shop, exported).await;
        assert_eq!((shop.level(1).await, shop.movements(1).await.len()), ((3, 0), 2));
    })
    .await;
}

#[tokio::test]
async fn a_count_below_what_orders_hold_stops_there() {
    on_both(async |shop: Shop| {
        import(&shop, vec![count(1, 5)]).await;
        shop.reserve(order(1), &[(1, 4)]).await;
        import(&shop, vec![count(1, 1)]).await;
        assert_eq!(shop.level(1).await, (4, 4));
        import(&shop, vec![count(1, -3)]).await;
        assert_eq!(shop.level(1).await, (4, 4));
    })
    .await;
}

#[tokio::test]
async fn a_policy_from_an_import_reaches_every_location() {
    on_both(async |shop: Shop| {
        import(&shop, vec![count(1, 5)]).await;
        let clerk = shop.clerk();
        let other = clerk.post(LOCATIONS, json!({"name": "Other"})).await.expect(201).body["id"].clone();
        let home = kernel::id::encode("loc", inventory::domain::LocationId::DEFAULT.uuid());
        let body = json!({"variant_id": var(1), "from_location_id": home, "to_location_id": other, "quantity": 2});
        clerk.post(TRANSFERS, body).await.expect(201);
        let wide = v1::Count { backorder: true, ..count(1, 5) };
        assert_eq!(import(&shop, vec![wide.clone()]).await, (1, 0));
        let path = format!("{}?variant_id={}", crate::shop::LEVELS, var(1));
        let levels = clerk.get(&path).await.expect(200).body["items"].clone();
        assert_eq!(levels.as_array().unwrap().len(), 2);
        assert!(levels.as_array().unwrap().iter().all(|level| level["backorder"] == true));
        assert_eq!(shop.level(1).await, (5, 0), "the count was no news");

        // Once more is promised than is there, strict counting has to wait.
        shop.reserve(order(1), &[(1, 9)]).await;
        assert_eq!(import(&shop, vec![count(1, 5)]).await, (1, 0));
        assert!(shop.available(1).await.backorder);
        shop.release(order(1)).await;
        assert_eq!(import(&shop, vec![count(1, 5)]).await, (1, 0));
        assert!(!shop.available(1).await.backorder);
        assert_eq!(import(&shop, vec![count(1, 5)]).await, (0, 1));
    })
    .await;
}

#[tokio::test]
async fn what_staff_set_stays_until_the_import_says_something_new() {
    on_both(async |shop: Shop| {
        import(&shop, vec![v1::Count { tracked: false, ..count(1, 0) }]).await;
        shop.policy(1, true, false).await;
        assert_eq!(import(&shop, vec![v1::Count { tracked: false, ..count(1, 0) }]).await, (0, 1));
        assert!(shop.available(1).await.tracked);
    })
    .await;
}

#[tokio::test]
async fn counts_that_make_no_sense_are_refused_and_nothing_is_set() {
    on_both(async |shop: Shop| {
        let bad = [
            vec![v1::Count { variant_id: vec![3; 4], ..count(1, 1) }],
            vec![v1::Count { sku: " x".to_owned(), ..count(1, 1) }],
            vec![count(1, i64::from(i32::MAX))],
            vec![count(1, i64::MIN)],
            vec![count(1, 1); 1001],
        ];
        for counts in bad {
            let request = v1::ApplyCountsRequest { counts };
            let error = shop.api.apply_counts(shop.context(), request).await.unwrap_err();
            assert_eq!(error.kind, kernel::ErrorKind::Invalid);
        }
        assert!(export(&shop, &[1]).await.is_empty());
        assert_eq!(import(&shop, vec![count(1, 1), count(1, 8)]).await, (1, 0));
        assert_eq!(shop.level(1).await, (8, 0));
    })
    .await;
}
