//! Any sequence of calls and events, on the real executor: no row is ever unsound and the ledger
//! always adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::inventory::v1::reserve_reply::Outcome;
use contracts::ordering::v1::{OrderCancelled, OrderConfirmed, OrderLine, OrderRejected};
use proptest::prelude::*;
use serde_json::json;

use crate::shop::{ADJUSTMENTS, LEVELS, MOVEMENTS, Shop, bytes, on_both, order, var, variant};

#[derive(Clone, Debug)]
enum Op {
    Receive(u128, u32),
    Adjust(u128, i64),
    Policy(u128, bool, bool),
    Reserve(u128, u32, u32),
    Release(u128),
    Confirm(u128),
    Cancel(u128),
    Reject(u128),
    Wait(u64),
    Expire,
}

fn op() -> impl Strategy<Value = Op> {
    let (variants, orders) = (0..2_u128, 0..5_u128);
    prop_oneof![
        3 => (variants.clone(), 1..6_u32).prop_map(|(v, units)| Op::Receive(v, units)),
        2 => (variants.clone(), -4..4_i64).prop_map(|(v, delta)| Op::Adjust(v, delta)),
        1 => (variants, any::<bool>(), any::<bool>()).prop_map(|(v, t, b)| Op::Policy(v, t, b)),
        5 => (orders.clone(), 1..5_u32, 1..5_u32).prop_map(|(o, a, b)| Op::Reserve(o, a, b)),
        2 => orders.clone().prop_map(Op::Release),
        4 => orders.clone().prop_map(Op::Confirm),
        2 => orders.clone().prop_map(Op::Cancel),
        1 => orders.prop_map(Op::Reject),
        1 => (1..900_u64).prop_map(Op::Wait),
        2 => Just(Op::Expire),
    ]
}

/// What each order asked for, when it was reserved.
type Orders = BTreeMap<u128, Vec<(u128, u32)>>;

async fn apply(shop: &Shop, orders: &mut Orders, op: &Op) {
    let clerk = shop.clerk();
    match *op {
        Op::Receive(v, units) => shop.receive(v, units).await,
        Op::Adjust(v, delta) => {
            let body = json!({"variant_id": var(v), "delta": delta, "reason": "count"});
            let status = clerk.post(ADJUSTMENTS, body).await.status.as_u16();
            assert!([201, 400, 409, 422].contains(&status), "{status}");
        }
        Op::Policy(v, tracked, backorder) => {
            let body =
                json!({"tracked": tracked, "backorder": backorder, "low_stock_threshold": 1});
            let path = format!("{}/{}", crate::shop::POLICIES, var(v));
            let status = clerk.put(&path, body).await.status.as_u16();
            assert!([200, 409].contains(&status), "{status}");
        }
        Op::Reserve(o, a, b) => {
            let lines = vec![(0, a), (1, b)];
            if shop.reserve(order(o), &lines).await.outcome() == Outcome::Reserved {
                orders.entry(o).or_insert(lines);
            }
        }
        Op::Release(o) => shop.release(order(o)).await,
        Op::Confirm(o) => {
            let goods = orders.get(&o).cloned().unwrap_or_else(|| vec![(0, 1)]);
            let line = |(n, quantity)| OrderLine {
                variant_id: bytes(variant(n)),
                quantity,
                price_minor: 1,
            };
            let lines = goods.into_iter().map(line).collect();
            let event =
                OrderConfirmed { order_id: bytes(order(o)), lines, ..OrderConfirmed::default() };
            shop.tell("ordering", order(o), &event).await;
        }
        Op::Cancel(o) => {
            let event = OrderCancelled { order_id: bytes(order(o)), ..OrderCancelled::default() };
            shop.tell("ordering", order(o), &event).await;
        }
        Op::Reject(o) => {
            let event = OrderRejected { order_id: bytes(order(o)), ..OrderRejected::default() };
            shop.tell("ordering", order(o), &event).await;
        }
        Op::Wait(seconds) => shop.time.advance(Duration::from_secs(seconds)),
        Op::Expire => shop.expire().await,
    }
}

async fn check(shop: &Shop) {
    let clerk = shop.clerk();
    let levels = clerk.get(&format!("{LEVELS}?limit=100")).await.expect(200).body["items"].clone();
    let ledger = clerk.get(&format!("{MOVEMENTS}?limit=100")).await.expect(200).body.clone();
    assert!(ledger.get("next_cursor").is_none(), "the test reads one page");
    for level in levels.as_array().unwrap() {
        let number = |field: &str| level[field].as_i64().unwrap();
        let strict = level["tracked"] == true && level["backorder"] == false;
        assert!(number("reserved") >= 0, "{level}");
        assert!(!strict || number("reserved") <= number("on_hand") + number("oversold"), "{level}");
        let booked: i64 = ledger["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["variant_id"] == level["variant_id"])
            .map(|m| m["delta"].as_i64().unwrap())
            .sum();
        assert_eq!(booked, number("on_hand"), "{level}");
    }
    let path = format!("{}?status=active&limit=100", crate::shop::RESERVATIONS);
    let active = clerk.get(&path).await.expect(200).body["items"].clone();
    for n in 0..2 {
        let held: i64 = active
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|reservation| reservation["lines"].as_array().unwrap().clone())
            .filter(|line| line["variant_id"] == var(n))
            .flat_map(|line| line["splits"].as_array().unwrap().clone())
            .map(|split| split["quantity"].as_i64().unwrap())
            .sum();
        assert_eq!(shop.level(n).await.1, held, "held units belong to active reservations");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn calls_and_events_in_any_order_leave_the_books_in_balance(
        ops in proptest::collection::vec(op(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_both(async |shop: Shop| {
            let mut orders = Orders::new();
            for op in &ops {
                apply(&shop, &mut orders, op).await;
            }
            check(&shop).await;
        }));
    }
}
