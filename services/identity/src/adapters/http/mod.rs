//! REST, one file an area: what comes in, the handlers, what goes out.
//!
//! Routes whose body holds a password or a refresh token, or whose answer holds a secret, ignore
//! `Idempotency-Key`: the record of one would keep a hash of the body, or the secret itself, at
//! rest. Routes that sign in ignore `Authorization` too, so that a stale token is no obstacle.

mod accounts;
mod addresses;
mod api_keys;
mod auth;
mod keys;
mod me;
mod roles;
mod sessions;
mod text;

use std::sync::LazyLock;

use axum::response::Response;
use http::{HeaderValue, header};
use platform::http::{Network, Page, Problem, Routes};
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use platform::store::Versioned;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::NAME;
use crate::application::{Error, Found, Identity};
use crate::domain::{Place, Rejection};
use crate::ports::PasswordError;

/// What identity serves.
pub static ROUTES: LazyLock<Routes<Identity>> = LazyLock::new(|| Routes::new(NAME, router()));

fn router() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(auth::register))
        .routes(routes!(auth::login))
        .routes(routes!(auth::staff_login))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::change_password))
        .routes(routes!(me::get_me, me::update_me, me::erase_me))
        .routes(routes!(addresses::list_addresses, addresses::create_address))
        .routes(routes!(
            addresses::get_address,
            addresses::replace_address,
            addresses::delete_address
        ))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::delete_session))
        .routes(routes!(keys::jwks))
        .routes(routes!(accounts::list_accounts, accounts::create_staff))
        .routes(routes!(accounts::get_account, accounts::update_account))
        .routes(routes!(accounts::reset_password))
        .routes(routes!(roles::list_roles, roles::create_role))
        .routes(routes!(roles::get_role, roles::update_role, roles::delete_role))
        .routes(routes!(roles::list_permissions))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::get_api_key, api_keys::revoke_api_key))
}

/// An answer with a secret in it stays out of every cache (RFC 6749, 5.1).
fn secret(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

/// Where the gateway says that the request comes from.
fn place(network: Option<Network>) -> Option<Place> {
    network.map(|network| Place::new(network.to_string()))
}

/// Tells how long to wait when somebody guesses too fast, or too many sign in.
fn refusal(error: Error) -> Problem {
    let wait = match &error {
        Error::Rejected(Rejection::TooManyAttempts { retry_after_s }) => Some(*retry_after_s),
        Error::Password(PasswordError::Busy) => Some(1),
        _ => None,
    };
    let problem = Problem::from(error);
    match wait {
        Some(seconds) => problem.header(header::RETRY_AFTER, HeaderValue::from(seconds)),
        None => problem,
    }
}

/// The answer of a change, once and again, with the version as its `ETag`.
fn once_versioned<A: 'static, V: Serialize + 'static>(
    key: Option<IdempotencyKey>,
    status: u16,
    view: fn(&Versioned<A>) -> V,
    location: Option<fn(&Versioned<A>) -> String>,
) -> Option<Idempotent<Versioned<A>>> {
    key.map(|key| {
        Idempotent::render(key, move |reply: &Versioned<A>| {
            let etag = format!("\"{}\"", reply.version);
            let saved = SavedResponse::json(status, &view(reply)).header("etag", etag);
            match location {
                Some(location) => saved.header("location", location(reply)),
                None => saved,
            }
        })
    })
}

/// The empty answer of a removal, once and again.
fn once_empty(key: Option<IdempotencyKey>) -> Option<Idempotent<()>> {
    key.map(|key| Idempotent::render(key, |(): &()| SavedResponse::empty(204)))
}

fn page<A, V>(found: Found<A>, view: fn(&Versioned<A>) -> V) -> Page<V> {
    Page { items: found.items.iter().map(view).collect(), next_cursor: found.next_cursor }
}
