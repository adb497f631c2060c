//! Which location gives what to an order: all lines or none.

use serde::{Deserialize, Serialize};

use super::ids::{LocationId, VariantId};
use super::stock::Stock;

/// What an order holds of one variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub variant: VariantId,
    pub units: u32,
    /// Where from. Empty when the variant is not counted.
    pub splits: Vec<Split>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub location: LocationId,
    pub units: u32,
}

/// A line that falls short, which makes the whole order fall short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub variant: VariantId,
    pub requested: u32,
    pub available: u32,
}

/// One variant of an order and the shelves that may serve it.
pub struct Ask<'a> {
    pub variant: VariantId,
    pub units: u32,
    /// The row at the default location; `None` when inventory has never heard of the variant.
    pub home: Option<&'a Stock>,
    /// The rows at active locations, in the order in which they serve; home among them.
    pub rows: Vec<&'a Stock>,
}

/// Splits each ask over its rows, greedily in their order. What is missing in the end is taken at
/// home when the variant may be backordered; otherwise everything is refused and each line that
/// falls short is named. Asks must name different variants.
pub fn allocate(asks: &[Ask<'_>]) -> Result<Vec<Line>, Vec<Shortage>> {
    let mut lines = Vec::with_capacity(asks.len());
    let mut shortages = Vec::new();
    for ask in asks {
        let (mut line, missing) = ask.take_free();
        if missing == 0 || ask.home.is_some_and(|home| home.policy().backorder) {
            line.add_home(missing);
            lines.push(line);
        } else {
            shortages.push(Shortage {
                variant: ask.variant,
                requested: ask.units,
                available: ask.units - missing,
            });
        }
    }
    if shortages.is_empty() { Ok(lines) } else { Err(shortages) }
}

/// As [`allocate`], for an order that must be served: what is missing is taken at home in any case.
pub fn allocate_regardless(asks: &[Ask<'_>]) -> Vec<Line> {
    let serve = |ask: &Ask<'_>| {
        let (mut line, missing) = ask.take_free();
        line.add_home(missing);
        line
    };
    asks.iter().map(serve).collect()
}

impl Ask<'_> {
    /// The line as far as free units go, and how many are missing.
    fn take_free(&self) -> (Line, u32) {
        let mut line = Line { variant: self.variant, units: self.units, splits: Vec::new() };
        let Some(home) = self.home else {
            return (line, self.units);
        };
        if !home.policy().tracked {
            return (line, 0);
        }
        let mut missing = self.units;
        for row in &self.rows {
            let units = missing.min(u32::try_from(row.free()).unwrap_or(u32::MAX));
            if units > 0 {
                line.splits.push(Split { location: row.location(), units });
                missing -= units;
            }
        }
        (line, missing)
    }
}

impl Line {
    fn add_home(&mut self, units: u32) {
        let home = LocationId::DEFAULT;
        match self.splits.iter_mut().find(|split| split.location == home) {
            _ if units == 0 => {}
            Some(split) => split.units += units,
            None => self.splits.push(Split { location: home, units }),
        }
    }
}
