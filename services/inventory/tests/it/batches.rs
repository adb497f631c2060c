//! Orders that come at once, which the executor decides in one batch: as if one by one.

use contracts::inventory::v1::reserve_reply::Outcome;
use futures_util::future::join_all;
use proptest::prelude::*;

use crate::shop::{Shop, bytes, on_both, order, variant};

/// How many of either variant an order wants, or there are.
type Units = [u32; 2];

/// What an order is told: nothing, or of which variant there was how little.
type Told = Vec<(u128, u32)>;

fn lines(wanted: Units) -> Vec<(u128, u32)> {
    let lines = [(0, wanted[0]), (1, wanted[1])];
    lines.into_iter().filter(|(_, units)| *units > 0).collect()
}

/// A clerk who serves one after the other, all lines of an order or none.
fn serve(stock: Units, orders: &[Units], turns: &[usize]) -> Vec<Told> {
    let mut free = stock;
    let mut told = vec![Told::new(); orders.len()];
    for turn in turns {
        let wanted = orders[*turn];
        let short: Told = lines(wanted)
            .into_iter()
            .filter(|(n, units)| *units > free[*n as usize])
            .map(|(n, _)| (n, free[n as usize]))
            .collect();
        if short.is_empty() {
            free = [free[0] - wanted[0], free[1] - wanted[1]];
        }
        told[*turn] = short;
    }
    told
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let grown = shorter.iter().flat_map(|turns| {
        (0..count).map(|at| {
            let mut turns = turns.clone();
            turns.insert(at, count - 1);
            turns
        })
    });
    grown.collect()
}

async fn reserve(shop: &Shop, n: usize, wanted: Units) -> Told {
    let reply = shop.reserve(order(n as u128), &lines(wanted)).await;
    let short = |shortage: &contracts::inventory::v1::Shortage| {
        let n = (0..2).find(|n| bytes(variant(*n)) == shortage.variant_id).unwrap();
        assert!(shortage.available < shortage.requested, "{shortage:?}");
        (n, shortage.available)
    };
    let mut told: Told = reply.shortages.iter().map(short).collect();
    told.sort_unstable();
    assert_eq!(told.is_empty(), reply.outcome() == Outcome::Reserved, "{reply:?}");
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn orders_that_come_at_once_are_decided_as_if_one_by_one(
        stock in [0..7_u32, 0..7_u32],
        orders in prop::collection::vec([0..4_u32, 1..4_u32], 2..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_both(async |shop: Shop| {
            for (n, units) in lines(stock) {
                shop.receive(n, units).await;
            }
            let all = orders.iter().enumerate();
            let told = join_all(all.map(|(n, wanted)| reserve(&shop, n, *wanted))).await;
            let possible = permutations(orders.len());
            let fits = |turns: &Vec<usize>| serve(stock, &orders, turns) == told;
            assert!(possible.iter().any(fits), "{stock:?} {orders:?}: no clerk says {told:?}");
            // Asked again, each is told the same.
            for (n, wanted) in orders.iter().enumerate() {
                assert_eq!(reserve(&shop, n, *wanted).await, told[n]);
            }
            for n in 0..2 {
                let sold = orders.iter().zip(&told).filter(|(_, told)| told.is_empty());
                let sold: u32 = sold.map(|(wanted, _)| wanted[n]).sum();
                let level = shop.level(n as u128).await;
                assert_eq!((level.0, level.1), (i64::from(stock[n]), i64::from(sold)));
            }
        }));
    }
}
