//! What ordering knows of the money of an order. Payment owns the truth; this follows its events.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::ids::PaymentId;
use super::refusal::Refusal;

/// A provider's token for a payment method: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PaymentToken(String);

impl PaymentToken {
    pub const MAX_CHARS: usize = 255;

    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let visible = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
        if text.is_empty() || text.len() > Self::MAX_CHARS || !visible {
            return Err(Refusal::field("payment_token", "has 1 to 255 visible ASCII characters"));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token pays: a debug print must not put it into a log.
impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken(…)")
    }
}

impl<'de> Deserialize<'de> for PaymentToken {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// The stored state of an order's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    Authorized,
    PartiallyCaptured,
    Captured,
    PartiallyRefunded,
    Refunded,
    Voided,
}

impl PaymentStatus {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::PartiallyCaptured => "partially_captured",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
        }
    }
}

/// The payment of a confirmed order. Sums are of all captures and refunds so far, so hearing of one
/// twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub authorized_minor: i64,
    #[serde(default)]
    pub captured_minor: i64,
    #[serde(default)]
    pub refunded_minor: i64,
    #[serde(default)]
    pub voided: bool,
}

impl Payment {
    pub const fn authorized(id: PaymentId, authorized_minor: i64) -> Self {
        Self { id, authorized_minor, captured_minor: 0, refunded_minor: 0, voided: false }
    }

    pub const fn status(&self) -> PaymentStatus {
        if self.refunded_minor > 0 && self.refunded_minor >= self.captured_minor {
            PaymentStatus::Refunded
        } else if self.refunded_minor > 0 {
            PaymentStatus::PartiallyRefunded
        } else if self.captured_minor >= self.authorized_minor {
            PaymentStatus::Captured
        } else if self.captured_minor > 0 {
            PaymentStatus::PartiallyCaptured
        } else if self.voided {
            PaymentStatus::Voided
        } else {
            PaymentStatus::Authorized
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::Uuid;

    #[test]
    fn a_token_is_visible_and_short() {
        let long = "x".repeat(256);
        for bad in ["", "a b", "tök", long.as_str()] {
            assert!(PaymentToken::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", PaymentToken::parse("tok_x").unwrap()), "PaymentToken(…)");
    }

    #[test]
    fn the_status_follows_the_sums() {
        let mut payment = Payment::authorized(PaymentId::from_uuid(Uuid::nil()), 100);
        assert_eq!(payment.status(), PaymentStatus::Authorized);
        payment.captured_minor = 40;
        assert_eq!(payment.status(), PaymentStatus::PartiallyCaptured);
        payment.captured_minor = 100;
        assert_eq!(payment.status(), PaymentStatus::Captured);
        payment.refunded_minor = 99;
        assert_eq!(payment.status(), PaymentStatus::PartiallyRefunded);
        payment.refunded_minor = 100;
        assert_eq!(payment.status(), PaymentStatus::Refunded);
        let voided = Payment { voided: true, ..Payment::authorized(payment.id, 100) };
        assert_eq!(voided.status(), PaymentStatus::Voided);
    }
}
