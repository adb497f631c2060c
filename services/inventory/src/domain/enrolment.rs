//! Variants that were published while an import was about to tell their units.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::VariantId;

/// Gives way to the import; what it did not tell by `due_at` gets its row then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub variants: Vec<VariantId>,
    pub due_at: Timestamp,
}
