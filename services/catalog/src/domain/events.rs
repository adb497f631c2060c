//! What other services learn when a product changes: the difference of two states.

use kernel::Currency;

use super::product::{Product, Status};
use super::variant::VariantId;

/// A fact about a product, in the words of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The product is for sale; also told again when its set of variants changes. `counts_follow`:
    /// inventory will hear of the units of each variant right away.
    Published { variants: Vec<VariantId>, counts_follow: bool },
    /// The product is no longer for sale: `draft`, `archived` or `deleted`.
    Withdrawn { variants: Vec<VariantId>, status: &'static str },
    /// Prices of a published product that are new or different.
    PriceChanged { prices: Vec<(VariantId, Currency, i64)> },
}

/// What happened between two states of a product; `None` is its absence.
pub fn between(old: Option<&Product>, new: Option<&Product>) -> Vec<Event> {
    let was = old.filter(|p| p.is_published());
    let mut events = Vec::new();
    match (was, new) {
        (Some(was), None) => {
            events.push(Event::Withdrawn { variants: was.variant_ids(), status: "deleted" });
        }
        (Some(was), Some(now)) if !now.is_published() => {
            events
                .push(Event::Withdrawn { variants: was.variant_ids(), status: now.status.code() });
        }
        (None, Some(now)) if now.status == Status::Published => {
            events.push(published(now));
        }
        (Some(was), Some(now)) => {
            let mut before = was.variant_ids();
            let mut after = now.variant_ids();
            before.sort_unstable();
            after.sort_unstable();
            if before != after {
                events.push(published(now));
            }
            let prices = changed_prices(was, now);
            if !prices.is_empty() {
                events.push(Event::PriceChanged { prices });
            }
        }
        _ => {}
    }
    events
}

fn published(now: &Product) -> Event {
    Event::Published { variants: now.variant_ids(), counts_follow: false }
}

fn changed_prices(was: &Product, now: &Product) -> Vec<(VariantId, Currency, i64)> {
    let mut changed = Vec::new();
    for (index, variant) in now.variants.iter().enumerate() {
        // Variants rarely move, so the old one usually stands at the same place.
        let before = was
            .variants
            .get(index)
            .filter(|v| v.id == variant.id)
            .or_else(|| was.variant(variant.id));
        let Some(before) = before else { continue };
        for price in &variant.prices {
            if before.price(price.currency).map(|p| p.amount_minor) != Some(price.amount_minor) {
                changed.push((variant.id, price.currency, price.amount_minor));
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::super::{Price, Variant};
    use super::*;
    use kernel::Timestamp;
    use kernel::id::Uuid;

    fn product(status: Status, price: i64) -> Product {
        let mut product = Product::new("mug".parse().unwrap(), Timestamp::EPOCH);
        let mut variant = Variant::new(VariantId::from_uuid(Uuid::from_u128(1)));
        variant.prices.push(Price {
            amount_minor: price,
            currency: Currency::EUR,
            compare_at_minor: None,
        });
        product.variants.push(variant);
        product.set_status(status, Timestamp::EPOCH);
        product
    }

    #[test]
    fn drafts_are_nobodys_business() {
        let draft = product(Status::Draft, 100);
        assert_eq!(between(None, Some(&draft)), []);
        assert_eq!(between(Some(&draft), Some(&product(Status::Draft, 200))), []);
        assert_eq!(between(Some(&draft), None), []);
    }

    #[test]
    fn publishing_withdrawing_and_new_prices_are_told() {
        let variants = vec![VariantId::from_uuid(Uuid::from_u128(1))];
        let (draft, live) = (product(Status::Draft, 100), product(Status::Published, 100));
        let published = Event::Published { variants: variants.clone(), counts_follow: false };
        assert_eq!(between(Some(&draft), Some(&live)), std::slice::from_ref(&published));
        let withdrawn = |status| [Event::Withdrawn { variants: variants.clone(), status }];
        assert_eq!(between(Some(&live), Some(&draft)), withdrawn("draft"));
        assert_eq!(between(Some(&live), None), withdrawn("deleted"));
        let dearer = product(Status::Published, 120);
        let prices = vec![(variants[0], Currency::EUR, 120)];
        assert_eq!(between(Some(&live), Some(&dearer)), [Event::PriceChanged { prices }]);
        assert_eq!(between(Some(&live), Some(&live)), []);
    }
}
