//! Closed loops: each client asks again as soon as it was answered.

pub mod buyer;
pub mod checkout;
pub mod shelf;
pub mod verify;
pub mod visitor;

use std::cell::Cell;
use std::rc::Rc;

/// What clients of one load have to know of each other.
#[derive(Clone, Default)]
pub struct Stage(Rc<Cell<Phase>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    WarmUp,
    Measured,
    Over,
}

impl Stage {
    pub fn enter(&self, phase: Phase) {
        self.0.set(phase);
    }

    pub fn is_measured(&self) -> bool {
        self.0.get() == Phase::Measured
    }

    pub fn is_over(&self) -> bool {
        self.0.get() == Phase::Over
    }
}
