//! What must hold after any sequence of steps, found out by trying many.

mod world;

use kernel::Timestamp;
use proptest::prelude::*;

use super::{Ask, Imported, Policy, Reservation, Stock, allocate};
use world::{Op, World, location, op, variant, wanted};

const STRICT: Policy = Policy { tracked: true, backorder: false, low_stock_threshold: 0 };

proptest! {
    #[test]
    fn any_sequence_agrees_with_a_clerk_who_counts_on_paper(
        ops in proptest::collection::vec(op(), 1..80)
    ) {
        let mut world = World::new(STRICT);
        for (turn, op) in ops.iter().enumerate() {
            world.apply(op, Timestamp::from_micros(turn as i64));
            world.check();
        }
    }

    #[test]
    fn backorders_take_everything_and_still_add_up(
        ops in proptest::collection::vec(op(), 1..60)
    ) {
        let mut world = World::new(Policy { backorder: true, ..STRICT });
        for (turn, op) in ops.iter().enumerate() {
            let now = Timestamp::from_micros(turn as i64);
            if let Op::Reserve { order, first, second, .. } = op
                && !world.orders.contains_key(order)
            {
                prop_assert!(allocate(&world.asks(&wanted(*first, *second))).is_ok());
                // The clerk of this world does not refuse, so only the sums are compared.
                let lines = allocate(&world.asks(&wanted(*first, *second))).unwrap();
                world.splits(&lines, |row, units| row.reserve(units).unwrap());
                world.held(&lines, 0, 1);
                let expires_at = Timestamp::from_micros(turn as i64 + 5);
                world.orders.insert(*order, Reservation::active(lines, expires_at, now));
            } else {
                world.apply(op, now);
            }
            world.check();
            prop_assert!(world.rows.values().all(|row| row.oversold() == 0));
        }
    }

    #[test]
    fn a_row_stays_sound_whatever_its_policy_becomes(
        steps in proptest::collection::vec((0..8_u8, 0..9_i64, any::<bool>(), any::<bool>()), 1..80)
    ) {
        let mut row = Stock::empty(variant(0), location(0), STRICT);
        let mut booked = 0;
        for (kind, units, tracked, backorder) in steps {
            let before = row.clone();
            let refused = match kind {
                0 => row.reserve(units).is_err(),
                1 => row.release(units).is_err(),
                2 => row.commit(units).is_err(),
                3 => row.adjust(units - 4).is_err(),
                4 => row.take_away(units).is_err(),
                5 => row.set_policy(Policy { tracked, backorder, low_stock_threshold: units }).is_err(),
                6 => {
                    let missing = row.sell_unreserved(units);
                    prop_assert!(missing <= units && (missing == 0 || before.policy().strict()));
                    false
                }
                _ => {
                    let delta = row.count(units - 4);
                    prop_assert_eq!(delta, row.on_hand() - before.on_hand());
                    false
                }
            };
            prop_assert!(row.is_sound(), "{:?} became {:?}", before, row);
            if refused {
                prop_assert_eq!(&row, &before, "a refusal changes nothing");
            }
            booked += row.on_hand() - before.on_hand();
            prop_assert_eq!(booked, row.on_hand());
        }
    }

    #[test]
    fn a_stored_row_is_read_as_it_was_written(on_hand in -9..9_i64, tracked: bool, backorder: bool) {
        let mut row = Stock::empty(variant(1), location(1), Policy { tracked, backorder, low_stock_threshold: 3 });
        row.count(on_hand);
        row.add_place(location(2));
        row.imported = Some(Imported { on_hand, tracked, backorder });
        row.sku = "MUG-1".parse().ok();
        let text = serde_json::to_string(&row).unwrap();
        prop_assert_eq!(serde_json::from_str::<Stock>(&text).unwrap(), row);
    }
}

#[test]
fn locations_serve_in_order_and_backorders_wait_at_home() {
    let backorder = Policy { backorder: true, ..STRICT };
    let row = |l: u128, units: i64| {
        let mut row = Stock::empty(variant(0), location(l), backorder);
        row.adjust(units).unwrap();
        row
    };
    let (home, near, far) = (row(0, 2), row(1, 3), row(2, 4));
    let splits = |units: u32| {
        let ask =
            Ask { variant: variant(0), units, home: Some(&home), rows: vec![&near, &home, &far] };
        let lines = allocate(&[ask]).unwrap();
        lines[0].splits.iter().map(|split| (split.location, split.units)).collect::<Vec<_>>()
    };
    assert_eq!(splits(2), [(location(1), 2)]);
    assert_eq!(splits(6), [(location(1), 3), (location(0), 2), (location(2), 1)]);
    assert_eq!(splits(12), [(location(1), 3), (location(0), 5), (location(2), 4)]);
}

#[test]
fn what_is_not_counted_is_always_there_and_what_is_unknown_never() {
    let untracked = Stock::empty(variant(0), location(0), Policy { tracked: false, ..STRICT });
    let ask = |home| Ask { variant: variant(0), units: 9, home, rows: Vec::new() };
    assert!(allocate(&[ask(Some(&untracked))]).unwrap()[0].splits.is_empty());
    assert_eq!(allocate(&[ask(None)]).unwrap_err()[0].available, 0);
}

#[test]
fn oversold_units_are_paid_back_by_the_next_goods() {
    let mut row = Stock::empty(variant(0), location(0), STRICT);
    row.adjust(1).unwrap();
    assert_eq!(row.sell_unreserved(3), 2);
    assert_eq!((row.on_hand(), row.oversold(), row.free()), (-2, 2, 0));
    row.adjust(5).unwrap();
    assert_eq!((row.on_hand(), row.oversold(), row.free()), (3, 0, 3));
}
