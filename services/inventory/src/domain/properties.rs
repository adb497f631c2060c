//! What must hold after any sequence of steps, found out by trying many.

use std::collections::BTreeMap;

use kernel::Timestamp;
use kernel::id::Uuid;
use proptest::prelude::*;

use super::{
    Ask, Effect, Imported, Line, LocationId, Policy, Reservation, Stock, VariantId, allocate,
    allocate_regardless,
};

const VARIANTS: u128 = 2;
const LOCATIONS: u128 = 3;
const STRICT: Policy = Policy {
    tracked: true,
    backorder: false,
    low_stock_threshold: 0,
};

fn variant(n: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(n))
}

fn location(n: u128) -> LocationId {
    if n == 0 {
        LocationId::DEFAULT
    } else {
        LocationId::from_uuid(Uuid::from_u128(n))
    }
}

#[derive(Clone, Debug)]
enum Op {
    Receive {
        variant: u128,
        location: u128,
        units: i64,
    },
    Adjust {
        variant: u128,
        location: u128,
        delta: i64,
    },
    Reserve {
        order: u8,
        first: u32,
        second: u32,
        expires_at: i64,
    },
    Release {
        order: u8,
    },
    Expire {
        order: u8,
    },
    Confirm {
        order: u8,
        first: u32,
        second: u32,
    },
    Cancel {
        order: u8,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let (variants, locations) = (0..VARIANTS, 0..LOCATIONS);
    prop_oneof![
        (variants.clone(), locations.clone(), 1..6_i64).prop_map(|(variant, location, units)| {
            Op::Receive {
                variant,
                location,
                units,
            }
        }),
        (variants, locations, -4..4_i64).prop_map(|(variant, location, delta)| Op::Adjust {
            variant,
            location,
            delta
        }),
        (0..6_u8, 0..5_u32, 1..5_u32, 0..60_i64).prop_map(|(order, first, second, expires_at)| {
            Op::Reserve {
                order,
                first,
                second,
                expires_at,
            }
        }),
        (0..6_u8).prop_map(|order| Op::Release { order }),
        (0..6_u8).prop_map(|order| Op::Expire { order }),
        (0..6_u8, 0..3_u32, 1..3_u32).prop_map(|(order, first, second)| Op::Confirm {
            order,
            first,
            second
        }),
        (0..6_u8).prop_map(|order| Op::Cancel { order }),
    ]
}

/// The shelves, the orders and the ledger, as the use cases would keep them.
struct World {
    rows: BTreeMap<(u128, u128), Stock>,
    orders: BTreeMap<u8, Reservation>,
    ledger: BTreeMap<(u128, u128), i64>,
    /// What a clerk with one number per variant would write down: units in the house, units held.
    clerk: BTreeMap<u128, (i64, i64)>,
}

impl World {
    fn new(policy: Policy) -> Self {
        let keys = || (0..VARIANTS).flat_map(|v| (0..LOCATIONS).map(move |l| (v, l)));
        let row = |(v, l)| ((v, l), Stock::empty(variant(v), location(l), policy));
        Self {
            rows: keys().map(row).collect(),
            orders: BTreeMap::new(),
            ledger: keys().map(|key| (key, 0)).collect(),
            clerk: (0..VARIANTS).map(|v| (v, (0, 0))).collect(),
        }
    }

    fn asks(&self, wanted: &[(u128, u32)]) -> Vec<Ask<'_>> {
        let ask = |(v, units): &(u128, u32)| Ask {
            variant: variant(*v),
            units: *units,
            home: self.rows.get(&(*v, 0)),
            rows: (0..LOCATIONS)
                .filter_map(|l| self.rows.get(&(*v, l)))
                .collect(),
        };
        wanted.iter().map(ask).collect()
    }

    fn splits(&mut self, lines: &[Line], mut each: impl FnMut(&mut Stock, i64)) {
        for line in lines {
            for split in &line.splits {
                let v = line.variant.uuid().as_u128();
                let l = (0..LOCATIONS)
                    .find(|l| location(*l) == split.location)
                    .unwrap();
                let row = self.rows.get_mut(&(v, l)).unwrap();
                let before = row.on_hand();
                each(row, i64::from(split.units));
                *self.ledger.get_mut(&(v, l)).unwrap() += row.on_hand() - before;
            }
        }
    }

    fn held(&mut self, lines: &[Line], on_hand: i64, held: i64) {
        for line in lines {
            let clerk = self.clerk.get_mut(&line.variant.uuid().as_u128()).unwrap();
            clerk.0 += on_hand * i64::from(line.units);
            clerk.1 += held * i64::from(line.units);
        }
    }

    fn settle(
        &mut self,
        order: u8,
        wanted: &[(u128, u32)],
        step: impl FnOnce(&mut Reservation) -> Effect,
    ) {
        let Some(mut reservation) = self.orders.get(&order).cloned() else {
            return;
        };
        let effect = step(&mut reservation);
        if effect == Effect::SellUnreserved {
            reservation.lines = allocate_regardless(&self.asks(wanted));
        }
        let lines = reservation.lines.clone();
        match effect {
            Effect::Nothing => {}
            Effect::Release => {
                self.splits(&lines, |row, units| row.release(units).unwrap());
                self.held(&lines, 0, -1);
            }
            Effect::Commit => {
                self.splits(&lines, |row, units| row.commit(units).unwrap());
                self.held(&lines, -1, -1);
            }
            Effect::SellUnreserved => {
                self.splits(&lines, |row, units| {
                    row.sell_unreserved(units);
                });
                self.held(&lines, -1, 0);
            }
            Effect::Return => {
                self.splits(&lines, Stock::put_back);
                self.held(&lines, 1, 0);
            }
        }
        self.orders.insert(order, reservation);
    }

