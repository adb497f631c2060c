//! `/.well-known/jwks.json`: the keys that verify access tokens (RFC 7517).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use platform::http::{self as answer, Ctx, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::application::Identity;

/// A JSON Web Key Set.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct JwkSet {
    keys: Vec<Jwk>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct Jwk {
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(example = "sig")]
    r#use: String,
    kid: String,
    x: String,
}

/// The public keys of access tokens, upcoming ones included.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", operation_id = "get_jwks",
    responses((status = 200, body = JwkSet)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore"))))]
pub(super) async fn jwks(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    let set = identity.key_set(&context).await?;
    let set: JwkSet = serde_json::from_str(&set).map_err(|error| Problem::internal(&error))?;
    let mut response = answer::ok(None, &set);
    // Shorter than a key is published ahead.
    let cache = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    Ok(response)
}
