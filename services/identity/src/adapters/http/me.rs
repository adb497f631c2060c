//! `/v1/me`: the caller's own account.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Email, Locale, Timestamp};
use platform::http::{self, Body, Ctx, IfMatch, Once, Problem};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::change;
use super::{once_empty, once_versioned};
use crate::application::Identity;
use crate::application::update_me::{Change, Changes};
use crate::domain::{Account, AccountId, Kind, PersonName};

/// What is left out stays; null removes.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMe {
    #[garde(skip)]
    #[serde(default, deserialize_with = "change")]
    #[schema(value_type = Option<PersonName>)]
    name: Change<PersonName>,
    #[garde(skip)]
    #[serde(default, deserialize_with = "change")]
    #[schema(value_type = Option<Locale>)]
    locale: Change<Locale>,
}

/// The caller's own account.
#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    id: AccountId,
    kind: Kind,
    email: Option<Email>,
    name: Option<PersonName>,
    locale: Option<Locale>,
    registered_at: Timestamp,
    password_change_required: bool,
}

impl MeView {
    fn of(account: &Versioned<Account>) -> Self {
        let profile = account.profile();
        Self {
            id: AccountId::from_uuid(account.id),
            kind: account.kind,
            email: profile.map(|p| p.email.clone()),
            name: profile.and_then(|p| p.name.clone()),
            locale: profile.and_then(|p| p.locale.clone()),
            registered_at: account.registered_at,
            password_change_required: profile.is_some_and(|p| p.credential.one_time),
        }
    }
}

/// The caller's own account.
#[utoipa::path(get, path = "/v1/me", tag = "me", operation_id = "get_me",
    responses((status = 200, body = MeView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn get_me(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    let account = identity.get_me(&context).await?;
    Ok(http::ok(Some(account.version), &MeView::of(&account)))
}

/// Changes the caller's name and language.
#[utoipa::path(patch, path = "/v1/me", tag = "me", operation_id = "update_me",
    request_body = UpdateMe,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = MeView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn update_me(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<UpdateMe>,
) -> Result<Response, Problem> {
    let once = once_versioned(key, 200, MeView::of, None);
    let changes = Changes { name: body.name, locale: body.locale };
    let account = identity.update_me(&context, once, changes, expected).await?;
    Ok(http::ok(Some(account.version), &MeView::of(&account)))
}

/// Erases the calling customer's account with its name, e-mail and address book, and ends all
/// sessions. The account's id stays, without anything about the person, and every service is told to
/// forget its copies. It cannot be undone.
#[utoipa::path(delete, path = "/v1/me", tag = "me", operation_id = "erase_me",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)), extensions(("x-permission" = json!("customer"))))]
pub(super) async fn erase_me(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    identity.erase_me(&context, once_empty(key), expected).await?;
    Ok(http::no_content())
}
