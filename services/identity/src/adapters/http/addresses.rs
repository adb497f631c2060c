//! `/v1/me/addresses`: the caller's address book.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Address;
use platform::http::{self, Body, Ctx, Once, Page, PathParams, Problem};
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::once_empty;
use crate::application::Identity;
use crate::domain::{AddressId, SavedAddress};

/// The rules of the address itself are the domain's: it names the fields that break one.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedAddressBody {
    #[garde(skip)]
    address: Address,
}

/// One entry of the address book.
#[derive(Serialize, ToSchema)]
pub(super) struct SavedAddressView {
    id: AddressId,
    address: Address,
}

impl From<&SavedAddress> for SavedAddressView {
    fn from(entry: &SavedAddress) -> Self {
        Self { id: entry.id, address: entry.address.clone() }
    }
}

fn place(entry: &SavedAddress) -> String {
    format!("/v1/me/addresses/{}", entry.id)
}

fn once(key: Option<IdempotencyKey>, status: u16) -> Option<Idempotent<SavedAddress>> {
    key.map(|key| {
        Idempotent::render(key, move |entry: &SavedAddress| {
            let saved = SavedResponse::json(status, &SavedAddressView::from(entry));
            if status == 201 { saved.header("location", place(entry)) } else { saved }
        })
    })
}

/// The caller's addresses, in the order they were added. There are at most 20, so this is one page.
#[utoipa::path(get, path = "/v1/me/addresses", tag = "me", operation_id = "list_addresses",
    responses((status = 200, body = Page<SavedAddressView>)),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn list_addresses(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    let entries = identity.list_addresses(&context).await?;
    let items: Vec<_> = entries.iter().map(SavedAddressView::from).collect();
    Ok(http::ok(None, &Page { items, next_cursor: None }))
}

/// Adds an address.
#[utoipa::path(post, path = "/v1/me/addresses", tag = "me", operation_id = "create_address",
    request_body = SavedAddressBody,
    responses((status = 201, body = SavedAddressView, headers(("location" = String)))),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn create_address(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<SavedAddressBody>,
) -> Result<Response, Problem> {
    let entry = identity.add_address(&context, once(key, 201), body.address).await?;
    Ok(http::created(&place(&entry), None, &SavedAddressView::from(&entry)))
}

/// One address.
#[utoipa::path(get, path = "/v1/me/addresses/{address_id}", tag = "me",
    operation_id = "get_address", params(("address_id" = AddressId, Path)),
    responses((status = 200, body = SavedAddressView)),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn get_address(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<AddressId>,
) -> Result<Response, Problem> {
    let entry = identity.get_address(&context, id).await?;
    Ok(http::ok(None, &SavedAddressView::from(&entry)))
}

/// Replaces an address.
#[utoipa::path(put, path = "/v1/me/addresses/{address_id}", tag = "me",
    operation_id = "replace_address", params(("address_id" = AddressId, Path)),
    request_body = SavedAddressBody, responses((status = 200, body = SavedAddressView)),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn replace_address(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<AddressId>,
    Once(key): Once,
    Body(body): Body<SavedAddressBody>,
) -> Result<Response, Problem> {
    let entry = SavedAddress { id, address: body.address };
    let entry = identity.replace_address(&context, once(key, 200), entry).await?;
    Ok(http::ok(None, &SavedAddressView::from(&entry)))
}

/// Removes an address.
#[utoipa::path(delete, path = "/v1/me/addresses/{address_id}", tag = "me",
    operation_id = "delete_address", params(("address_id" = AddressId, Path)),
    responses((status = 204)), extensions(("x-permission" = json!("customer"))))]
pub(super) async fn delete_address(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<AddressId>,
    Once(key): Once,
) -> Result<Response, Problem> {
    identity.remove_address(&context, once_empty(key), id).await?;
    Ok(http::no_content())
}
