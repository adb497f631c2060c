//! What services say to each other: calls and events, generated from `proto/`.
//!
//! Per service there is `v1` with the messages, an API trait (`InventoryApi`) with its carriers
//! (`InventoryDirect`, `InventoryClient`, `InventoryServer`), and the types of its events. That
//! is not written by hand: `cargo xtask codegen` writes it and CI compares. By hand there is only
//! what a message with a secret in it prints, and [`auth_source`], through which every process's
//! authenticator asks identity. No rule of any service belongs here.

pub mod auth_source;
mod r#gen;

use std::fmt;

pub use r#gen::{DESCRIPTOR_SET, catalog, identity, inventory, ordering, payment};

/// The key is a credential: a message that is logged must not tell it.
impl fmt::Debug for identity::v1::VerifyApiKeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyApiKeyRequest").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_with_an_api_key_does_not_print_it() {
        let request = crate::identity::v1::VerifyApiKeyRequest { key: "mk_secret".to_owned() };
        assert_eq!(format!("{request:?}"), "VerifyApiKeyRequest { .. }");
    }
}
