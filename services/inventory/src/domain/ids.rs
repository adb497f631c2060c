//! Ids of this service, and those that follow from others.

use kernel::id::Uuid;
use kernel::typed_id;

typed_id!(
    /// A variant of catalog. Inventory knows no more of it than this id and, maybe, its SKU.
    VariantId, "var"
);
typed_id!(
    /// A place where stock lies.
    LocationId, "loc"
);
typed_id!(
    /// An order of ordering, and at the same time the id of its reservation.
    OrderId, "ord"
);
typed_id!(
    /// A row of the movements ledger.
    MovementId, "mov"
);

/// What all ids derived here are derived under; random once, fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0e_9c3a_7b1d_4c8e_9a6f_2d41_83b7_c05e);

impl LocationId {
    /// The location that every shop has. Its id is the same in every shop, so that bootstrap can
    /// run on any process, any number of times.
    pub const DEFAULT: Self =
        Self::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_6d65_7263_6174));
}

/// The stock row of one variant at one location: the time of the variant's id and a
/// hash of both ids. Anyone can derive it, which is how a command names its keys without a
/// look-up; the time bits keep rows that were imported together next to each other on disk.
pub fn stock_id(variant: VariantId, location: LocationId) -> Uuid {
    let mut both = [0; 32];
    both[..16].copy_from_slice(variant.uuid().as_bytes());
    both[16..].copy_from_slice(location.uuid().as_bytes());
    kernel::id::v8_after(variant.uuid(), NAMESPACE, &both)
}

impl MovementId {
    /// The `index`th movement of one command whose own fresh id is `base`. Deciding twice gives the
    /// same ids.
    pub fn nth(base: Uuid, index: u32) -> Self {
        Self::from_uuid(Uuid::from_u128(base.as_u128() ^ u128::from(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stock_ids_differ_by_variant_and_location_and_keep_the_variants_time(a: u128, b: u128, c: u128) {
            prop_assume!(b != c);
            let [a, b, c] = [a, b, c].map(Uuid::from_u128);
            let id = stock_id(a.into(), b.into());
            prop_assert_eq!(id, stock_id(a.into(), b.into()));
            prop_assert_ne!(id, stock_id(a.into(), c.into()));
            prop_assert_ne!(stock_id(b.into(), a.into()), stock_id(c.into(), a.into()));
            prop_assert_eq!(&id.as_bytes()[..6], &a.as_bytes()[..6]);
            prop_assert_eq!(id.get_version_num(), 8);
        }

        #[test]
        fn movements_of_one_command_have_different_ids(base: u128, i: u32, j: u32) {
            let base = Uuid::from_u128(base);
            prop_assert_eq!(MovementId::nth(base, i) == MovementId::nth(base, j), i == j);
        }
    }
}
