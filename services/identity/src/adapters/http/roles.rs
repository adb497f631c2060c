//! `/v1/admin/roles` and `/v1/admin/permissions`.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Timestamp;
use platform::http::{
    self, Body, Ctx, IfMatch, Once, Page, PageParams, Params, PathParams, Problem,
};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{once_empty, once_versioned, page};
use crate::application::Identity;
use crate::application::manage_roles::{NewRole, RoleChanges};
use crate::domain::{Permission, Role, RoleId, RoleName};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRole {
    #[garde(skip)]
    name: RoleName,
    #[garde(length(chars, max = 500))]
    #[serde(default)]
    #[schema(max_length = 500, pattern = r"^[^\x00]*$")]
    description: String,
    /// Nobody grants what they do not hold.
    #[garde(length(max = 64))]
    #[schema(max_items = 64)]
    permissions: Vec<Permission>,
}

/// What is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateRole {
    #[garde(skip)]
    #[serde(default)]
    name: Option<RoleName>,
    #[garde(inner(length(chars, max = 500)))]
    #[serde(default)]
    #[schema(max_length = 500, pattern = r"^[^\x00]*$")]
    description: Option<String>,
    /// Replaces the permissions. They show in access tokens from the next refresh on.
    #[garde(inner(length(max = 64)))]
    #[serde(default)]
    #[schema(max_items = 64)]
    permissions: Option<Vec<Permission>>,
}

/// A named set of permissions.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleView {
    id: RoleId,
    name: RoleName,
    description: String,
    permissions: Vec<Permission>,
    /// A built-in role cannot be changed or removed.
    built_in: bool,
    /// How many active accounts hold it.
    holders: usize,
    created_at: Timestamp,
}

impl RoleView {
    fn of(role: &Versioned<Role>) -> Self {
        Self {
            id: RoleId::from_uuid(role.id),
            name: role.name.clone(),
            description: role.description.clone(),
            permissions: role.permissions.iter().cloned().collect(),
            built_in: role.built_in,
            holders: role.holders(),
            created_at: role.created_at,
        }
    }
}

/// A permission and what it allows.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionView {
    name: Permission,
    description: String,
}

fn place(role: &Versioned<Role>) -> String {
    format!("/v1/admin/roles/{}", RoleId::from_uuid(role.id))
}

/// All roles, in the order they were made.
#[utoipa::path(get, path = "/v1/admin/roles", tag = "roles", operation_id = "list_roles",
    params(PageParams), responses((status = 200, body = Page<RoleView>)),
    extensions(("x-permission" = json!("roles:read"))))]
pub(super) async fn list_roles(
    State(identity): State<Identity>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let found = identity.list_roles(params.limit(), params.cursor.as_deref()).await?;
    Ok(http::ok(None, &page(found, RoleView::of)))
}

/// A new role.
#[utoipa::path(post, path = "/v1/admin/roles", tag = "roles", operation_id = "create_role",
    request_body = CreateRole,
    responses((status = 201, body = RoleView, headers(("location" = String), ("etag" = String)))),
    extensions(("x-permission" = json!("roles:write"))))]
pub(super) async fn create_role(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<CreateRole>,
) -> Result<Response, Problem> {
    let new = NewRole {
        name: body.name,
        description: body.description,
        permissions: body.permissions.into_iter().collect(),
    };
    let once = once_versioned(key, 201, RoleView::of, Some(place));
    let role = identity.create_role(&context, once, new).await?;
    Ok(http::created(&place(&role), Some(role.version), &RoleView::of(&role)))
}

/// One role.
#[utoipa::path(get, path = "/v1/admin/roles/{role_id}", tag = "roles", operation_id = "get_role",
    params(("role_id" = RoleId, Path)),
    responses((status = 200, body = RoleView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("roles:read"))))]
pub(super) async fn get_role(
    State(identity): State<Identity>,
    PathParams(id): PathParams<RoleId>,
) -> Result<Response, Problem> {
    let role = identity.get_role(id).await?;
    Ok(http::ok(Some(role.version), &RoleView::of(&role)))
}

/// Changes a role. Nobody changes one that allows more than they may themselves.
#[utoipa::path(patch, path = "/v1/admin/roles/{role_id}", tag = "roles",
    operation_id = "update_role", request_body = UpdateRole,
    params(("role_id" = RoleId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = RoleView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("roles:write"))))]
pub(super) async fn update_role(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<RoleId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<UpdateRole>,
) -> Result<Response, Problem> {
    let changes = RoleChanges {
        name: body.name,
        description: body.description,
        permissions: body.permissions.map(|permissions| permissions.into_iter().collect()),
    };
    let once = once_versioned(key, 200, RoleView::of, None);
    let role = identity.change_role(&context, once, id, changes, expected).await?;
    Ok(http::ok(Some(role.version), &RoleView::of(&role)))
}

/// Removes a role that no active account holds.
#[utoipa::path(delete, path = "/v1/admin/roles/{role_id}", tag = "roles",
    operation_id = "delete_role", params(("role_id" = RoleId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)), extensions(("x-permission" = json!("roles:write"))))]
pub(super) async fn delete_role(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<RoleId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    identity.remove_role(&context, once_empty(key), id, expected).await?;
    Ok(http::no_content())
}

/// Every permission that a role or an API key can have. One page.
#[utoipa::path(get, path = "/v1/admin/permissions", tag = "roles",
    operation_id = "list_permissions", responses((status = 200, body = Page<PermissionView>)),
    extensions(("x-permission" = json!("roles:read"))))]
pub(super) async fn list_permissions() -> Response {
    let items = Permission::all()
        .into_iter()
        .map(|name| PermissionView { description: name.describe(), name })
        .collect::<Vec<_>>();
    http::ok(None, &Page { items, next_cursor: None })
}