    fn apply(&mut self, op: &Op, now: Timestamp) {
        match *op {
            Op::Receive {
                variant,
                location,
                units,
            } => self.book(variant, location, units),
            Op::Adjust {
                variant,
                location,
                delta,
            } => self.book(variant, location, delta),
            Op::Reserve {
                order,
                first,
                second,
                expires_at,
            } => {
                if !self.orders.contains_key(&order) {
                    self.reserve(order, &wanted(first, second), expires_at, now);
                }
            }
            Op::Release { order } => self.settle(order, &[], |r| r.release(now)),
            Op::Expire { order } => self.settle(order, &[], |r| r.expire(now)),
            Op::Confirm {
                order,
                first,
                second,
            } => {
                self.settle(order, &wanted(first, second), |r| r.confirm(now));
            }
            Op::Cancel { order } => self.settle(order, &[], |r| r.cancel(now)),
        }
    }

    fn book(&mut self, variant: u128, location: u128, delta: i64) {
        if self
            .rows
            .get_mut(&(variant, location))
            .unwrap()
            .adjust(delta)
            .is_ok()
        {
            *self.ledger.get_mut(&(variant, location)).unwrap() += delta;
            self.clerk.get_mut(&variant).unwrap().0 += delta;
        }
    }

    fn reserve(&mut self, order: u8, wanted: &[(u128, u32)], expires_at: i64, now: Timestamp) {
        let decided = allocate(&self.asks(wanted));
        let oversold = self.rows.values().any(|row| row.oversold() > 0);
        if !oversold {
            let free = |v: &u128| self.clerk[v].0 - self.clerk[v].1;
            let enough = wanted.iter().all(|(v, units)| i64::from(*units) <= free(v));
            assert_eq!(decided.is_ok(), enough, "the clerk decides otherwise");
        }
        let reservation = match decided {
            Ok(lines) => {
                self.splits(&lines, |row, units| row.reserve(units).unwrap());
                self.held(&lines, 0, 1);
                Reservation::active(lines, Timestamp::from_micros(expires_at), now)
            }
            Err(shortages) => {
                assert!(
                    shortages
                        .iter()
                        .all(|short| short.available < short.requested)
                );
                Reservation::refused(shortages, now)
            }
        };
        self.orders.insert(order, reservation);
    }

    fn check(&self) {
        for (key, row) in &self.rows {
            assert!(row.is_sound(), "{row:?}");
            assert_eq!(
                row.on_hand(),
                self.ledger[key],
                "the ledger does not add up"
            );
        }
        for v in 0..VARIANTS {
            let of_variant = || {
                self.rows
                    .iter()
                    .filter(|((of, _), _)| *of == v)
                    .map(|(_, row)| row)
            };
            let on_hand: i64 = of_variant().map(Stock::on_hand).sum();
            let reserved: i64 = of_variant().map(Stock::reserved).sum();
            assert_eq!((on_hand, reserved), self.clerk[&v]);
            let held: u32 = self
                .orders
                .values()
                .filter(|reservation| reservation.expires_at().is_some())
                .flat_map(|reservation| &reservation.lines)
                .filter(|line| line.variant == variant(v))
                .map(|line| line.units)
                .sum();
            assert_eq!(
                i64::from(held),
                reserved,
                "held units belong to active reservations"
            );
        }
    }
}

fn wanted(first: u32, second: u32) -> Vec<(u128, u32)> {
    [(0, first), (1, second)]
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .collect()
}

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
    let backorder = Policy {
        backorder: true,
        ..STRICT
    };
    let row = |l: u128, units: i64| {
        let mut row = Stock::empty(variant(0), location(l), backorder);
        row.adjust(units).unwrap();
        row
    };
    let (home, near, far) = (row(0, 2), row(1, 3), row(2, 4));
    let splits = |units: u32| {
        let ask = Ask {
            variant: variant(0),
            units,
            home: Some(&home),
            rows: vec![&near, &home, &far],
        };
        let lines = allocate(&[ask]).unwrap();
        lines[0]
            .splits
            .iter()
            .map(|split| (split.location, split.units))
            .collect::<Vec<_>>()
    };
    assert_eq!(splits(2), [(location(1), 2)]);
    assert_eq!(
        splits(6),
        [(location(1), 3), (location(0), 2), (location(2), 1)]
    );
    assert_eq!(
        splits(12),
        [(location(1), 3), (location(0), 5), (location(2), 4)]
    );
}

#[test]
fn what_is_not_counted_is_always_there_and_what_is_unknown_never() {
    let untracked = Stock::empty(
        variant(0),
        location(0),
        Policy {
            tracked: false,
            ..STRICT
        },
    );
    let ask = |home| Ask {
        variant: variant(0),
        units: 9,
        home,
        rows: Vec::new(),
    };
    assert!(
        allocate(&[ask(Some(&untracked))]).unwrap()[0]
            .splits
            .is_empty()
    );
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
