//! One broken rule of a product or category, with the place where it is broken.

use std::fmt::Display;

use kernel::FieldError;

/// A rule that a value breaks: where, as a dotted path, and what is allowed instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: String,
    pub message: String,
}

impl Fault {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl From<Fault> for FieldError {
    fn from(fault: Fault) -> Self {
        Self::new(fault.field, fault.message)
    }
}

/// Collects faults, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Nobody reads a list longer than this.
    const MAX: usize = 100;

    /// The field is only written down when it is told: most rules hold, and an import asks millions
    /// of times.
    pub fn add(&mut self, field: impl Display, message: impl Into<String>) {
        if self.0.len() < Self::MAX {
            self.0.push(Fault::new(field.to_string(), message));
        }
    }

    /// Refuses a text of more than `max` characters.
    pub fn length(&mut self, field: impl Display, text: &str, max: usize) {
        if text.len() > max && text.chars().count() > max {
            self.add(field, format!("has at most {max} characters"));
        }
    }

    /// Refuses more than `max` of something.
    pub fn count(&mut self, field: impl Display, count: usize, max: usize) {
        if count > max {
            self.add(field, format!("holds at most {max}, not {count}"));
        }
    }

    pub fn finish(self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
