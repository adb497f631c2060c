//! What a provider tells on its own.

use kernel::Timestamp;
use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

use super::{PaymentId, ids};

/// A notification that was received, kept so that a second delivery of it does nothing.
///
/// It is never believed: it only makes the payment look its state up at the provider now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub provider: String,
    /// The provider's id of the event; the same in each delivery of it.
    pub event_id: String,
    /// The provider's word, such as `charge.authorized`.
    pub kind: String,
    /// The payment it is about, when it is one of ours.
    pub payment_id: Option<PaymentId>,
    pub received_at: Timestamp,
}

impl Notification {
    pub fn id_of(provider: &str, event_id: &str) -> Uuid {
        ids::hashed(&[b"notification", provider.as_bytes(), event_id.as_bytes()])
    }
}
