//! Access tokens: JWTs of RFC 9068, signed with Ed25519.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::Timestamp;
use kernel::id::{self, Uuid};
use serde::{Deserialize, Serialize};

use crate::context::Principal;

/// The `typ` of the header.
pub const TOKEN_TYPE: &str = "at+jwt";
pub const ACCOUNT_PREFIX: &str = "acc";
pub const SESSION_PREFIX: &str = "ses";
/// A token that claims to live longer is refused: revocations are not remembered for ever.
pub const MAX_LIFETIME: Duration = Duration::from_hours(1);
/// Clocks of two machines may differ by so much.
const SKEW: Duration = Duration::from_secs(5);

/// What a token says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The account, as `acc_…`.
    pub sub: String,
    /// The session, as `ses_…`.
    pub sid: String,
    pub kind: AccountKind,
    /// Empty for customers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub perms: Vec<String>,
    /// The password was made by somebody else: the token is good for replacing it, and for nothing
    /// else, whatever the account's roles allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_time: bool,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Customer,
    Staff,
}

/// A token that held.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) principal: Principal,
    pub(super) session: Option<Uuid>,
    pub(super) expires: Timestamp,
}

/// Why one did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Perhaps signed with a key that we have not fetched yet.
    UnknownKey,
    Expired,
    Bad(&'static str),
}

/// Public keys by `kid`.
#[derive(Clone, Default)]
pub(super) struct Keys(HashMap<String, DecodingKey>);

impl Keys {
    /// Takes the Ed25519 keys of a JWK set; others are passed over.
    pub(super) fn parse(jwks: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Key>,
        }
        #[derive(Deserialize)]
        struct Key {
            kty: String,
            crv: Option<String>,
            kid: Option<String>,
            x: Option<String>,
        }
        let set: Set = serde_json::from_str(jwks).map_err(|e| format!("not a JWK set: {e}"))?;
        let mut keys = HashMap::new();
        for key in set.keys {
            let ed25519 = key.kty == "OKP" && key.crv.as_deref() == Some("Ed25519");
            if let (true, Some(kid), Some(x)) = (ed25519, key.kid, key.x) {
                let parsed = DecodingKey::from_ed_components(&x)
                    .map_err(|e| format!("key {kid} is broken: {e}"))?;
                keys.insert(kid, parsed);
            }
        }
        Ok(Self(keys))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checks header, signature and claims. The header may name a key of ours and nothing else: no
/// key, address or certificate of the token's own is looked at.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Bad("is not a JWT"))?;
    let own_keys = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some();
    if header.alg != Algorithm::EdDSA || own_keys {
        return Err(Refusal::Bad("has a header that is not accepted"));
    }
    let typ = header.typ.as_deref().unwrap_or_default();
    if !typ.eq_ignore_ascii_case(TOKEN_TYPE) && !typ.eq_ignore_ascii_case("application/at+jwt") {
        return Err(Refusal::Bad("is not an access token"));
    }
    let kid = header.kid.ok_or(Refusal::Bad("names no key"))?;
    let key = keys.0.get(&kid).ok_or(Refusal::UnknownKey)?;
    let claims = jsonwebtoken::decode::<Claims>(token, key, &signature_only())
        .map_err(|_| Refusal::Bad("has a wrong signature or wrong claims"))?
        .claims;
    judge(claims, issuer, audience, now)
}

/// The library would read the system's clock; times are checked by [`judge`].
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

fn judge(
    claims: Claims,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    if claims.iss != issuer || claims.aud != audience {
        return Err(Refusal::Bad("was issued for another place"));
    }
    let seconds = |s: i64| Timestamp::from_micros(s.saturating_mul(1_000_000));
    let (issued, expires) = (seconds(claims.iat), seconds(claims.exp));
    if issued > now.plus(SKEW) {
        return Err(Refusal::Bad("comes from the future"));
    }
    if expires <= issued || expires.since(issued) > MAX_LIFETIME {
        return Err(Refusal::Bad("lives too long"));
    }
    if now >= expires.plus(SKEW) {
        return Err(Refusal::Expired);
    }
    let account = id::decode(ACCOUNT_PREFIX, &claims.sub);
    let session = id::decode(SESSION_PREFIX, &claims.sid);
    let (Ok(account), Ok(session)) = (account, session) else {
        return Err(Refusal::Bad("names no account or session"));
    };
    let principal = match claims.kind {
        _ if claims.one_time => Principal::OneTime { account, session },
        AccountKind::Customer => Principal::Customer { account, session },
        AccountKind::Staff => {
            Principal::Staff { account, session, permissions: claims.perms.into() }
        }
    };
    Ok(Verified { principal, session: Some(session), expires: expires.plus(SKEW) })
}
