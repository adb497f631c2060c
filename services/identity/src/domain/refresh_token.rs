//! Refresh tokens: `rt_<session>_<secret and tag>`.
//!
//! The secret is 256 random bits, of which only the SHA-256 is stored. The tag is a MAC over
//! session and secret: a token that was never issued is refused without touching the store, so
//! that nobody ends a stranger's session by making one up, while a *used* one is recognised as
//! such even long after its hash was forgotten. A successor is derived from its predecessor, so
//! that a lost answer can be given again though nothing was kept in the clear.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::ids::SessionId;

const SECRET_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const PREFIX: &str = "rt_";
/// The exact length of a token in characters: prefix, 26 of the session, `_`, 64 of base 64.
pub const CHARS: usize = 3 + 26 + 1 + 64;

/// The server's key for tags and successors. Made once, at the first start.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServerSecret {
    key: String,
}

impl ServerSecret {
    pub fn from_random(random: [u8; 32]) -> Self {
        Self { key: URL_SAFE_NO_PAD.encode(random) }
    }

    /// A MAC over parts, each with its length, under a purpose of its own.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes())
            .expect("HMAC takes a key of any length");
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerSecret(…)")
    }
}

/// The SHA-256 of a refresh token's secret, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// Compares without telling by time how much agrees.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// A refresh token that this server issued.
#[derive(Clone)]
pub struct RefreshToken {
    session: SessionId,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    tag: [u8; TAG_BYTES],
}

impl RefreshToken {
    /// The first token of a session.
    pub fn first(server: &ServerSecret, session: SessionId, random: [u8; SECRET_BYTES]) -> Self {
        let tag = tag(server, session, &random);
        Self { session, secret: Zeroizing::new(random), tag }
    }

    /// The one token that follows this one.
    pub fn successor(&self, server: &ServerSecret) -> Self {
        let next = server.mac("successor", &[self.session.uuid().as_bytes(), &*self.secret]);
        Self::first(server, self.session, next)
    }

    /// Reads a token. `None` when this server never issued it.
    pub fn parse(server: &ServerSecret, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (session, sealed) = rest.split_once('_')?;
        let uuid = kernel::id::decode("rt", &format!("rt_{session}")).ok()?;
        let session = SessionId::from_uuid(uuid);
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(sealed).ok()?);
        let (secret, tag) = bytes.split_at_checked(SECRET_BYTES)?;
        let secret: [u8; SECRET_BYTES] = secret.try_into().ok()?;
        let token = Self::first(server, session, secret);
        bool::from(token.tag.as_slice().ct_eq(tag)).then_some(token)
    }

    pub fn session(&self) -> SessionId {
        self.session
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(hex(&Sha256::digest(self.secret.as_slice())))
    }

    /// The token as handed to its owner.
    pub fn expose(&self) -> String {
        let mut sealed = Zeroizing::new(Vec::with_capacity(SECRET_BYTES + TAG_BYTES));
        sealed.extend_from_slice(self.secret.as_slice());
        sealed.extend_from_slice(&self.tag);
        let sealed = URL_SAFE_NO_PAD.encode(sealed.as_slice());
        format!("{}_{sealed}", kernel::id::encode("rt", self.session.uuid()))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({}, …)", self.session)
    }
}

fn tag(server: &ServerSecret, session: SessionId, secret: &[u8]) -> [u8; TAG_BYTES] {
    let mac = server.mac("tag", &[session.uuid().as_bytes(), secret]);
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&mac[..TAG_BYTES]);
    tag
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use kernel::id::Uuid;
    use proptest::prelude::*;

    use super::*;

    fn server() -> ServerSecret {
        ServerSecret::from_random([7; 32])
    }

    proptest! {
        #[test]
        fn a_token_is_read_back_and_a_changed_one_is_not(
            id: u128, secret: [u8; 32], position in 0_usize..CHARS, letter in "[A-Za-z0-9_-]"
        ) {
            let token = RefreshToken::first(&server(), Uuid::from_u128(id).into(), secret);
            let text = token.expose();
            prop_assert_eq!(text.len(), CHARS);
            let read = RefreshToken::parse(&server(), &text).unwrap();
            prop_assert_eq!(read.session(), token.session());
            prop_assert!(read.hash().matches(&token.hash()));

            let mut forged = text.clone();
            forged.replace_range(position..=position, &letter);
            if forged != text {
                prop_assert!(RefreshToken::parse(&server(), &forged).is_none());
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            prop_assert!(RefreshToken::parse(&server(), &text).is_none());
        }
    }

    #[test]
    fn the_successor_is_always_the_same_and_needs_the_server() {
        let token = RefreshToken::first(&server(), Uuid::from_u128(5).into(), [9; 32]);
        let next = token.successor(&server());
        assert_eq!(next.expose(), token.successor(&server()).expose());
        assert_ne!(next.expose(), token.expose());
        assert_eq!(next.session(), token.session());
        let elsewhere = ServerSecret::from_random([8; 32]);
        assert_ne!(next.expose(), token.successor(&elsewhere).expose());
        assert!(RefreshToken::parse(&elsewhere, &token.expose()).is_none());
    }

    #[test]
    fn the_stored_hash_is_the_sha_256_of_the_secret() {
        let token = RefreshToken::first(&server(), Uuid::from_u128(5).into(), [0; 32]);
        // From FIPS 180-4 tools: SHA-256 of 32 zero bytes.
        assert_eq!(
            token.hash().0,
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
        assert!(!format!("{token:?} {:?}", server()).contains("AAAA"));
    }
}
