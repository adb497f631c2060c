//! Access tokens as JWTs signed with Ed25519 (RFC 8037, RFC 9068).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::auth::{AccountKind, Claims, TOKEN_TYPE};
use serde::Serialize;

use crate::domain::{AccessClaims, Kind, SigningKey, SigningKeyId};
use crate::ports::{AccessTokens, KeyPair, SigningError};

/// Whose tokens, for whom, for how long.
#[derive(Clone, Debug)]
pub struct JwtTokens {
    pub issuer: String,
    pub audience: String,
    pub life: Duration,
}

impl JwtTokens {
    /// The port that the use cases hold.
    pub fn shared(self) -> Arc<dyn AccessTokens> {
        Arc::new(self)
    }
}

#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    x: &'a str,
}

#[derive(Serialize)]
struct KeySet<'a> {
    keys: Vec<Jwk<'a>>,
}

impl AccessTokens for JwtTokens {
    fn key_pair(&self, seed: [u8; 32]) -> Result<KeyPair, SigningError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| broken(&e))?;
        let pkcs8 = pair.to_pkcs8().map_err(|error| broken(&error))?;
        Ok(KeyPair {
            pkcs8: STANDARD.encode(pkcs8.as_ref()),
            public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        })
    }

    fn sign(
        &self,
        id: SigningKeyId,
        key: &SigningKey,
        claims: &AccessClaims,
    ) -> Result<String, SigningError> {
        let pkcs8 = zeroize::Zeroizing::new(STANDARD.decode(&key.pkcs8).map_err(|e| broken(&e))?);
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(id.to_string());
        let issued = claims.issued_at.as_seconds();
        let body = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: claims.account.to_string(),
            sid: claims.session.to_string(),
            kind: match claims.kind {
                Kind::Customer => AccountKind::Customer,
                Kind::Staff => AccountKind::Staff,
            },
            perms: claims.permissions.names(),
            one_time: claims.one_time,
            iat: issued,
            exp: issued.saturating_add(self.life.as_secs().cast_signed()),
            jti: claims.token_id.to_string(),
        };
        let key = EncodingKey::from_ed_der(&pkcs8);
        jsonwebtoken::encode(&header, &body, &key).map_err(|error| broken(&error))
    }

    fn key_set(&self, keys: &[(SigningKeyId, SigningKey)]) -> String {
        let keys = keys
            .iter()
            .map(|(id, key)| Jwk {
                kty: "OKP",
                crv: "Ed25519",
                alg: "EdDSA",
                r#use: "sig",
                kid: id.to_string(),
                x: &key.public,
            })
            .collect();
        serde_json::to_string(&KeySet { keys }).expect("texts always become JSON")
    }
}

fn broken(error: &dyn std::fmt::Display) -> SigningError {
    SigningError(error.to_string())
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use kernel::id::Uuid;

    use super::*;
    use crate::domain::PermissionSet;

    fn tokens() -> JwtTokens {
        JwtTokens { issuer: "shop".into(), audience: "api".into(), life: Duration::from_mins(5) }
    }

    fn key(seed: u8) -> (SigningKeyId, SigningKey) {
        let pair = tokens().key_pair([seed; 32]).unwrap();
        let now = Timestamp::EPOCH;
        let key =
            SigningKey { pkcs8: pair.pkcs8, public: pair.public, created_at: now, signs_from: now };
        (Uuid::from_u128(u128::from(seed)).into(), key)
    }

    #[test]
    fn the_public_key_is_the_one_of_rfc_8032() {
        let seed: [u8; 32] = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        // The same key as in RFC 8037, appendix A.2.
        let pair = tokens().key_pair(seed).unwrap();
        assert_eq!(pair.public, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn a_token_names_its_key_and_says_what_it_should() {
        let (id, signing) = key(1);
        let claims = AccessClaims {
            account: Uuid::from_u128(2).into(),
            session: Uuid::from_u128(3).into(),
            kind: Kind::Staff,
            permissions: PermissionSet::of_caller(["orders:read"]),
            one_time: false,
            issued_at: Timestamp::from_micros(1_000_000_000),
            token_id: Uuid::from_u128(4),
        };
        let token = tokens().sign(id, &signing, &claims).unwrap();
        let part = |index: usize| -> serde_json::Value {
            let text = token.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        assert_eq!(
            part(0),
            serde_json::json!({"typ": "at+jwt", "alg": "EdDSA", "kid": id.to_string()})
        );
        assert_eq!(
            part(1),
            serde_json::json!({
                "iss": "shop", "aud": "api", "kind": "staff", "perms": ["orders:read"],
                "sub": claims.account.to_string(), "sid": claims.session.to_string(),
                "iat": 1000, "exp": 1300, "jti": claims.token_id.to_string(),
            })
        );
    }

    #[test]
    fn the_key_set_holds_no_private_half() {
        let keys = [key(1), key(2)];
        let set = tokens().key_set(&keys);
        let parsed: serde_json::Value = serde_json::from_str(&set).unwrap();
        assert_eq!(parsed["keys"].as_array().unwrap().len(), 2);
        assert_eq!(parsed["keys"][0]["x"], keys[0].1.public);
        assert!(parsed["keys"][0].get("d").is_none());
    }
}
