//! A whole shop in a few maps, to try sequences of steps on.

use std::collections::BTreeMap;

use kernel::Timestamp;
use kernel::id::Uuid;
use proptest::prelude::*;

use super::super::{
    Ask, Effect, Line, LocationId, Policy, Reservation, Stock, VariantId, allocate,
    allocate_regardless,
};

const VARIANTS: u128 = 2;
const LOCATIONS: u128 = 3;

pub fn variant(n: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(n))
}

pub fn location(n: u128) -> LocationId {
    if n == 0 { LocationId::DEFAULT } else { LocationId::from_uuid(Uuid::from_u128(n)) }
}

#[derive(Clone, Debug)]
pub enum Op {
    Receive { variant: u128, location: u128, units: i64 },
    Adjust { variant: u128, location: u128, delta: i64 },
    Reserve { order: u8, first: u32, second: u32, expires_at: i64 },
    Release { order: u8 },
    Expire { order: u8 },
    Confirm { order: u8, first: u32, second: u32 },
    Cancel { order: u8 },
}

pub fn op() -> impl Strategy<Value = Op> {
    let (variants, locations) = (0..VARIANTS, 0..LOCATIONS);
    prop_oneof![
        (variants.clone(), locations.clone(), 1..6_i64)
            .prop_map(|(variant, location, units)| { Op::Receive { variant, location, units } }),
        (variants, locations, -4..4_i64).prop_map(|(variant, location, delta)| Op::Adjust {
            variant,
            location,
            delta
        }),
        (0..6_u8, 0..5_u32, 1..5_u32, 0..60_i64).prop_map(|(order, first, second, expires_at)| {
            Op::Reserve { order, first, second, expires_at }
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
pub struct World {
    pub rows: BTreeMap<(u128, u128), Stock>,
    pub orders: BTreeMap<u8, Reservation>,
    ledger: BTreeMap<(u128, u128), i64>,
    /// What a clerk with one number per variant would write down: units in the house, units held.
    clerk: BTreeMap<u128, (i64, i64)>,
}

impl World {
    pub fn new(policy: Policy) -> Self {
        let keys = || (0..VARIANTS).flat_map(|v| (0..LOCATIONS).map(move |l| (v, l)));
        let row = |(v, l)| ((v, l), Stock::empty(variant(v), location(l), policy));
        Self {
            rows: keys().map(row).collect(),
            orders: BTreeMap::new(),
            ledger: keys().map(|key| (key, 0)).collect(),
            clerk: (0..VARIANTS).map(|v| (v, (0, 0))).collect(),
        }
    }

    pub fn asks(&self, wanted: &[(u128, u32)]) -> Vec<Ask<'_>> {
        let ask = |(v, units): &(u128, u32)| Ask {
            variant: variant(*v),
            units: *units,
            home: self.rows.get(&(*v, 0)),
            rows: (0..LOCATIONS).filter_map(|l| self.rows.get(&(*v, l))).collect(),
        };
        wanted.iter().map(ask).collect()
    }

    pub fn splits(&mut self, lines: &[Line], mut each: impl FnMut(&mut Stock, i64)) {
        for line in lines {
            for split in &line.splits {
                let v = line.variant.uuid().as_u128();
                let l = (0..LOCATIONS).find(|l| location(*l) == split.location).unwrap();
                let row = self.rows.get_mut(&(v, l)).unwrap();
                let before = row.on_hand();
                each(row, i64::from(split.units));
                *self.ledger.get_mut(&(v, l)).unwrap() += row.on_hand() - before;
            }
        }
    }

    pub fn held(&mut self, lines: &[Line], on_hand: i64, held: i64) {
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

    pub fn apply(&mut self, op: &Op, now: Timestamp) {
        match *op {
            Op::Receive { variant, location, units } => self.book(variant, location, units),
            Op::Adjust { variant, location, delta } => self.book(variant, location, delta),
            Op::Reserve { order, first, second, expires_at } => {
                if !self.orders.contains_key(&order) {
                    self.reserve(order, &wanted(first, second), expires_at, now);
                }
            }
            Op::Release { order } => self.settle(order, &[], |r| r.release(now)),
            Op::Expire { order } => self.settle(order, &[], |r| r.expire(now)),
            Op::Confirm { order, first, second } => {
                self.settle(order, &wanted(first, second), |r| r.confirm(now));
            }
            Op::Cancel { order } => self.settle(order, &[], |r| r.cancel(now)),
        }
    }

    fn book(&mut self, variant: u128, location: u128, delta: i64) {
        if self.rows.get_mut(&(variant, location)).unwrap().adjust(delta).is_ok() {
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
                assert!(shortages.iter().all(|short| short.available < short.requested));
                Reservation::refused(shortages, now)
            }
        };
        self.orders.insert(order, reservation);
    }

    pub fn check(&self) {
        for (key, row) in &self.rows {
            assert!(row.is_sound(), "{row:?}");
            assert_eq!(row.on_hand(), self.ledger[key], "the ledger does not add up");
        }
        for v in 0..VARIANTS {
            let of_variant =
                || self.rows.iter().filter(|((of, _), _)| *of == v).map(|(_, row)| row);
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
            assert_eq!(i64::from(held), reserved, "held units belong to active reservations");
        }
    }
}

pub fn wanted(first: u32, second: u32) -> Vec<(u128, u32)> {
    [(0, first), (1, second)].into_iter().filter(|(_, units)| *units > 0).collect()
}
