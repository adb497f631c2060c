//! `/v1/admin/api-keys`: what programs of the shop present instead of signing in.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Timestamp;
use platform::http::{self, Body, Ctx, Once, Page, PageParams, Params, PathParams, Problem};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::one_line;
use super::{once_empty, page, secret};
use crate::application::Identity;
use crate::application::manage_api_keys::NewApiKey;
use crate::domain::{AccountId, ApiKey, ApiKeyId, Permission};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateApiKey {
    /// What it is for, for people.
    #[garde(length(chars, min = 1, max = 100), custom(one_line))]
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "Warehouse system",
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: String,
    /// Nobody grants what they do not hold.
    #[garde(length(min = 1, max = 64))]
    #[schema(min_items = 1, max_items = 64)]
    permissions: Vec<Permission>,
    /// Within the next ten years; never when absent.
    #[garde(skip)]
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// An API key without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    permissions: Vec<Permission>,
    created_at: Timestamp,
    /// Absent when another API key made it.
    created_by: Option<AccountId>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl ApiKeyView {
    fn of(key: &Versioned<ApiKey>) -> Self {
        Self {
            id: ApiKeyId::from_uuid(key.id),
            name: key.name.clone(),
            permissions: key.permissions.iter().cloned().collect(),
            created_at: key.created_at,
            created_by: key.created_by,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A new API key.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedApiKey {
    api_key: ApiKeyView,
    /// The key itself: send it as `Authorization: Bearer …`. Told this once.
    key: String,
}

/// All API keys, in the order they were made, revoked ones too.
#[utoipa::path(get, path = "/v1/admin/api-keys", tag = "api-keys",
    operation_id = "list_api_keys", params(PageParams),
    responses((status = 200, body = Page<ApiKeyView>)),
    extensions(("x-permission" = json!("api-keys:read"))))]
pub(super) async fn list_api_keys(
    State(identity): State<Identity>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let found = identity.list_api_keys(params.limit(), params.cursor.as_deref()).await?;
    Ok(http::ok(None, &page(found, ApiKeyView::of)))
}

/// A new API key. It belongs to the shop: it works until it expires or is revoked, whatever
/// becomes of the account that made it.
#[utoipa::path(post, path = "/v1/admin/api-keys", tag = "api-keys",
    operation_id = "create_api_key", request_body = CreateApiKey,
    responses((status = 201, body = CreatedApiKey, headers(("location" = String)))),
    extensions(("x-permission" = json!("api-keys:write")), ("x-idempotency" = json!("none"))))]
pub(super) async fn create_api_key(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Body(body): Body<CreateApiKey>,
) -> Result<Response, Problem> {
    let new = NewApiKey {
        name: body.name,
        permissions: body.permissions.into_iter().collect(),
        expires_at: body.expires_at,
    };
    let (record, presented) = identity.create_api_key(&context, new).await?;
    let api_key = ApiKeyView::of(&record);
    let place = format!("/v1/admin/api-keys/{}", api_key.id);
    let created = CreatedApiKey { api_key, key: presented.expose() };
    Ok(secret(http::created(&place, None, &created)))
}

/// One API key, without its secret.
#[utoipa::path(get, path = "/v1/admin/api-keys/{key_id}", tag = "api-keys",
    operation_id = "get_api_key", params(("key_id" = ApiKeyId, Path)),
    responses((status = 200, body = ApiKeyView)),
    extensions(("x-permission" = json!("api-keys:read"))))]
pub(super) async fn get_api_key(
    State(identity): State<Identity>,
    PathParams(id): PathParams<ApiKeyId>,
) -> Result<Response, Problem> {
    Ok(http::ok(None, &ApiKeyView::of(&identity.get_api_key(id).await?)))
}

/// Revokes an API key. It is refused everywhere within seconds, and stays in the list. Nobody
/// revokes a key that allows more than they may.
#[utoipa::path(delete, path = "/v1/admin/api-keys/{key_id}", tag = "api-keys",
    operation_id = "revoke_api_key", params(("key_id" = ApiKeyId, Path)),
    responses((status = 204)), extensions(("x-permission" = json!("api-keys:write"))))]
pub(super) async fn revoke_api_key(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<ApiKeyId>,
    Once(key): Once,
) -> Result<Response, Problem> {
    identity.revoke_api_key(&context, once_empty(key), id).await?;
    Ok(http::no_content())
}
