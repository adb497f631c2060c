//! `/v1/admin/accounts`: customers and staff as administrators see them.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Email, Locale, Timestamp};
use platform::http::{self, Body, Ctx, IfMatch, Once, Page, Params, PathParams, Problem};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{once_versioned, page, refusal, secret};
use crate::application::Identity;
use crate::application::change_account::AccountChanges;
use crate::application::create_staff::NewStaff;
use crate::application::get_account::Wanted;
use crate::domain::{Account, AccountId, Kind, Password, PersonName, RoleId, Standing};

#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    #[garde(skip)]
    kind: Option<Kind>,
    /// Exactly this address.
    #[garde(skip)]
    email: Option<Email>,
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateStaff {
    #[garde(skip)]
    email: Email,
    #[garde(skip)]
    #[serde(default)]
    name: Option<PersonName>,
    /// Nobody gives a role that allows more than they may themselves.
    #[garde(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    roles: Vec<RoleId>,
}

/// What is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAccount {
    /// Replaces the roles. They show in access tokens from the next refresh on.
    #[garde(inner(length(max = 20)))]
    #[serde(default)]
    #[schema(max_items = 20)]
    roles: Option<Vec<RoleId>>,
    /// A disabled account cannot sign in; its sessions end at once.
    #[garde(skip)]
    #[serde(default)]
    disabled: Option<bool>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccountStatus {
    Active,
    Disabled,
    Erased,
}

/// An account as administrators see it. An erased one has neither address nor name.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountView {
    id: AccountId,
    kind: Kind,
    status: AccountStatus,
    email: Option<Email>,
    name: Option<PersonName>,
    locale: Option<Locale>,
    roles: Vec<RoleId>,
    registered_at: Timestamp,
    /// The one-time password was not replaced yet.
    password_change_required: bool,
}

impl AccountView {
    fn of(account: &Versioned<Account>) -> Self {
        let profile = account.profile();
        Self {
            id: AccountId::from_uuid(account.id),
            kind: account.kind,
            status: match account.standing {
                Standing::Active { .. } => AccountStatus::Active,
                Standing::Disabled { .. } => AccountStatus::Disabled,
                Standing::Erased { .. } => AccountStatus::Erased,
            },
            email: profile.map(|p| p.email.clone()),
            name: profile.and_then(|p| p.name.clone()),
            locale: profile.and_then(|p| p.locale.clone()),
            roles: profile.map(|p| p.roles.iter().copied().collect()).unwrap_or_default(),
            registered_at: account.registered_at,
            password_change_required: profile.is_some_and(|p| p.credential.one_time),
        }
    }
}

/// A member of staff with a password that somebody else made.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedStaff {
    account: AccountView,
    /// Told this once. Good for some days, and only for being replaced by its owner.
    one_time_password: String,
}

impl CreatedStaff {
    fn of(account: &Versioned<Account>, password: &Password) -> Self {
        let one_time_password = password.expose().to_owned();
        Self { account: AccountView::of(account), one_time_password }
    }
}

/// Customers and staff, in the order they were made.
#[utoipa::path(get, path = "/v1/admin/accounts", tag = "accounts",
    operation_id = "list_accounts", params(ListParams),
    responses((status = 200, body = Page<AccountView>)),
    extensions(("x-permission" = json!("accounts:read"))))]
pub(super) async fn list_accounts(
    State(identity): State<Identity>,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let wanted = Wanted {
        kind: params.kind,
        email: params.email,
        limit: params.limit.unwrap_or(kernel::Limit::DEFAULT.get()),
        cursor: params.cursor,
    };
    let found = identity.list_accounts(wanted).await?;
    Ok(http::ok(None, &page(found, AccountView::of)))
}

/// A new member of staff, with a password to be used once.
#[utoipa::path(post, path = "/v1/admin/accounts", tag = "accounts",
    operation_id = "create_staff", request_body = CreateStaff,
    responses((status = 201, body = CreatedStaff,
        headers(("location" = String), ("etag" = String)))),
    extensions(("x-permission" = json!("accounts:write")), ("x-idempotency" = json!("none"))))]
pub(super) async fn create_staff(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Body(body): Body<CreateStaff>,
) -> Result<Response, Problem> {
    let CreateStaff { email, name, roles } = body;
    let new = NewStaff { email, name, roles };
    let (account, password) = identity.create_staff(&context, new).await.map_err(refusal)?;
    let created = CreatedStaff::of(&account, &password);
    let place = format!("/v1/admin/accounts/{}", created.account.id);
    Ok(secret(http::created(&place, Some(account.version), &created)))
}

/// A new one-time password for a member of staff who lost theirs or let it expire. Their sessions
/// end. Nobody does this to an account that may do more than they may, nor to their own.
#[utoipa::path(post, path = "/v1/admin/accounts/{account_id}/one-time-password", tag = "accounts",
    operation_id = "reset_password", params(("account_id" = AccountId, Path)),
    responses((status = 200, body = CreatedStaff, headers(("etag" = String)))),
    extensions(("x-permission" = json!("accounts:write")), ("x-idempotency" = json!("none"))))]
pub(super) async fn reset_password(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<AccountId>,
) -> Result<Response, Problem> {
    let (account, password) = identity.reset_password(&context, id).await.map_err(refusal)?;
    let created = CreatedStaff::of(&account, &password);
    Ok(secret(http::ok(Some(account.version), &created)))
}

/// One account.
#[utoipa::path(get, path = "/v1/admin/accounts/{account_id}", tag = "accounts",
    operation_id = "get_account", params(("account_id" = AccountId, Path)),
    responses((status = 200, body = AccountView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("accounts:read"))))]
pub(super) async fn get_account(
    State(identity): State<Identity>,
    PathParams(id): PathParams<AccountId>,
) -> Result<Response, Problem> {
    let account = identity.get_account(id).await?;
    Ok(http::ok(Some(account.version), &AccountView::of(&account)))
}

/// Gives and takes roles, disables and enables. Nobody changes an account that may do more than
/// they may; the last active owner stays one.
#[utoipa::path(patch, path = "/v1/admin/accounts/{account_id}", tag = "accounts",
    operation_id = "update_account", request_body = UpdateAccount,
    params(("account_id" = AccountId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = AccountView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("accounts:write"))))]
pub(super) async fn update_account(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<AccountId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<UpdateAccount>,
) -> Result<Response, Problem> {
    let once = once_versioned(key, 200, AccountView::of, None);
    let changes = AccountChanges { roles: body.roles, disabled: body.disabled };
    let account = identity.change_account(&context, once, id, changes, expected).await?;
    Ok(http::ok(Some(account.version), &AccountView::of(&account)))
}
