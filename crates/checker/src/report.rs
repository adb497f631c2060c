//! What was found.

use std::time::Duration;

use kernel::Timestamp;
use kernel::id::{Uuid, encode};
use serde::Serialize;

/// The invariants of a shop, under the numbers that the project's tests know them by. I13, I15 and
/// I16 are not about the rows of one shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Invariant {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
    I9,
    I10,
    I11,
    I12,
    I14,
}

impl Invariant {
    pub const ALL: [Self; 13] = [
        Self::I1,
        Self::I2,
        Self::I3,
        Self::I4,
        Self::I5,
        Self::I6,
        Self::I7,
        Self::I8,
        Self::I9,
        Self::I10,
        Self::I11,
        Self::I12,
        Self::I14,
    ];

    /// The invariant in a few words.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::I1 => "no unit is sold twice",
            Self::I2 => "what is reserved is sold, released or expires",
            Self::I3 => "what is paid is confirmed or refunded",
            Self::I4 => "money balances",
            Self::I5 => "an accepted order is never lost",
            Self::I6 => "one order for a key, one for a cart",
            Self::I7 => "each event has its effect, once",
            Self::I8 => "the events of an aggregate apply in order, without a gap",
            Self::I9 => "checkouts end",
            Self::I10 => "nothing comes from nothing",
            Self::I11 => "what is charged is what was priced",
            Self::I12 => "nothing is captured or refunded twice",
            Self::I14 => "what is revoked is over",
        }
    }
}

/// One thing that breaks an invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Of the order, payment, stock row … at fault.
    pub id: String,
    pub what: String,
}

/// How much of what was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub of: &'static str,
    pub count: u64,
}

/// What is known of one invariant.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub invariant: Invariant,
    pub rule: &'static str,
    pub looked_at: Vec<Count>,
    /// All of them; `violations` names the first ones.
    pub violations_total: u64,
    pub violations: Vec<Violation>,
    /// What was not looked at, and why.
    pub not_checked: Vec<&'static str>,
    #[serde(skip)]
    named: usize,
}

impl Finding {
    fn new(invariant: Invariant, named: usize) -> Self {
        Self {
            invariant,
            rule: invariant.rule(),
            looked_at: Vec::new(),
            violations_total: 0,
            violations: Vec::new(),
            not_checked: Vec::new(),
            named,
        }
    }

    pub fn holds(&self) -> bool {
        self.violations_total == 0
    }

    pub(crate) fn looked_at(&mut self, count: u64, of: &'static str) {
        self.looked_at.push(Count { of, count });
    }

    pub(crate) fn not_checked(&mut self, why: &'static str) {
        self.not_checked.push(why);
    }

    pub(crate) fn violated(&mut self, id: impl Into<String>, what: impl Into<String>) {
        self.violations_total += 1;
        if self.violations.len() < self.named {
            self.violations.push(Violation { id: id.into(), what: what.into() });
        }
    }

    /// [`Self::violated`] by what is shown outside as `prefix_…`.
    pub(crate) fn violated_by(&mut self, prefix: &str, id: Uuid, what: impl Into<String>) {
        self.violated(encode(prefix, id), what);
    }
}

/// All findings, in the order of the invariants.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The time that ages were taken at.
    pub at: Timestamp,
    pub quiet_after_seconds: u64,
    /// Orders, reservations and payments that changed too lately to be compared with the others.
    pub young: u64,
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(named: usize, quiet_after: Duration, at: Timestamp) -> Self {
        let findings = Invariant::ALL.map(|invariant| Finding::new(invariant, named)).into();
        Self { at, quiet_after_seconds: quiet_after.as_secs(), young: 0, findings }
    }

    pub fn holds(&self) -> bool {
        self.findings.iter().all(Finding::holds)
    }

    /// The invariants that do not hold.
    pub fn violated(&self) -> Vec<Invariant> {
        let broken = self.findings.iter().filter(|finding| !finding.holds());
        broken.map(|finding| finding.invariant).collect()
    }

    pub(crate) fn at(&mut self, invariant: Invariant) -> &mut Finding {
        &mut self.findings[invariant as usize]
    }

    /// Without a client's journal some things cannot be known.
    pub(crate) fn miss_the_journal(&mut self) {
        for (invariant, why) in [
            (Invariant::I5, "answers that are no longer kept: only a client's journal knows them"),
            (
                Invariant::I6,
                "keys whose answers are no longer kept: only a client's journal knows them",
            ),
            (
                Invariant::I10,
                "whether somebody asked for each order: only a client's journal knows",
            ),
        ] {
            self.at(invariant).not_checked(why);
        }
    }
}
