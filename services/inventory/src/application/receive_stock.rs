//! Goods come in at a location.

use kernel::{Quantity, Sku, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::locations::Place;
use super::reach::Reach;
use super::shelf::{Shelf, add_location_key, use_location};
use super::{Booked, Booking, Error, Inventory};
use crate::domain::{LocationId, MovementKind, Policy, VariantId};

pub struct Receipt {
    pub location: LocationId,
    pub lines: Vec<ReceiptLine>,
    pub reference: Option<String>,
    pub note: Option<String>,
}

pub struct ReceiptLine {
    pub variant: VariantId,
    pub quantity: Quantity,
    /// Kept when inventory has no SKU of the variant yet.
    pub sku: Option<Sku>,
}

impl Inventory {
    /// Books all lines or none. A variant that inventory has never heard of exists from now on,
    /// counted and without backorders: the goods are there, after all.
    pub async fn receive(
        &self,
        context: &Context,
        once: Option<Idempotent<Booked>>,
        receipt: Receipt,
    ) -> Result<Booked, Error> {
        let mut reach = Reach::homes(receipt.lines.iter().map(|line| line.variant));
        for line in &receipt.lines {
            reach.add(line.variant, Place { id: receipt.location, active: true });
        }
        let booking = Booking {
            id: self.executor.env().uuid(),
            kind: MovementKind::Receipt,
            reason: None,
            reference: receipt.reference.clone(),
            note: receipt.note.clone(),
            by: Some(context.principal.owner()),
        };
        let policy = self.unknown_policy();
        let command = Receive { receipt, reach, booking, policy };
        self.executor.execute_once(context, once, command).await
    }

    /// How a variant is sold about which nobody has said anything.
    pub(super) fn unknown_policy(&self) -> Policy {
        Policy { low_stock_threshold: self.settings.low_stock_threshold, ..Policy::UNKNOWN }
    }
}

struct Receive {
    receipt: Receipt,
    reach: Reach,
    booking: Booking,
    policy: Policy,
}

impl Command for Receive {
    type Reply = Booked;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        add_location_key(keys, self.receipt.location);
        self.reach.add_keys(keys);
        self.booking.add_keys(keys, self.receipt.lines.len());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Booked, Error> {
        let location = self.receipt.location;
        use_location(states, location, "location_id")?;
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        for line in &self.receipt.lines {
            shelf.ensure_home(states, line.variant, self.policy)?;
            shelf.ensure_at(states, line.variant, location)?;
            shelf.book(states, line.variant, location, |row| {
                if row.sku.is_none() {
                    row.sku.clone_from(&line.sku);
                }
                row.adjust(i64::from(line.quantity.get()))
            })?;
        }
        Ok(shelf.close(states))
    }
}
