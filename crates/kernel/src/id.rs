//! Typed ids: `UUIDv7` (RFC 9562) inside, [TypeID](https://github.com/jetify-com/typeid) outside.

use std::fmt;

pub use uuid::Uuid;

/// A `UUIDv7` of milliseconds since the epoch and ten bytes, the first two of which follow the time
/// and decide the order within a millisecond (their upper four bits are overwritten).
pub fn v7(unix_ms: u64, bytes: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(unix_ms, &bytes).into_uuid()
}

/// The `UUIDv5` (RFC 9562) of a name within a namespace: the same for the same input, always.
pub fn v5(namespace: Uuid, name: &[u8]) -> Uuid {
    Uuid::new_v5(&namespace, name)
}

/// A `UUIDv8` (RFC 9562): the time bits of `origin`, then bits of the [`v5`] of a name. The same for
/// the same input, always; and ids derived from a `UUIDv7` sort by its time, so that rows that were
/// made together lie together on disk.
pub fn v8_after(origin: Uuid, namespace: Uuid, name: &[u8]) -> Uuid {
    let mut bytes = *v5(namespace, name).as_bytes();
    bytes[..6].copy_from_slice(&origin.as_bytes()[..6]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    Uuid::from_bytes(bytes)
}

/// The alphabet of Crockford's base 32, in the lower case that TypeID prescribes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A text is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_<26 characters>")]
pub struct IdError {
    pub prefix: &'static str,
}

/// Writes `prefix_` and 26 characters that hold the 128 bits of `uuid`.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let value = uuid.as_u128();
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    for digit in (0..26).rev() {
        text.push(ALPHABET[((value >> (5 * digit)) & 31) as usize] as char);
    }
    text
}

/// Reads what [`encode`] wrote. Upper case, other prefixes and numbers over 128 bits are refused.
pub fn decode(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    let error = IdError { prefix };
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or_else(|| error.clone())?;
    if digits.len() != 26 || digits.as_bytes()[0] > b'7' {
        return Err(error);
    }
    let mut value: u128 = 0;
    for byte in digits.bytes() {
        let digit = ALPHABET.iter().position(|a| *a == byte).ok_or_else(|| error.clone())?;
        value = (value << 5) | digit as u128;
    }
    Ok(Uuid::from_u128(value))
}

/// What all typed ids have in common.
pub trait TypedId: Copy + fmt::Display + Send + Sync + 'static {
    /// The prefix shown outside, without the underscore.
    const PREFIX: &'static str;
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

/// Declares a newtype over [`Uuid`] that is written `prefix_…` in JSON, logs and URLs.
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::Uuid);

        impl $crate::id::TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: $crate::id::Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> $crate::id::Uuid {
                self.0
            }
        }

        impl $name {
            pub const fn from_uuid(uuid: $crate::id::Uuid) -> Self {
                Self(uuid)
            }
            pub const fn uuid(self) -> $crate::id::Uuid {
                self.0
            }
        }

        impl From<$crate::id::Uuid> for $name {
            fn from(uuid: $crate::id::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&$crate::id::encode($prefix, self.0))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&$crate::id::encode($prefix, self.0))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::decode($prefix, text).map(Self)
            }
        }

        impl $crate::id::serde::Serialize for $name {
            fn serialize<S: $crate::id::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&$crate::id::encode($prefix, self.0))
            }
        }

        impl<'de> $crate::id::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::id::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as $crate::id::serde::Deserialize>::deserialize(d)?;
                text.parse().map_err($crate::id::serde::de::Error::custom)
            }
        }

        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::schema::Schema> {
                $crate::id::schema($prefix)
            }
        }
        impl $crate::utoipa::ToSchema for $name {}
    };
}

pub use serde;

/// The OpenAPI schema of an id: a string with the pattern that [`decode`] accepts.
pub fn schema(prefix: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .examples([encode(prefix, Uuid::from_u128(0x0190_6f3a_7c11_7d2e_8a55_3f6f_2b1c_9d04))])
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    typed_id!(OrderId, "ord");

    #[test]
    fn the_published_typeid_vector_holds() {
        // From the TypeID specification: valid.json, "valid-uuidv7".
        let uuid = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(encode("prefix", uuid), "prefix_01h455vb4pex5vsknk084sn02q");
    }

    #[test]
    fn other_prefixes_upper_case_and_overflow_are_refused() {
        for text in [
            "cart_01h455vb4pex5vsknk084sn02q",
            "ord_01H455VB4PEX5VSKNK084SN02Q",
            "ord_81h455vb4pex5vsknk084sn02q",
            "ord_01h455vb4pex5vsknk084sn02",
            "ord_01h455vb4pex5vsknk084sn0ü",
            "ord",
            "",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value: u128) {
            let id = OrderId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<OrderId>(), Ok(id));
            prop_assert_eq!(id.uuid().as_u128(), value);
        }
    }
}
