//! How a variant is sold: counted or not, below zero or not, and from when on it is low.

use kernel::{Sku, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::reach::Reach;
use super::shelf::Shelf;
use super::{Booked, Booking, Error, Inventory};
use crate::domain::{MovementKind, Policy, VariantId};

pub struct PolicyChange {
    pub variant: VariantId,
    pub policy: Policy,
    pub sku: Option<Sku>,
}

impl Inventory {
    /// Sets the policy in every row of the variant; inventory need not know the variant before.
    /// Refused when units are promised that the new policy forbids.
    pub async fn set_policy(
        &self,
        context: &Context,
        once: Option<Idempotent<Booked>>,
        change: PolicyChange,
    ) -> Result<Booked, Error> {
        let id = self.executor.env().uuid();
        for _ in 0..3 {
            let reach = self.reach(&[change.variant], true).await?;
            let PolicyChange { variant, policy, ref sku } = change;
            let sku = sku.clone();
            let booking = Booking::new(id, MovementKind::Adjustment);
            let command =
                SetPolicy { change: PolicyChange { variant, policy, sku }, reach, booking };
            match self.executor.execute_once(context, once.clone(), command).await {
                Err(Error::Stale) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Stale)
    }
}

struct SetPolicy {
    change: PolicyChange,
    reach: Reach,
    booking: Booking,
}

impl Command for SetPolicy {
    type Reply = Booked;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        self.reach.add_keys(keys);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Booked, Error> {
        let PolicyChange { variant, policy, ref sku } = self.change;
        if self.reach.misses_a_place(states) {
            return Err(Error::Stale);
        }
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        shelf.ensure_home(states, variant, policy)?;
        for row in self.reach.rows(variant) {
            shelf.change(states, variant, row.location, |row| {
                if sku.is_some() {
                    row.sku.clone_from(sku);
                }
                row.set_policy(policy)
            })?;
        }
        Ok(shelf.close(states))
    }
}
