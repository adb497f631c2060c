//! An import says how many units there are. Only what it says *anew* counts: a count equal to the
//! last imported one changes nothing, whatever was sold since.

use futures_util::future::try_join_all;
use kernel::{Sku, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};

use super::reach::Reach;
use super::shelf::Shelf;
use super::{Booking, Error, Inventory};
use crate::domain::{Imported, LocationId, MovementKind, Policy, Stock, VariantId};

/// Variants a command: enough to share a commit, few enough to leave room for an order between.
const CHUNK: usize = 250;

#[derive(Clone, Debug)]
pub struct Count {
    pub variant: VariantId,
    pub sku: Option<Sku>,
    pub imported: Imported,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub changed: u32,
    pub unchanged: u32,
}

impl Inventory {
    /// Sets the units at the default location, and the policy in all rows. When a variant stands
    /// in `counts` twice, the last one holds. Not one transaction; doing it again is harmless.
    pub async fn apply_counts(
        &self,
        context: &Context,
        counts: Vec<Count>,
    ) -> Result<Applied, Error> {
        let variants: Vec<VariantId> = counts.iter().map(|count| count.variant).collect();
        let homes = self.homes(&variants).await?;
        let known: std::collections::HashMap<VariantId, &Stock> =
            homes.iter().map(|home| (home.variant(), &home.state)).collect();
        let total = counts.len() as u32;
        let news: Vec<Count> = counts
            .into_iter()
            .filter(|count| known.get(&count.variant).is_none_or(|home| count.is_news_to(home)))
            .collect();
        let chunks = news.chunks(CHUNK).map(|chunk| self.apply_chunk(context, chunk));
        let changed = try_join_all(chunks).await?.into_iter().sum();
        Ok(Applied { changed, unchanged: total.saturating_sub(changed) })
    }

    async fn apply_chunk(&self, context: &Context, counts: &[Count]) -> Result<u32, Error> {
        let variants: Vec<VariantId> = counts.iter().map(|count| count.variant).collect();
        let id = self.executor.env().uuid();
        for attempt in 0..3 {
            let reach = self.reach(&variants, attempt > 0).await?;
            let mut booking = Booking::new(id, MovementKind::Import);
            booking.by = Some(context.principal.owner());
            let threshold = self.settings.low_stock_threshold;
            let command = ApplyCounts { counts: counts.to_vec(), reach, booking, threshold };
            match self.executor.execute(context, command).await {
                Err(Error::Stale) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Stale)
    }
}

impl Count {
    fn is_news_to(&self, home: &Stock) -> bool {
        home.imported != Some(self.imported) || (self.sku.is_some() && self.sku != home.sku)
    }
}

struct ApplyCounts {
    counts: Vec<Count>,
    reach: Reach,
    booking: Booking,
    threshold: i64,
}

impl Command for ApplyCounts {
    type Reply = u32;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        self.reach.add_keys(keys);
        self.booking.add_keys(keys, self.counts.len());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<u32, Error> {
        if self.reach.misses_a_place(states) {
            return Err(Error::Stale);
        }
        let mut changed = 0;
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        for count in &self.counts {
            changed += u32::from(self.apply(&mut shelf, states, count)?);
        }
        shelf.close(states);
        Ok(changed)
    }
}

impl ApplyCounts {
    fn apply(
        &self,
        shelf: &mut Shelf<'_>,
        states: &States<'_>,
        count: &Count,
    ) -> Result<bool, Error> {
        let Count { variant, sku, imported } = count;
        let home = LocationId::DEFAULT;
        let (threshold, before, sold_as) = match shelf.find(states, *variant, home)? {
            Some(row) if !count.is_news_to(row) => return Ok(false),
            Some(row) => {
                let policy = row.policy();
                (policy.low_stock_threshold, row.imported, Some(policy))
            }
            None => (self.threshold, None, None),
        };
        let Imported { on_hand, tracked, backorder } = *imported;
        let policy = Policy { tracked, backorder, low_stock_threshold: threshold };
        shelf.ensure_home(states, *variant, policy)?;
        for row in self.reach.rows(*variant) {
            shelf.change(states, *variant, row.location, |row| {
                if sku.is_some() {
                    row.sku.clone_from(sku);
                }
                Ok(())
            })?;
        }
        let said = before.is_none_or(|b| b.tracked != tracked || b.backorder != backorder);
        let new_policy = said && sold_as.is_some_and(|sold_as| sold_as != policy);
        // A policy that allows more goes first, one that allows less last: between them the count
        // meets the wider of the two.
        if new_policy && !policy.strict() {
            self.set_policy(shelf, states, *variant, policy)?;
        }
        if before.is_none_or(|before| before.on_hand != on_hand) {
            shelf.book(states, *variant, home, |row| {
                row.count(on_hand);
                Ok(())
            })?;
        }
        let applied =
            !new_policy || !policy.strict() || self.set_policy(shelf, states, *variant, policy)?;
        shelf.change(states, *variant, home, |row| {
            // A policy that could not be set is news again at the next import.
            let kept = Imported {
                on_hand,
                ..before.unwrap_or(Imported {
                    tracked: row.policy().tracked,
                    backorder: row.policy().backorder,
                    on_hand,
                })
            };
            row.imported = Some(if applied { *imported } else { kept });
            Ok(())
        })?;
        Ok(true)
    }

    /// In all rows, or in none when one of them has promised what the policy forbids: an import
    /// does not stop for that.
    fn set_policy(
        &self,
        shelf: &mut Shelf<'_>,
        states: &States<'_>,
        variant: VariantId,
        policy: Policy,
    ) -> Result<bool, Error> {
        let rows = self.reach.rows(variant);
        for row in rows {
            let found = shelf.find(states, variant, row.location)?;
            if found.is_some_and(|found| found.clone().set_policy(policy).is_err()) {
                return Ok(false);
            }
        }
        for row in rows {
            shelf.change(states, variant, row.location, |row| row.set_policy(policy))?;
        }
        Ok(true)
    }
}
