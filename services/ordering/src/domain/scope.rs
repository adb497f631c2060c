//! Who may reach a cart or an order: decided here, once, for every route.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::ids::CustomerId;

/// SHA-256 of a cart's secret. The secret itself is shown once and stored nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        s.serialize_str(std::str::from_utf8(&hex).map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let error = || de::Error::custom("not 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(error());
        }
        let mut digest = [0; 32];
        for (index, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| error())?;
        }
        Ok(Self(digest))
    }
}

/// What a caller can show: an account, a secret, both or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub customer: Option<CustomerId>,
    pub secret: Option<SecretHash>,
}

impl Access {
    /// What belongs to a customer is reached by that customer alone: its secret has no power any
    /// more, so that a claimed cart cannot be read by who shared the device before. What belongs to
    /// nobody is reached by its secret. Digests are compared, so the time taken tells nothing.
    pub fn reaches(&self, owner: Option<CustomerId>, secret: SecretHash) -> bool {
        match owner {
            Some(owner) => self.customer == Some(owner),
            None => self.secret == Some(secret),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::Uuid;

    fn customer(n: u128) -> CustomerId {
        CustomerId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn only_the_owner_reaches_what_is_owned_and_only_the_secret_what_is_not() {
        let secret = SecretHash::new([7; 32]);
        let other = SecretHash::new([8; 32]);
        let access = |customer, secret| Access { customer, secret };
        assert!(access(Some(customer(1)), None).reaches(Some(customer(1)), secret));
        assert!(!access(Some(customer(2)), Some(secret)).reaches(Some(customer(1)), secret));
        assert!(!access(None, Some(secret)).reaches(Some(customer(1)), secret));
        assert!(access(None, Some(secret)).reaches(None, secret));
        assert!(access(Some(customer(1)), Some(secret)).reaches(None, secret));
        assert!(!access(Some(customer(1)), Some(other)).reaches(None, secret));
        assert!(!Access::default().reaches(None, secret));
    }

    #[test]
    fn a_hash_survives_its_text_and_hides_in_debug() {
        let hash = SecretHash::new(std::array::from_fn(|i| (i * 9) as u8));
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(text.len(), 66);
        assert_eq!(serde_json::from_str::<SecretHash>(&text).unwrap(), hash);
        assert!(serde_json::from_str::<SecretHash>("\"zz\"").is_err());
        assert_eq!(format!("{hash:?}"), "SecretHash(…)");
    }
}
