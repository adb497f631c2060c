//! Pages of a list: by key, never by offset.

/// An opaque place in a list: the sort key and id of the last element of a page, encoded by
/// `platform`. Whoever holds one may only hand it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// How many elements a page holds: 1 to [`Limit::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    pub const MAX: u32 = 100;
    pub const DEFAULT: Self = Self(20);

    pub fn new(limit: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&limit).then_some(Self(limit))
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}
